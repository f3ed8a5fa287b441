#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "engine/format/page_measure.h"
#include "fsd/cli/client_context.h"
#include "fsd/cli/output.h"
#include "fsd/cli/verbs/dataset_path.h"
#include "fsd/cli/verbs/verbs.h"

namespace stela::fsd {
namespace {

constexpr uint64_t kRowsMax = 1 << 20;
constexpr uint64_t kColumnBytesMax = 64 << 20;
constexpr int kRepeats = 3;
constexpr const char* kWhat = "encodings";
constexpr const char* kDataset = "/rows";  // of the store that is made for the file

std::string saved(const format::PageMeasure& measure) {
  const double plain = static_cast<double>(std::max<uint64_t>(1, measure.plain_bytes));
  return format_number(100 - 100 * static_cast<double>(measure.stored_bytes) / plain, " %");
}

std::string rate(const format::PageMeasure& measure, double seconds, double unit, const char* name) {
  return seconds <= 0 ? "-" : format_number(static_cast<double>(measure.plain_bytes) / seconds / unit, name);
}

// ---- in the process that holds the store

Result<std::vector<std::string>> measured_row(const Snapshot& snapshot, const ColumnInfo& info) {
  ColumnData values(info.type);
  const uint64_t width = std::max<uint64_t>(1, info.type.is_variable() ? 1 : info.type.value_width());
  uint64_t rows = std::min({snapshot.rows(), kRowsMax, std::max<uint64_t>(1, kColumnBytesMax / width)});
  while (info.type.is_variable() && rows > 1) {
    STELA_ASSIGN(const uint64_t bytes, snapshot.value_bytes(info, 0, rows));
    if (bytes <= kColumnBytesMax) break;
    rows /= 2;
  }
  STELA_TRY(snapshot.read(info, 0, rows, values));
  using format::EncodingMode;
  auto measure = [&](EncodingMode mode) {
    return format::measure_pages(values.view(), mode, kRepeats, monotonic_seconds);
  };
  STELA_ASSIGN(const auto light, measure(EncodingMode::kLight));
  STELA_ASSIGN(const auto cold, measure(EncodingMode::kCold));
  return std::vector<std::string>{printable(info.name),
                                  info.type.name(),
                                  light.encodings,
                                  cold.encodings,
                                  saved(light),
                                  saved(cold),
                                  rate(light, light.decode_seconds, 1e9, " GB/s"),
                                  rate(cold, cold.decode_seconds, 1e9, " GB/s"),
                                  rate(light, light.encode_seconds, 1e6, " MB/s"),
                                  rate(cold, cold.encode_seconds, 1e6, " MB/s")};
}

Status print_measures(const VerbContext& context) {
  STELA_ASSIGN(const DatasetPath dataset, find_dataset(context, context.request.args[1]));
  if (!dataset.snapshot) return invalid("there are no rows to measure");
  std::vector<std::vector<std::string>> rows{
      {"column", "type", "light", "cold", "saved", "cold", "decode", "cold", "encode", "cold"}};
  STELA_ASSIGN(const std::vector<ColumnInfo> columns, dataset.snapshot.columns());
  for (const ColumnInfo& info : columns) {
    STELA_ASSIGN(std::vector<std::string> row, measured_row(dataset.snapshot, info));
    rows.push_back(std::move(row));
    VerbProgress progress{.what = "measuring", .done = rows.size() - 1, .total = columns.size()};
    if (context.progress && !context.progress(progress)) return Status(Code::kDeadline, "cancelled");
  }
  Output output(context);
  output.text(format_table(rows, {false, false, false, false, true, true, true, true, true, true}));
  return output.flush();
}

VerbOutcome run(const VerbContext& context) { return VerbOutcome::from(print_measures(context)); }

// ---- in the caller's process

// A folder for the time of the measurement.
class ScratchFolder {
 public:
  Status make() {
    const char* parent = std::getenv("TMPDIR");
    std::string name = std::string(parent == nullptr ? "/var/tmp" : parent) + "/stela-bench-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) return status_from_errno(errno, name);
    path_ = name;
    return {};
  }
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder() = default;
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Result<VerbOutcome> measure_file(const VerbRequest& given, const std::string& file, const std::string& store) {
  STELA_ASSIGN(auto channel, open_channel({.store = store, .verb = "bench", .create_if_absent = true}));
  VerbRequest request = given;
  request.verb = "import";
  request.args = {kDataset};
  request.input_names = {std::filesystem::path(file).filename().string()};
  const int input = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (input < 0) return status_from_errno(errno, file);
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  Result<VerbOutcome> outcome = channel->call(request, nowhere, {input}, {});
  close(input);
  if (nowhere >= 0) close(nowhere);
  if (outcome.ok() && outcome->exit_code == 0) {
    request.verb = "bench";
    request.args = {kWhat, kDataset};
    outcome = channel->call(request, STDOUT_FILENO, {}, {});
  }
  const Status closed = channel->close();
  return closed.ok() ? outcome : Result<VerbOutcome>(closed);
}

VerbOutcome client(ClientContext& context) {
  const std::vector<std::string>& args = context.request().args;
  if (args[0] != kWhat) return usage_error(bench_verb());
  ScratchFolder folder;
  Status made = folder.make();
  if (!made.ok()) return VerbOutcome::from(made);
  Result<VerbOutcome> outcome = measure_file(context.request(), args[1], folder.path() + "/store");
  return outcome.ok() ? *outcome : VerbOutcome::from(outcome.status());
}

}  // namespace

const VerbSpec& bench_verb() {
  static const VerbSpec spec = {
      .name = "bench",
      .usage = "encodings FILE",
      .summary = "how small and how fast the columns of a file would be",
      .description =
          "Takes the rows of FILE (as 'stela import' does) into a store of its own, which is removed again, and\n"
          "prints for each column, up to its first million rows: the encodings of light and of cold pages, the\n"
          "share of plain bytes that they save, and how fast one core decodes and encodes them, in memory.",
      .options = {{"null", 0, OptionSpec::Kind::kValues, "TEXT", "unquoted TEXT is null in every column"},
                  {"delimiter", 0, OptionSpec::Kind::kValue, "CHAR", "between fields, in place of comma or tab"},
                  {"no-header", 0, OptionSpec::Kind::kSwitch, "", "the first line is data"}},
      .args_min = 2,
      .args_max = 2,
      .run = run,
      .client = client,
      .takes_store = false};
  return spec;
}

}  // namespace stela::fsd

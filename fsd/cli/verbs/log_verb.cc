#include <algorithm>
#include <charconv>
#include <limits>
#include <map>

#include "fsd/cli/json_builder.h"
#include "fsd/cli/output.h"
#include "fsd/cli/verbs/dataset_path.h"
#include "fsd/cli/verbs/verbs.h"

namespace stela::fsd {
namespace {

// Stored bytes that a version shows and the one before it does too. Each version is read once when they are asked for
// in descending order; columns that a version left alone are not read again.
class SharedBytes {
 public:
  Result<uint64_t> of(const Table& table, VersionNumber version) {
    if (version.value == 1) return uint64_t{0};
    if (asked_ != version) STELA_TRY(read(table, version));
    Columns shown = std::move(columns_);
    STELA_TRY(read(table, VersionNumber{version.value - 1}, shown));
    uint64_t total = 0;
    for (const auto& [id, column] : shown) {
      auto before = columns_.find(id);
      if (before != columns_.end()) total += std::min(column.bytes, before->second.bytes);
    }
    return total;
  }

 private:
  struct Column {
    Sequence change;
    uint64_t bytes = 0;
  };
  using Columns = std::map<ColumnId, Column>;

  Status read(const Table& table, VersionNumber version, const Columns& known = {}) {
    STELA_ASSIGN(Snapshot snapshot, table.at(version));
    STELA_ASSIGN(std::vector<ColumnInfo> columns, snapshot.columns());
    columns_.clear();
    for (const ColumnInfo& column : columns) {
      auto found = known.find(column.id);
      bool same = found != known.end() && found->second.change == column.change;
      Column now{column.change, same ? found->second.bytes : 0};
      if (!same) {
        STELA_ASSIGN(now.bytes, snapshot.stored_bytes(column));
      }
      columns_.emplace(column.id, now);
    }
    asked_ = version;
    return {};
  }

  VersionNumber asked_;  // the one that columns_ are of
  Columns columns_;
};

std::string as_json_line(const VersionInfo& version, const Result<uint64_t>& shared) {
  JsonObject line;
  line.number("version", version.number.value)
      .text("time", format_time(version.time_ns))
      .text("operation", version.operation)
      .number("rows", version.rows)
      .number("rows_added", version.rows_added)
      .number("bytes_added", version.bytes_added)
      .text("author", version.author)
      .text("message", version.message);
  if (shared.ok()) {
    line.number("bytes_shared", *shared);
  } else {
    line.null("bytes_shared");
  }
  return line.str() + "\n";
}

std::vector<std::string> as_row(const VersionInfo& version, const Result<uint64_t>& shared) {
  return {std::to_string(version.number.value),
          format_time(version.time_ns),
          printable(version.operation),
          std::to_string(version.rows),
          "+" + std::to_string(version.rows_added),
          "+" + format_bytes(version.bytes_added),
          (shared.ok() ? format_bytes(*shared) : "?") + " shared",
          printable(version.author),
          printable(version.message)};
}

Result<uint64_t> limit_of(const VerbRequest& request) {
  std::string text = request.value("limit");
  uint64_t limit = std::numeric_limits<uint64_t>::max();
  if (text.empty()) return limit;
  auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc() || *rest != '\0') return invalid("--limit " + text + " is not a whole number");
  return limit;
}

VerbOutcome run(const VerbContext& context) {
  Result<DatasetPath> found = find_dataset(context, context.request.args[0]);
  if (!found.ok()) return VerbOutcome::from(found.status());
  Result<uint64_t> limit = limit_of(context.request);
  if (!limit.ok()) return {2, limit.status().message()};
  if (!found->rest.empty()) return {1, context.request.args[0] + " is not a dataset"};
  Output output(context);
  bool json = context.request.has("json");
  // A batch of lines is aligned; a long history is printed while it is read.
  constexpr size_t kBatchLines = 1000;
  std::vector<std::vector<std::string>> rows;
  auto print_rows = [&] {
    output.text(format_table(rows, {true, false, false, true, true, true, true, false, false}));
    rows.clear();
  };
  SharedBytes shared;
  uint64_t number = found->snapshot ? found->snapshot.version().number.value : 0;
  for (uint64_t shown = 0; number > 0 && shown < *limit; --number, ++shown) {
    Result<VersionInfo> version = found->table.version(VersionNumber{number});
    if (!version.ok()) return VerbOutcome::from(version.status());
    const Result<uint64_t> bytes = shared.of(found->table, VersionNumber{number});  // damage there hides no history
    if (json) {
      output.text(as_json_line(*version, bytes));
    } else {
      rows.push_back(as_row(*version, bytes));
      if (rows.size() == kBatchLines) print_rows();
    }
    if (shown % kBatchLines == 0 && context.progress && !context.progress({})) return {1, "cancelled"};
  }
  print_rows();
  return VerbOutcome::from(output.flush());
}

}  // namespace

const VerbSpec& log_verb() {
  static const VerbSpec spec = {
      .name = "log",
      .usage = "STORE /DATASET[/.versions/N]",
      .summary = "show the versions of a dataset",
      .description =
          "One line for each version, the newest first: number, time, operation, rows, rows added, bytes added,\n"
          "bytes shared with the version before it, author, message.",
      .options = {{"limit", 'n', OptionSpec::Kind::kValue, "N", "at most N versions"},
                  {"json", 0, OptionSpec::Kind::kSwitch, "", "print a line of JSON for each version"}},
      .args_min = 1,
      .args_max = 1,
      .run = run};
  return spec;
}

}  // namespace stela::fsd

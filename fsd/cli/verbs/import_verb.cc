#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "fsd/cli/client_context.h"
#include "fsd/cli/json_builder.h"
#include "fsd/cli/output.h"
#include "fsd/cli/tree_walk.h"
#include "fsd/cli/verbs/verbs.h"
#include "fsd/ingest/ingest.h"
#include "fsd/ingest/row_sink.h"
#include "fsd/ingest/schema_text.h"
#include "fsd/ingest/validity.h"
#include "fsd/views/view.h"

namespace stela::fsd {
namespace {

constexpr const char* kPart = "part";  // of a folder: types are stated where there are none yet
constexpr std::string_view kSchemaFile = "/.schema.json";
constexpr const char* kFolder = "folder";  // makes a directory instead of importing

// Lines of JSON for the rows that --on-error skip leaves out; one file's are bounded (Rejections::kBytesMax).
class RejectedLines final : public RejectedRows {
 public:
  Status reserve(uint64_t) override { return {}; }
  void give_back(uint64_t) override {}
  void add(std::string_view lines) override {
    lines_ += lines;
    rows_ += static_cast<uint64_t>(std::count(lines.begin(), lines.end(), '\n'));
  }
  uint64_t rows() const { return rows_; }
  std::string_view lines() const { return lines_; }
  // On one line.
  std::string array() const {
    std::string out = "[" + lines_.substr(0, lines_.empty() ? 0 : lines_.size() - 1) + "]";
    std::replace(out.begin(), out.end(), '\n', ',');  // JSON escapes those within a text
    return out;
  }

 private:
  std::string lines_;
  uint64_t rows_ = 0;
};

std::string extension_of(const std::string& name) {
  size_t dot = name.rfind('.');
  return dot == std::string::npos || dot == 0 ? "" : name.substr(dot);
}

Result<IngestOptions> ingest_options(const VerbContext& context, uint64_t total,
                                     std::shared_ptr<RejectedLines> rejected) {
  const VerbRequest& request = context.request;
  IngestOptions options;
  options.null_texts = request.values("null");
  options.header = !request.has("no-header");
  options.field_bytes_max = context.store.options().field_bytes_max;
  options.memory_bytes = context.store.options().import_memory_bytes;
  if (request.has("delimiter")) {
    std::string text = request.value("delimiter");
    if (text == "\\t") text = "\t";
    if (text.size() != 1) return invalid("--delimiter takes one character");
    options.delimiter = text[0];
  }
  if (request.has("missing")) {
    if (request.value("missing") != "null") return invalid("--missing takes null");
    options.missing_null = true;
  }
  if (request.has("extra")) {
    if (request.value("extra") != "ignore") return invalid("--extra takes ignore");
    options.extra_ignore = true;
  }
  if (request.has("on-error")) {
    if (request.value("on-error") != "skip") return invalid("--on-error takes skip");
    options.skip_errors = true;
    options.rejected = std::move(rejected);
  }
  if (context.progress) {
    VerbProgress progress{.what = "importing " + request.input_names[0], .total = total};
    options.progress = [call = context.progress, progress](uint64_t bytes, uint64_t rows) mutable {
      progress.done = bytes;
      progress.rows = rows;
      return call(progress);
    };
  }
  return options;
}

// Folders and a dataset made for an import, taken away again unless it succeeded.
class FreshDataset {
 public:
  FreshDataset(Store& store, CommitInfo info, const Caller& caller)
      : store_(store), info_(std::move(info)), attributes_{0777u & ~caller.umask, caller.uid, caller.gid} {}
  ~FreshDataset() {
    if (kept_) return;
    for (auto path = made_.rbegin(); path != made_.rend(); ++path) {
      Result<NodeInfo> node = store_.lookup(*path);
      if (!node.ok() || !store_.remove_directory(node->parent, node->name, info_).ok()) return;
    }
  }
  FreshDataset(const FreshDataset&) = delete;
  FreshDataset& operator=(const FreshDataset&) = delete;

  Result<Table> open(const std::string& path) {
    Result<NodeInfo> node = store_.lookup(path);
    if (node.ok() && node->kind == NodeKind::kFolder) return invalid(path + " is a folder, not a dataset");
    if (node.ok()) return store_.table(node->id);
    if (node.status().code() != Code::kNotFound) return node.status();
    std::string prefix;
    for (const std::string& component : split_path(path)) {
      prefix += "/" + component;
      if (!made_.empty() || !store_.lookup(prefix).ok()) made_.push_back(prefix);
    }
    return store_.create_table(path, info_, attributes_);
  }
  void keep() { kept_ = true; }

 private:
  Store& store_;
  const CommitInfo info_;
  const NodeAttributes attributes_;
  std::vector<std::string> made_;
  bool kept_ = false;
};

Result<std::optional<VersionInfo>> import_rows(const VerbContext& context, ByteSource& source, Table table,
                                               const std::string& name, const CommitInfo& info,
                                               const std::shared_ptr<RejectedLines>& rejected) {
  std::string extension = extension_of(name);
  const RowFormat* format = find_row_format(extension);
  if (format == nullptr) {
    if (auto known = unsupported_row_format(extension)) return *known;
    return invalid(name + ": rows come in .csv, .tsv, .jsonl, .arrow, .npy and .npz files, told by the extension");
  }
  STELA_ASSIGN(IngestOptions options, ingest_options(context, source.size(), rejected));
  STELA_ASSIGN(std::unique_ptr<RowIngest> ingest, format->start(source, name, table, options));
  return ingest->commit(true, info);
}

// "/trips/fare.npy": a column of /trips.
std::optional<ViewName> column_name(const std::string& path) {
  const ColumnFormat* format = find_column_format(extension_of(path));
  if (format == nullptr) return std::nullopt;
  return split_view_name(std::string_view(path).substr(path.rfind('/') + 1));
}

Result<std::optional<VersionInfo>> import_column(ByteSource& source, Table table, const ViewName& target,
                                                 const std::string& name, const CommitInfo& info) {
  std::string column = decode_column_file_stem(target.stem);
  if (std::string_view(target.form->extension()) == ".valid.npy") {
    return commit_validity(source, name, table, column, info);
  }
  const ColumnFormat* format = find_column_format(extension_of(name));
  if (format == nullptr) return invalid(name + ": a column comes in a .npy or .arrow file, told by the extension");
  return format->commit(source, name, *table_column_sink(table), column, true, info);
}

// "/trips/.schema.json": the types of /trips, stated before its first rows. nullopt: a folder's dataset that has its
// own.
Result<std::optional<VersionInfo>> import_schema(const VerbContext& context, ByteSource& source, Table table,
                                                 const std::string& name, const CommitInfo& info) {
  STELA_ASSIGN(VersionNumber newest, table.latest());
  if (newest.value != 0 && context.request.has(kPart)) return std::optional<VersionInfo>();
  if (newest.value != 0) {
    return Status(Code::kExists,
                  name + ": the dataset has its types already; they are stated for an empty dataset only");
  }
  Result<std::vector<Field>> fields = read_schema(source);
  if (!fields.ok()) return fields.status().with_context(name);
  STELA_ASSIGN(VersionInfo version, table.set_schema(*fields, info));
  return std::optional<VersionInfo>(std::move(version));
}

VerbOutcome report(const VerbContext& context, const std::string& dataset, const std::optional<VersionInfo>& version,
                   const RejectedLines& rejected) {
  Output output(context);
  const std::string left_out = rejected.rows() == 0 ? "" : ", " + std::to_string(rejected.rows()) + " left out";
  const std::string& name = context.request.input_names[0];
  if (context.request.has("json")) {
    JsonObject document;
    document.text("file", name).text("dataset", dataset);
    if (version) {
      document.number("version", version->number.value).number("rows_added", version->rows_added);
      document.number("rows", version->rows);
    } else {
      document.null("version");
    }
    if (rejected.rows() > 0) document.json("rejected", rejected.array());
    output.line(document.str());
  } else if (version) {
    // A column, or types alone, add no rows to those that are there.
    std::string what = version->rows_added > 0 ? std::to_string(version->rows_added) + " rows added" : "taken in";
    output.line(printable(name) + ": " + what + left_out + "; " + printable(dataset) + " is at version " +
                std::to_string(version->number.value) + " with " + std::to_string(version->rows) + " rows");
  } else {
    output.line(printable(name) + ": no rows" + left_out + "; nothing to commit");
  }
  if (rejected.rows() > 0 && !context.request.has("json")) output.text(rejected.lines());
  return VerbOutcome::from(output.flush());
}

// An empty directory, or nothing when the path is there.
VerbOutcome make_folder(const VerbContext& context) {
  const std::string& path = context.request.args[0];
  if (context.store.lookup(path).ok()) return {};
  CommitInfo info{.author = author_of(context.caller), .operation = "import", .message = {}};
  NodeAttributes attributes{0777u & ~context.caller.umask, context.caller.uid, context.caller.gid};
  return VerbOutcome::from(context.store.create_table(path, info, attributes).status());
}

VerbOutcome run(const VerbContext& context) {
  const VerbRequest& request = context.request;
  if (request.has(kFolder)) return make_folder(context);
  if (context.inputs.size() != 1 || request.input_names.size() != 1) return {2, "import takes one open file at a time"};
  std::string path = request.args[0], name = request.input_names[0];
  int fd = fcntl(context.inputs[0], F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return VerbOutcome::from(status_from_errno(errno, name));
  Result<std::unique_ptr<ByteSource>> source = descriptor_source(fd, name);
  if (!source.ok()) return VerbOutcome::from(source.status());
  CommitInfo info{.author = author_of(context.caller), .operation = "import", .message = request.value("message")};
  if (info.message.empty()) info.message = name;
  std::optional<ViewName> column = column_name(path);
  bool schema = path.ends_with(kSchemaFile);
  std::string dataset = column || schema ? path.substr(0, path.rfind('/')) : path;
  FreshDataset fresh(context.store, info, context.caller);
  Result<Table> table = fresh.open(dataset);
  if (!table.ok()) return VerbOutcome::from(table.status());
  auto rejected = std::make_shared<RejectedLines>();
  Result<std::optional<VersionInfo>> version = schema   ? import_schema(context, **source, *table, name, info)
                                               : column ? import_column(**source, *table, *column, name, info)
                                                        : import_rows(context, **source, *table, name, info, rejected);
  if (!version.ok()) return VerbOutcome::from(version.status());
  if (version->has_value()) fresh.keep();
  return report(context, dataset, *version, *rejected);
}

// ---- in the caller's process

VerbOutcome import_file(ClientContext& context, const std::string& target, const std::string& file, bool part = false) {
  int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return VerbOutcome::from(status_from_errno(errno, file));
  VerbRequest request = context.request();
  request.args = {target};
  request.input_names = {std::filesystem::path(file).filename().string()};
  if (part) request.options[kPart] = {};
  VerbOutcome outcome = context.call(request, STDOUT_FILENO, {fd}, true);
  close(fd);
  return outcome;
}

Result<std::vector<std::filesystem::directory_entry>> sorted_entries(const std::string& folder) {
  std::error_code error;
  std::vector<std::filesystem::directory_entry> entries;
  std::filesystem::directory_iterator it(folder, error);
  for (; !error && it != std::filesystem::directory_iterator(); it.increment(error)) entries.push_back(*it);
  if (error) return status_from_errno(error.value(), folder);
  std::sort(entries.begin(), entries.end());
  return entries;
}

bool is_dataset_folder(const std::vector<std::filesystem::directory_entry>& entries) {
  return std::any_of(entries.begin(), entries.end(), [](const auto& entry) {
    return entry.path().extension() == ".npy" || entry.path().filename() == ".schema.json";
  });
}

// What export made of a folder: a folder, with an .arrow for each dataset; of a dataset: the files of its columns.
VerbOutcome import_folder(ClientContext& context, const std::string& target, const std::string& folder, int depth) {
  constexpr int kDepthMax = 128;
  if (depth > kDepthMax) return {1, folder + ": folders are nested more than " + std::to_string(kDepthMax) + " deep"};
  auto entries = sorted_entries(folder);
  if (!entries.ok()) return VerbOutcome::from(entries.status());
  std::string above = target.ends_with('/') ? target : target + "/";
  bool columns = is_dataset_folder(*entries);
  if (target != "/" && !columns) {
    VerbRequest request = context.request();
    request.args = {target};
    request.options[kFolder] = {};
    VerbOutcome outcome = context.call(request, STDOUT_FILENO, {}, false);
    if (outcome.exit_code != 0) return outcome;
  }
  for (const auto& entry : *entries) {
    std::string name = entry.path().filename().string();
    std::string extension = extension_of(name);
    bool schema = columns && "/" + name == kSchemaFile;  // comes first, in the order of names
    if (name.starts_with('.') && !schema) continue;
    VerbOutcome outcome;
    if (entry.is_directory()) {
      if (columns) return {1, entry.path().string() + " is a folder among the files of columns"};
      outcome = import_folder(context, above + name, entry.path().string(), depth + 1);
    } else if (columns) {
      outcome = import_file(context, above + name, entry.path().string(), true);
    } else if (find_row_format(extension) != nullptr) {
      outcome = import_file(context, above + name.substr(0, name.size() - extension.size()), entry.path().string());
    } else {
      return {1, entry.path().string() + " is no dataset: a folder that is imported has .arrow, .csv or .jsonl files"};
    }
    if (outcome.exit_code != 0) return outcome;
  }
  return {};
}

// One call, hence one commit, for each file; the first that fails ends it.
VerbOutcome client(ClientContext& context) {
  const std::vector<std::string>& args = context.request().args;
  if (args.size() < 2) return usage_error(import_verb());
  for (size_t i = 1; i < args.size(); ++i) {
    std::error_code error;
    bool folder = std::filesystem::is_directory(args[i], error);
    VerbOutcome outcome = folder ? import_folder(context, args[0], args[i], 0) : import_file(context, args[0], args[i]);
    if (outcome.exit_code != 0) return outcome;
  }
  return {};
}

}  // namespace

const VerbSpec& import_verb() {
  static const VerbSpec spec = {
      .name = "import",
      .usage = "STORE /DATASET FILE...   or   STORE /DATASET/COLUMN.npy FILE   or   STORE /FOLDER DIRECTORY",
      .summary = "append files of rows, or store a column",
      .description =
          "Appends the rows of each FILE (.csv, .tsv, .jsonl, .arrow, .npy, .npz) to the dataset, one commit a\n"
          "file; the store, the dataset and its folders are made when absent. With a path that ends in .npy or\n"
          ".arrow, FILE becomes that column, new or in place of the old one; with .valid.npy, its nulls; with\n"
          "/.schema.json, the types of a dataset that has none yet. A\n"
          "DIRECTORY is what 'stela export' made: of a plain folder, or of / for the whole store, where each file\n"
          "becomes a dataset of its name; of a dataset, where each file becomes a column, of its .schema.json's types. "
          "A file\n"
          "that is refused changes nothing.",
      .options = {{"null", 0, OptionSpec::Kind::kValues, "TEXT",
                   "unquoted TEXT is null in every column (may be repeated)"},
                  {"delimiter", 0, OptionSpec::Kind::kValue, "CHAR", "between fields, in place of comma or tab"},
                  {"no-header", 0, OptionSpec::Kind::kSwitch, "", "the first line is data; columns go by position"},
                  {"missing", 0, OptionSpec::Kind::kValue, "null", "columns the file lacks become null"},
                  {"extra", 0, OptionSpec::Kind::kValue, "ignore", "columns the dataset lacks are left out"},
                  {"on-error", 0, OptionSpec::Kind::kValue, "skip",
                   "rows that cannot be taken are left out, and printed with their reasons as lines of JSON"},
                  {"message", 'm', OptionSpec::Kind::kValue, "TEXT", "kept with the commit"},
                  {"json", 0, OptionSpec::Kind::kSwitch, "", "print a line of JSON for each file"}},
      .args_min = 1,
      .args_max = 1 << 20,
      .creates_store = true,
      .run = run,
      .client = client};
  return spec;
}

}  // namespace stela::fsd

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "fsd/cli/client_context.h"
#include "fsd/cli/output.h"
#include "fsd/cli/progress_line.h"
#include "fsd/cli/tree_walk.h"
#include "fsd/cli/verbs/dataset_path.h"
#include "fsd/cli/verbs/verbs.h"
#include "fsd/views/column_form.h"
#include "fsd/views/text_format.h"
#include "fsd/views/whole_rows.h"

namespace stela::fsd {
namespace {

constexpr const char* kPlan = "plan";        // what is to be copied, instead of copying
constexpr const char* kLabel = "label";      // of the progress line
constexpr const char* kMissing = "missing";  // which rows cannot be read, instead of copying
constexpr const char* kSkip = "skip-damaged";
constexpr uint64_t kPieceBytes = 1 << 20;
constexpr char kFolderMark = 'd', kDatasetMark = 't', kFileMark = 'f';

std::string extension_of(const std::string& name) {
  std::string base = name.substr(name.rfind('/') + 1);
  size_t dot = base.rfind('.');
  return dot == std::string::npos || dot == 0 ? "" : base.substr(dot);
}

std::string label(const VerbContext& context, const std::string& path) {
  return "exporting " + (context.request.has(kLabel) ? context.request.value(kLabel) : path);
}

// ---- in the process that holds the store

// A dataset that was left without columns is exported as what it looks like: an empty folder.
Result<bool> has_columns(const VerbContext& context, const NodeInfo& node) {
  if (node.kind != NodeKind::kDataset) return false;
  STELA_ASSIGN(Table table, context.store.table(node.id));
  auto head = table.head();
  if (!head.ok()) return head.status().code() == Code::kNotFound ? Result<bool>(false) : head.status();
  bool found = false;
  STELA_TRY(head->for_each_column([&](const ColumnInfo&) {
    found = true;
    return false;
  }));
  return found;
}

// Names end in NUL and begin with a mark. Below a plain folder: every folder and dataset, as paths within it.
Status plan_below(const VerbContext& context, NodeId folder, const std::string& prefix, Output& output) {
  constexpr size_t kAtOnce = 1024;
  for (std::string after;;) {
    STELA_ASSIGN(std::vector<NodeInfo> children, context.store.children(folder, after, kAtOnce));
    for (const NodeInfo& child : children) {
      std::string path = prefix + child.name;
      STELA_ASSIGN(bool dataset, has_columns(context, child));
      output.text({dataset ? &kDatasetMark : &kFolderMark, 1}).text(path).text(std::string_view("\0", 1));
      if (!dataset) STELA_TRY(plan_below(context, child.id, path + "/", output));
    }
    if (children.size() < kAtOnce) return output.flush();
    after = children.back().name;
  }
}

// A dataset: its types, and the files a listing shows.
Status plan_dataset(const VerbContext& context, const std::string& path, Output& output) {
  TreeWalk walk(context.tree, context.caller);
  STELA_ASSIGN(EntryReply entry, walk.resolve(path));
  if (entry.attributes.type != FileType::kDirectory) return invalid(path + ": a single file is exported to a file");
  auto entries = walk.list(entry.node);
  if (!entries.ok()) return entries.status().with_context(path);
  output.text({&kFileMark, 1}).text(".schema.json").text(std::string_view("\0", 1));
  for (const DirectoryEntry& found : *entries) {
    if (found.type != FileType::kRegular || found.name.starts_with('.')) continue;
    output.text({&kFileMark, 1}).text(found.name).text(std::string_view("\0", 1));
  }
  return output.flush();
}

Status print_plan(const VerbContext& context, const std::string& path) {
  Output output(context);
  Result<NodeInfo> node = context.store.lookup(path);
  if (node.ok() && node->kind != NodeKind::kDataset) return plan_below(context, node->id, "", output);
  return plan_dataset(context, path, output);
}

const TableSourceForm* table_form_of(const std::string& extension) {
  for (const TableSourceForm* form : {&table_csv_form(), &table_jsonl_form(), &table_arrow_form()}) {
    if (".table" + extension == form->name()) return form;
  }
  return nullptr;
}

// A list for people and programs; nothing where all rows can be read.
Status print_missing(const VerbContext& context, const Snapshot& snapshot) {
  STELA_ASSIGN(const WholeRows whole, whole_rows(snapshot_table(snapshot)));
  Output output(context);
  if (!whole.missing.empty()) output.line("column,first_row,last_row,reason");
  for (const MissingRows& rows : whole.missing) {
    std::string line;
    append_csv_text(rows.column, line);
    line += "," + std::to_string(rows.first) + "," + std::to_string(rows.end - 1) + ",";
    append_csv_text(rows.reason, line);
    output.line(line);
  }
  return output.flush();
}

// A whole table, read on and on. The length of a text is known at its end only: how much is done is told by the lines.
Status export_table(const VerbContext& context, const std::string& path, const Snapshot& snapshot,
                    const TableSourceForm& form) {
  std::shared_ptr<const TableSource> table = snapshot_table(snapshot);
  if (context.request.has(kSkip)) {
    STELA_ASSIGN(WholeRows whole, whole_rows(table));
    table = std::move(whole.table);
  }
  const uint64_t rows = table->version().rows;
  auto opened = form.open_source(std::move(table), std::nullopt);
  if (!opened.ok()) return opened.status().with_context(path);
  View& view = **opened;
  bool has_lines = !form.size_is_cheap() && std::string_view(form.name()) != ".table.arrow";
  VerbProgress progress{.what = label(context, path)};
  if (!has_lines) {
    STELA_ASSIGN(progress.total, view.size());
  }
  Output output(context);
  std::vector<std::byte> piece(kPieceBytes);
  for (uint64_t lines = 0;;) {
    auto count = view.read(progress.done, piece);
    if (!count.ok()) return count.status().with_context(path);
    if (*count == 0) break;
    STELA_TRY(output.bytes({piece.data(), *count}));
    progress.done += *count;
    if (has_lines && context.progress) {
      lines += static_cast<uint64_t>(
          std::count(piece.begin(), piece.begin() + static_cast<int64_t>(*count), std::byte{'\n'}));
      double share = static_cast<double>(std::max<uint64_t>(lines, 1)) / static_cast<double>(rows + 1);
      progress.total = std::max(progress.done, static_cast<uint64_t>(static_cast<double>(progress.done) / share));
      progress.rows = std::min(lines, rows);
    }
    if (context.progress && !context.progress(progress)) return Status(Code::kDeadline, "cancelled");
  }
  return output.flush();
}

Status export_column(const VerbContext& context, const std::string& path, const std::string& extension) {
  TreeWalk walk(context.tree, context.caller);
  STELA_ASSIGN(EntryReply entry, walk.resolve(path));
  if (entry.attributes.type == FileType::kDirectory) return invalid(path + " is a folder: export it to a folder");
  if (extension_of(path) != extension) {
    return invalid(path + " is exported to a file that ends in " + extension_of(path));
  }
  Output output(context);
  VerbProgress progress{.what = label(context, path), .total = entry.attributes.size};
  STELA_TRY(walk.read_file(entry.node, [&](ByteSpan bytes) -> Status {
    STELA_TRY(output.bytes(bytes));
    progress.done += bytes.size();
    if (context.progress && !context.progress(progress)) return Status(Code::kDeadline, "cancelled");
    return {};
  }));
  return output.flush();
}

Status export_path(const VerbContext& context) {
  const std::string& path = context.request.args[0];
  if (context.request.has(kPlan)) return print_plan(context, path);
  std::string extension = context.request.value("form");
  Result<DatasetPath> dataset = find_dataset(context, path);
  const TableSourceForm* form = table_form_of(extension);
  bool table = dataset.ok() && (dataset->rest.empty() || (form != nullptr && dataset->rest == form->name()));
  if (!table && context.request.has(kSkip)) {
    return invalid("--skip-damaged is for whole tables: name a file that ends in .csv, .jsonl or .arrow");
  }
  if (!table) return export_column(context, path, extension);
  if (form == nullptr) {
    return invalid("a table is exported as .csv, .jsonl or .arrow, or into a folder, not as " + extension);
  }
  if (!dataset->snapshot) return invalid(path + " has no version yet: there is nothing to export");
  if (context.request.has(kMissing)) return print_missing(context, dataset->snapshot);
  return export_table(context, path, dataset->snapshot, *form);
}

VerbOutcome run(const VerbContext& context) { return VerbOutcome::from(export_path(context)); }

// A file that appears under its name only when it is whole. Something that is no regular file (a pipe, a
// device) is written to as it is.
class TargetFile {
 public:
  explicit TargetFile(std::string path) : path_(std::move(path)) {}
  ~TargetFile() {
    if (fd_ >= 0) close(fd_);
    if (!part_.empty()) unlink(part_.c_str());
  }
  TargetFile(const TargetFile&) = delete;
  TargetFile& operator=(const TargetFile&) = delete;

  Status open_for_writing() {
    struct stat attributes;
    bool special = stat(path_.c_str(), &attributes) == 0 && !S_ISREG(attributes.st_mode);
    std::string name = path_;
    if (!special) {
      part_ = path_ + ".part." + std::to_string(getpid());
      name = part_;
    }
    fd_ = open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd_ < 0) {
      part_.clear();
      return status_from_errno(errno, name);
    }
    return {};
  }
  int fd() const { return fd_; }
  uint64_t bytes() const {
    struct stat attributes;
    return fstat(fd_, &attributes) == 0 ? static_cast<uint64_t>(attributes.st_size) : 0;
  }
  Status finish() {
    int result = close(std::exchange(fd_, -1));
    if (result != 0) return status_from_errno(errno, path_);
    if (part_.empty()) return {};
    if (rename(part_.c_str(), path_.c_str()) != 0) return status_from_errno(errno, path_);
    part_.clear();
    return {};
  }

 private:
  const std::string path_;
  std::string part_;
  int fd_ = -1;
};

VerbOutcome write_file(ClientContext& context, const VerbRequest& request, TargetFile& file) {
  Status opened = file.open_for_writing();
  if (!opened.ok()) return VerbOutcome::from(opened);
  return context.call(request, file.fd(), {}, true);
}

// With --skip-damaged, which rows are missing lies beside the table where there are any; `damage` then says so.
VerbOutcome export_file(ClientContext& context, const std::string& path, const std::string& target,
                        const std::string& label, VerbOutcome& damage) {
  VerbRequest request = context.request();
  request.args = {path};
  request.options["form"] = {extension_of(target)};
  request.options[kLabel] = {label};
  if (request.has(kSkip)) {
    VerbRequest list = request;
    list.options[kMissing] = {};
    TargetFile missing(target + ".missing.csv");
    VerbOutcome listed = write_file(context, list, missing);
    if (listed.exit_code != 0) return listed;
    if (missing.bytes() > 0) {
      listed = VerbOutcome::from(missing.finish());
      if (listed.exit_code != 0) return listed;
      damage = {1, "rows of " + path + " that cannot be read were left out; " + target + ".missing.csv names them"};
    }
  }
  TargetFile file(target);
  VerbOutcome outcome = write_file(context, request, file);
  if (outcome.exit_code != 0) return outcome;
  return VerbOutcome::from(file.finish());
}

// The names come through a file without a name, so that their number has no limit.
Result<std::vector<std::string>> plan_folder(ClientContext& context, const std::string& path, VerbOutcome* failure) {
  FILE* names = std::tmpfile();
  if (names == nullptr) return status_from_errno(errno, "making a temporary file");
  VerbRequest request = context.request();
  request.args = {path};
  request.options[kPlan] = {};
  *failure = context.call(request, fileno(names), {}, false);
  std::string text;
  std::rewind(names);
  char bytes[1 << 14];
  for (size_t count; (count = std::fread(bytes, 1, sizeof(bytes), names)) > 0;) text.append(bytes, count);
  std::fclose(names);
  std::vector<std::string> list;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\0', at);
    if (end == std::string::npos) break;
    list.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return list;
}

VerbOutcome make_folder(const std::string& folder) {
  if (mkdir(folder.c_str(), 0777) == 0) return {};
  if (errno == EEXIST && std::filesystem::is_directory(folder)) return {};
  return VerbOutcome::from(status_from_errno(errno, folder));
}

// A dataset becomes the files of its columns; a plain folder, or the whole store, a folder with one .arrow for each
// dataset below it.
VerbOutcome export_folder(ClientContext& context, const std::string& path, const std::string& folder) {
  VerbOutcome failure;
  Result<std::vector<std::string>> names = plan_folder(context, path, &failure);
  if (failure.exit_code != 0) return failure;
  if (!names.ok()) return VerbOutcome::from(names.status());
  VerbOutcome outcome = make_folder(folder), damage;
  std::string above = path.ends_with('/') ? path : path + "/";
  for (size_t i = 0; i < names->size() && outcome.exit_code == 0; ++i) {
    char mark = (*names)[i].front();
    std::string name = (*names)[i].substr(1);
    if (mark == kFolderMark) {
      outcome = make_folder(folder + "/" + name);
      continue;
    }
    std::string label = above + name + " (" + std::to_string(i + 1) + " of " + std::to_string(names->size()) + ")";
    std::string target = folder + "/" + name + (mark == kDatasetMark ? ".arrow" : "");
    outcome = export_file(context, above + name, target, label, damage);
  }
  return outcome.exit_code != 0 ? outcome : damage;
}

VerbOutcome client(ClientContext& context) {
  if (context.request().args.size() != 2) return usage_error(export_verb());
  catch_interrupts();
  const std::string& path = context.request().args[0];
  std::string target = context.request().args[1];
  bool is_folder = std::filesystem::is_directory(target) || target.ends_with('/') || extension_of(target).empty();
  while (target.size() > 1 && target.ends_with('/')) target.pop_back();
  if (is_folder) return export_folder(context, path, target);
  VerbOutcome damage;
  VerbOutcome outcome = export_file(context, path, target, path, damage);
  return outcome.exit_code != 0 ? outcome : damage;
}

}  // namespace

const VerbSpec& export_verb() {
  static const VerbSpec spec = {
      .name = "export",
      .usage = "STORE /DATASET[/.versions/N][/COLUMN] OUT   or   STORE /FOLDER OUT",
      .summary = "copy a dataset or a column into files",
      .description =
          "OUT's extension chooses the form: .csv, .jsonl and .arrow hold the whole table. A folder, or a name\n"
          "without extension, gets every file that 'stela ls' lists, and .schema.json. A column goes to a file of its own form\n"
          "(/trips/fare.npy OUT.npy). A plain folder, or / for the whole store, becomes a folder with one .arrow\n"
          "for each dataset and a folder for each folder: 'stela import' takes it back. OUT appears when it is whole.\n"
          "\n"
          "With --skip-damaged a table is written without the rows that cannot be read; OUT.missing.csv names them,\n"
          "column by column, and the exit code is 1.",
      .options = {{"skip-damaged", 0, OptionSpec::Kind::kSwitch, "", "leave out rows that cannot be read"}},
      .args_min = 1,
      .args_max = 2,
      .run = run,
      .client = client};
  return spec;
}

}  // namespace stela::fsd

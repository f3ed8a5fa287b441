#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "fsd/cli/client_context.h"
#include "fsd/cli/output.h"
#include "fsd/cli/progress_line.h"
#include "fsd/cli/tree_walk.h"
#include "fsd/cli/verbs/verbs.h"

namespace stela::fsd {
namespace {

constexpr const char* kPlan = "plan";

std::string extension_of(const std::string& name) {
  std::string base = name.substr(name.rfind('/') + 1);
  size_t dot = base.rfind('.');
  return dot == std::string::npos || dot == 0 ? "" : base.substr(dot);
}

// In the process that holds the store. With "plan": the names to be copied into a folder, NUL between them;
// otherwise the bytes of the file PATH stands for, in the form of the extension.
Status print_plan(TreeWalk& walk, const EntryReply& entry, Output& output) {
  if (entry.attributes.type != FileType::kDirectory) return invalid("a single file is exported to a file");
  STELA_ASSIGN(std::vector<DirectoryEntry> entries, walk.list(entry.node));
  for (const DirectoryEntry& found : entries) {
    if (found.type == FileType::kRegular && !found.name.starts_with('.'))
      output.text(found.name).text(std::string_view("\0", 1));
  }
  return output.flush();
}

Status export_path(const VerbContext& context) {
  std::string path = context.request.args[0];
  TreeWalk walk(context.tree, context.caller);
  STELA_ASSIGN(EntryReply entry, walk.resolve(path));
  Output output(context);
  if (context.request.has(kPlan)) return print_plan(walk, entry, output).with_context(path);
  std::string extension = context.request.value("form");
  if (entry.attributes.type == FileType::kDirectory) {
    path += "/.table" + extension;
    STELA_ASSIGN(entry, walk.resolve(path));
  } else if (extension_of(path) != extension) {
    return invalid(path + " is exported to a file that ends in " + extension_of(path));
  }
  VerbProgress progress{.what = "exporting " + path, .total = entry.attributes.size};
  STELA_TRY(walk.read_file(entry.node, [&](ByteSpan bytes) -> Status {
    STELA_TRY(output.bytes(bytes));
    progress.done += bytes.size();
    if (context.progress && !context.progress(progress)) return Status(Code::kDeadline, "cancelled");
    return {};
  }));
  return output.flush();
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

VerbOutcome export_file(ClientContext& context, const std::string& path, const std::string& target) {
  TargetFile file(target);
  Status opened = file.open_for_writing();
  if (!opened.ok()) return VerbOutcome::from(opened);
  VerbRequest request = context.request();
  request.args = {path};
  request.options["form"] = {extension_of(target)};
  VerbOutcome outcome = context.call(request, file.fd(), {}, true);
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

VerbOutcome export_folder(ClientContext& context, const std::string& path, const std::string& folder) {
  if (mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) return VerbOutcome::from(status_from_errno(errno, folder));
  VerbOutcome failure;
  Result<std::vector<std::string>> names = plan_folder(context, path, &failure);
  if (failure.exit_code != 0) return failure;
  if (!names.ok()) return VerbOutcome::from(names.status());
  for (const std::string& name : *names) {
    VerbOutcome outcome = export_file(context, path + "/" + name, folder + "/" + name);
    if (outcome.exit_code != 0) return outcome;
  }
  return {};
}

VerbOutcome client(ClientContext& context) {
  if (context.request().args.size() != 2) return usage_error(export_verb());
  catch_interrupts();
  const std::string& path = context.request().args[0];
  std::string target = context.request().args[1];
  bool is_folder = std::filesystem::is_directory(target) || target.ends_with('/') || extension_of(target).empty();
  while (target.size() > 1 && target.ends_with('/')) target.pop_back();
  return is_folder ? export_folder(context, path, target) : export_file(context, path, target);
}

}  // namespace

const VerbSpec& export_verb() {
  static const VerbSpec spec = {
      .name = "export",
      .usage = "STORE /DATASET[/.versions/N][/COLUMN] OUT",
      .summary = "copy a dataset or a column into files",
      .description =
          "OUT's extension chooses the form: .csv is the whole table as text. A folder, or a name without\n"
          "extension, gets every file that 'stela ls' lists. A column goes to a file of its own form\n"
          "(/trips/fare.npy OUT.npy). OUT appears when it is whole.",
      .options = {},
      .args_min = 1,
      .args_max = 2,
      .run = run,
      .client = client};
  return spec;
}

}  // namespace stela::fsd

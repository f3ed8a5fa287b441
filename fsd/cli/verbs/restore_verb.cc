#include "fsd/cli/output.h"
#include "fsd/cli/tree_walk.h"
#include "fsd/cli/verbs/verbs.h"

namespace stela::fsd {
namespace {

// The dataset, and before it the folders above it that were removed with it.
Status restore_path(Store& store, const std::string& path, const CommitInfo& info) {
  std::string prefix;
  std::vector<std::string> components = split_path(path);
  std::vector<NodeInfo> folders;
  Status status = components.empty() ? invalid("'/' was not dropped") : Status();
  for (size_t i = 0; i < components.size() && status.ok(); ++i) {
    prefix += "/" + components[i];
    bool last = i + 1 == components.size();
    if (!last && store.lookup(prefix).ok()) continue;
    Result<NodeInfo> node = store.restore_dropped(prefix, info);
    status = node.status().with_context(path);
    if (node.ok() && !last) folders.push_back(*node);
  }
  if (status.ok()) return status;
  for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) {
    (void)store.remove_directory(folder->parent, folder->name, info).ok();  // what failed first is told
  }
  return status;
}

VerbOutcome run(const VerbContext& context) {
  const VerbRequest& request = context.request;
  if (request.has("to")) {
    return {1, "restore --to: going back to an older version comes with a later release; read it now at " +
                   request.args[0] + "/.versions/N"};
  }
  CommitInfo info{.author = author_of(context.caller), .operation = "restore", .message = request.value("message")};
  Status restored = restore_path(context.store, request.args[0], info);
  if (!restored.ok()) return VerbOutcome::from(restored);
  Output output(context);
  output.line(printable(request.args[0]) + " is back");
  return VerbOutcome::from(output.flush());
}

}  // namespace

const VerbSpec& restore_verb() {
  static const VerbSpec spec = {
      .name = "restore",
      .usage = "STORE /DATASET",
      .summary = "bring back a dropped dataset",
      .description =
          "Brings back the dataset that was last known by this path and dropped since, as it was before the\n"
          "run of removals (rm -r) that dropped it, with all its versions.",
      .options = {{"to", 0, OptionSpec::Kind::kValue, "VERSION|TIME|TAG", "an older version (comes later)"},
                  {"message", 'm', OptionSpec::Kind::kValue, "TEXT", "kept with the commit"}},
      .args_min = 1,
      .args_max = 1,
      .run = run};
  return spec;
}

}  // namespace stela::fsd

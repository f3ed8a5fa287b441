#include "fsd/cli/output.h"
#include "fsd/cli/tree_walk.h"
#include "fsd/cli/verbs/dataset_path.h"
#include "fsd/cli/verbs/verbs.h"
#include "snapshots/time_travel.h"

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

// To an older version, as a new commit.
VerbOutcome go_back(const VerbContext& context, const std::string& to, const CommitInfo& info) {
  const std::string& path = context.request.args[0];
  Result<DatasetPath> found = find_dataset(context, path);
  if (!found.ok()) return VerbOutcome::from(found.status());
  if (!found->rest.empty()) return {1, path + " is not a dataset"};
  Result<VersionNumber> version = version_named(context.store, found->table, to);
  if (!version.ok()) return VerbOutcome::from(version.status().with_context(path));
  Result<std::optional<VersionInfo>> restored = found->table.restore(*version, info);
  if (!restored.ok()) return VerbOutcome::from(restored.status().with_context(path));
  std::string what = printable(found->dataset) + " shows version " + std::to_string(version->value);
  if (!restored->has_value()) return {1, what + " already: there is nothing later to undo"};
  Output output(context);
  output.line(what + " again; it is at version " + std::to_string((*restored)->number.value));
  return VerbOutcome::from(output.flush());
}

VerbOutcome run(const VerbContext& context) {
  const VerbRequest& request = context.request;
  CommitInfo info{.author = author_of(context.caller), .operation = "restore", .message = request.value("message")};
  if (request.has("to")) return go_back(context, request.value("to"), info);
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
      .summary = "bring back a dropped dataset, or an older version",
      .description =
          "Brings back the dataset that was last known by this path and dropped since, as it was before the\n"
          "run of removals (rm -r) that dropped it, with all its versions.\n"
          "\n"
          "With --to the dataset shows again what an older version shows: its rows, values, columns and\n"
          "names. That is a new version; the others stay, and restoring the one before undoes it.",
      .options = {{"to", 0, OptionSpec::Kind::kValue, "VERSION|TIME|TAG", "go back to that version"},
                  {"message", 'm', OptionSpec::Kind::kValue, "TEXT", "kept with the commit"}},
      .args_min = 1,
      .args_max = 1,
      .run = run};
  return spec;
}

}  // namespace stela::fsd

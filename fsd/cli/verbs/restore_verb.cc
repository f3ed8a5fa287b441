#include "fsd/cli/output.h"
#include "fsd/cli/verbs/verbs.h"

namespace stela::fsd {
namespace {

VerbOutcome run(const VerbContext& context) {
  const VerbRequest& request = context.request;
  if (request.has("to")) {
    return {1, "restore --to: going back to an older version comes with a later release; read it now at " +
                   request.args[0] + "/.versions/N"};
  }
  CommitInfo info{.author = author_of(context.caller), .operation = "restore", .message = request.value("message")};
  Result<NodeInfo> node = context.store.restore_dropped(request.args[0], info);
  if (!node.ok()) return VerbOutcome::from(node.status());
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

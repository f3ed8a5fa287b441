#include <unistd.h>

#include "fsd/cli/client_context.h"
#include "fsd/cli/output.h"
#include "fsd/cli/tree_walk.h"
#include "fsd/cli/verbs/verbs.h"

namespace stela::fsd {
namespace {

Status copy_file(const VerbContext& context, const std::string& path, Output& output) {
  TreeWalk walk(context.tree, context.caller);
  STELA_ASSIGN(EntryReply entry, walk.resolve(path));
  if (entry.attributes.type == FileType::kDirectory) return Status(Code::kIsDirectory, path + " is a folder");
  // Only the size of a text view costs a pass; without it the progress has no end, that is all.
  VerbProgress progress{.what = "reading " + path, .total = entry.attributes.size};
  return walk.read_file(entry.node, [&](ByteSpan bytes) -> Status {
    STELA_TRY(output.bytes(bytes));
    progress.done += bytes.size();
    if (context.progress && !context.progress(progress)) return Status(Code::kDeadline, "cancelled");
    return {};
  });
}

VerbOutcome run(const VerbContext& context) {
  Output output(context);
  for (const std::string& path : context.request.args) {
    Status status = copy_file(context, path, output);
    if (!status.ok()) return VerbOutcome::from(status);
  }
  return VerbOutcome::from(output.flush());
}

// What is printed to a terminal is not disturbed by a progress line.
VerbOutcome client(ClientContext& context) { return context.call(context.request(), STDOUT_FILENO, {}, false); }

}  // namespace

const VerbSpec& cat_verb() {
  static const VerbSpec spec = {.name = "cat",
                                .usage = "STORE /PATH...",
                                .summary = "print files: columns, tables, schemas",
                                .description =
                                    "Prints files as the mount would give them: /trips/fare.npy, /trips/.table.csv,\n"
                                    "/trips/.versions/3/city.txt.",
                                .options = {},
                                .args_min = 1,
                                .args_max = 4096,
                                .run = run,
                                .client = client};
  return spec;
}

}  // namespace stela::fsd

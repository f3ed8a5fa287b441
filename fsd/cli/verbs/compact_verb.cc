#include "fsd/cli/json_builder.h"
#include "fsd/cli/output.h"
#include "fsd/cli/verbs/verbs.h"

namespace stela::fsd {
namespace {

constexpr size_t kChildrenAtOnce = 1000;

// The dataset, or all below the folder, in the order of their paths.
Result<std::vector<NodeInfo>> datasets_below(const Store& store, const std::string& path) {
  STELA_ASSIGN(NodeInfo top, store.lookup(path));
  std::vector<NodeInfo> waiting{top}, datasets;
  while (!waiting.empty()) {
    NodeInfo node = std::move(waiting.back());
    waiting.pop_back();
    if (node.kind == NodeKind::kDataset) datasets.push_back(node);
    if (node.kind != NodeKind::kFolder) continue;
    std::vector<NodeInfo> inside;
    for (std::string after;; after = inside.back().name) {
      STELA_ASSIGN(std::vector<NodeInfo> some, store.children(node.id, after, kChildrenAtOnce));
      inside.insert(inside.end(), some.begin(), some.end());
      if (some.size() < kChildrenAtOnce) break;
    }
    waiting.insert(waiting.end(), inside.rbegin(), inside.rend());
  }
  return datasets;
}

std::string as_text(const std::string& path, const CompactionReport& report) {
  std::string text = printable(path) + ": " + format_bytes(report.bytes_before);
  if (report.bytes_after == report.bytes_before) return text + ", as small as before";
  return text + " became " + format_bytes(report.bytes_after);
}

VerbOutcome run(const VerbContext& context) {
  const std::string path = context.request.args.empty() ? "/" : context.request.args[0];
  Result<std::vector<NodeInfo>> datasets = datasets_below(context.store, path);
  if (!datasets.ok()) return VerbOutcome::from(datasets.status().with_context(printable(path)));
  const bool json = context.request.has("json");
  Output output(context);
  JsonArray list;
  for (const NodeInfo& dataset : *datasets) {
    const std::string name = context.store.path_of(dataset.id);
    CompactionOptions options{.cold = context.request.has("cold"), .progress = {}};
    if (context.progress) {
      options.progress = [&](uint64_t done, uint64_t total) {
        return context.progress({.what = "compacting " + name, .done = done, .total = total});
      };
    }
    Result<CompactionReport> report = context.store.compact(dataset.id, options);
    if (!report.ok()) return VerbOutcome::from(report.status().with_context(printable(name)));
    if (json) {
      list.add(JsonObject()
                   .text("dataset", name)
                   .number("bytes_before", report->bytes_before)
                   .number("bytes_after", report->bytes_after)
                   .str());
    } else {
      output.line(as_text(name, *report));
    }
  }
  if (json) output.line(JsonObject().json("datasets", list.str()).str());
  return VerbOutcome::from(output.flush());
}

}  // namespace

const VerbSpec& compact_verb() {
  static const VerbSpec spec = {
      .name = "compact",
      .usage = "STORE [/PATH]",
      .summary = "write datasets anew, smaller with --cold",
      .description =
          "Writes what is stored of a dataset, or of all datasets below a folder, anew: in large pages, with\n"
          "the changes that were made in place taken in. No version changes, none is made, and the store may\n"
          "be read and written meanwhile. Prints the bytes before and after.\n"
          "\n"
          "With --cold in the smallest form, which takes longer to write and to read; a column is then no\n"
          "plain file that programs map at full speed, unless that is as small. Without, in the form that new\n"
          "rows get. Rows that are appended later have that form until the next compaction.",
      .options = {{"cold", 0, OptionSpec::Kind::kSwitch, "", "for what is seldom read"},
                  {"json", 0, OptionSpec::Kind::kSwitch, "", "print JSON"}},
      .args_min = 0,
      .args_max = 1,
      .run = run};
  return spec;
}

}  // namespace stela::fsd

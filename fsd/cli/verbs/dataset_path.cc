#include "fsd/cli/verbs/dataset_path.h"

#include <charconv>

#include "fsd/cli/tree_walk.h"
#include "fsd/views/view.h"

namespace stela::fsd {
namespace {

Result<VersionNumber> parse_version(std::string_view text) {
  uint64_t number = 0;
  auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || rest != text.data() + text.size() || number == 0) {
    return invalid("'" + std::string(text) + "' is not a version's number");
  }
  return VersionNumber{number};
}

// ".versions/7", ".versions/latest", ".tags/v1" or ".at/TIME": the tree knows which version a link leads to.
Result<VersionNumber> find_version(const VerbContext& context, const std::string& dataset, const std::string& folder,
                                   const std::string& name) {
  if (folder == ".versions" && name != "latest") return parse_version(name);
  TreeWalk walk(context.tree, context.caller);
  STELA_ASSIGN(EntryReply link, walk.resolve(dataset + "/" + folder + "/" + name, false));
  STELA_ASSIGN(std::string target, context.tree.read_link(link.node));
  std::vector<std::string> components = split_path(target);
  if (components.empty()) return invalid(dataset + "/" + folder + "/" + name + " leads to no version");
  return parse_version(components.back());
}

std::string join(const std::vector<std::string>& components, size_t first) {
  std::string text;
  for (size_t i = first; i < components.size(); ++i) text += (i > first ? "/" : "") + components[i];
  return text;
}

}  // namespace

Result<DatasetPath> find_dataset(const VerbContext& context, std::string_view path) {
  std::vector<std::string> components = split_path(path);
  NodeInfo node;
  node.id = kRootNode;
  node.kind = NodeKind::kFolder;
  std::string walked;
  size_t used = 0;
  while (used < components.size() && node.kind != NodeKind::kDataset) {
    Result<NodeInfo> child = context.store.child(node.id, components[used]);
    if (!child.ok()) {
      // An empty directory has no special folders either.
      return not_found("there is no dataset " + walked + "/" + components[used]);
    }
    node = *child;
    walked += "/" + components[used++];
  }
  if (node.kind == NodeKind::kFolder) return invalid((walked.empty() ? "/" : walked) + " is a folder, not a dataset");
  STELA_ASSIGN(Table table, context.store.table(node.id));
  DatasetPath found{walked, table, {}, {}};
  bool special = used + 1 < components.size() &&
                 (components[used] == ".versions" || components[used] == ".tags" || components[used] == ".at");
  if (special) {
    STELA_ASSIGN(VersionNumber version, find_version(context, walked, components[used], components[used + 1]));
    STELA_ASSIGN(found.snapshot, table.at(version));
    used += 2;
  } else {
    Result<Snapshot> head = table.head();
    if (head.ok()) {
      found.snapshot = *head;
    } else if (head.status().code() != Code::kNotFound) {
      return head.status();
    }
  }
  found.rest = join(components, used);
  return found;
}

Result<std::vector<ColumnInfo>> columns_of(const DatasetPath& found) {
  if (found.rest.empty()) return found.snapshot.columns();
  std::string_view stem = found.rest;
  if (auto view = split_view_name(found.rest)) stem = view->stem;
  STELA_ASSIGN(ColumnInfo column, find_column_by_stem(found.snapshot, stem));
  return std::vector<ColumnInfo>{column};
}

}  // namespace stela::fsd

#include "fsd/tree/store_directory.h"

#include "fsd/tree/content_identity.h"
#include "fsd/tree/context.h"

namespace stela::fsd {

StoreDirectory::StoreDirectory(TreeContext& context, NodeId id)
    : Node(context, node_identity(id)), id_(id), folder_(context, id), dataset_(context, id) {}

std::string StoreDirectory::path() const { return context().path_of(id_); }

Directory* StoreDirectory::directory() {
  auto node = context().store.node(id_);
  bool folder = id_ == kRootNode || (node.ok() && node->kind == NodeKind::kFolder);
  return folder ? static_cast<Directory*>(&folder_) : &dataset_;
}

Result<Node::Shown> StoreDirectory::attributes(bool) {
  STELA_ASSIGN(NodeInfo node, context().store.node(id_));
  STELA_ASSIGN(std::optional<int64_t> set_ns, context().times.find(id_, {}, static_cast<uint64_t>(node.changed_ns)));
  Shown shown;
  Attributes& out = shown.attributes;
  out.inode = id_ == kRootNode ? Tree::kRoot : inode_of(key());
  out.type = FileType::kDirectory;
  out.mode = directory_mode(node.attributes, true);
  // 1: the number of subdirectories is not kept, as on btrfs.
  out.links = node.kind == NodeKind::kDataset ? 2 : 1;
  out.uid = node.attributes.uid;
  out.gid = node.attributes.gid;
  out.mtime_ns = set_ns.value_or(node.changed_ns);
  out.atime_ns = out.mtime_ns;
  out.ctime_ns = node.changed_ns;
  return shown;
}

Status StoreDirectory::set_attributes(const SetAttributes& set, const Caller& caller) {
  STELA_TRY(context().writable());
  STELA_ASSIGN(NodeInfo node, context().store.node(id_));
  NodeAttributes wanted = node.attributes;
  if (set.mode) wanted.mode = *set.mode & 03777u;
  if (set.uid) wanted.uid = *set.uid;
  if (set.gid) wanted.gid = *set.gid;
  bool changes =
      wanted.mode != node.attributes.mode || wanted.uid != node.attributes.uid || wanted.gid != node.attributes.gid;
  if (changes) {
    STELA_TRY(context().store.set_attributes(id_, wanted, context().commit_info(caller)));
    // Files of all its versions show the same mode and owner.
    for (uint64_t number : context().nodes->of_owner(id_)) context().notices.attributes_changed(number);
  }
  if (set.mtime_now || set.mtime_ns) {
    STELA_ASSIGN(node, context().store.node(id_));
    int64_t mtime_ns = set.mtime_now ? context().now_ns() : *set.mtime_ns;
    context().times.set(id_, {}, static_cast<uint64_t>(node.changed_ns), mtime_ns);
  }
  return {};
}

Result<std::string> StoreDirectory::xattr(std::string_view field) {
  auto table = context().store.table(id_);
  auto head = table.ok() ? table->head() : Result<Snapshot>(table.status());
  if (!head.ok()) return Node::xattr(field);
  if (field == "version") return std::to_string(head->version().number.value);
  if (field == "rows") return std::to_string(head->rows());
  return Node::xattr(field);
}

std::vector<std::string> StoreDirectory::xattr_fields() {
  auto table = context().store.table(id_);
  if (!table.ok() || !table->head().ok()) return {};
  return {"rows", "version"};
}

}  // namespace stela::fsd

#include "fsd/tree/content_identity.h"
#include "fsd/tree/context.h"
#include "fsd/tree/control_directory.h"
#include "fsd/tree/store_directory.h"

namespace stela::fsd {

std::string FolderDirectory::child_path(std::string_view name) const {
  std::string path = context_.path_of(id_);
  if (path.empty() || path.back() != '/') path.push_back('/');
  return path + std::string(name);
}

Status FolderDirectory::refusal(std::string_view name) const {
  return invalid(child_path(name) +
                 ": a plain folder holds datasets and folders only: make a dataset with mkdir, "
                 "then copy columns into it or rows into its .append/");
}

Result<NodeRef> FolderDirectory::lookup(std::string_view name, const Caller&) {
  const bool control = id_ == kRootNode && name == kControlName && context_.transaction == nullptr;
  if (control) return NodeRef(std::make_shared<ControlDirectory>(context_));
  auto child = context_.store.child(id_, name);
  if (child.ok()) return NodeRef(std::make_shared<StoreDirectory>(context_, child->id));
  if (child.status().code() != Code::kNotFound) return child.status();
  SideFileRef side = context_.side.find(place_of(node_identity(id_), name));
  if (side != nullptr) return NodeRef(std::move(side));
  return not_found(child_path(name) + " does not exist");
}

Result<std::vector<DirectoryEntry>> FolderDirectory::list() {
  constexpr size_t kPage = 1024;
  std::vector<DirectoryEntry> entries;
  if (id_ == kRootNode && context_.options.list_special && context_.transaction == nullptr) {
    entries.push_back({kControlName, FileType::kDirectory, inode_of(kControlName)});
  }
  std::string after;
  for (;;) {
    STELA_ASSIGN(std::vector<NodeInfo> page, context_.store.children(id_, after, kPage));
    for (const NodeInfo& node : page) {
      entries.push_back({node.name, FileType::kDirectory, inode_of(node_identity(node.id))});
    }
    if (page.size() < kPage) return entries;
    after = page.back().name;
  }
}

Result<NodeRef> FolderDirectory::make_directory(std::string_view name, uint32_t mode, const Caller& caller) {
  if (name.front() == '.') {
    return invalid(child_path(name) + ": names of datasets and folders do not begin with a dot");
  }
  NodeAttributes attributes{mode & 03777u, caller.uid, caller.gid};
  STELA_ASSIGN(NodeInfo node, context_.store.make_directory(id_, name, attributes, context_.commit_info(caller)));
  context_.side.remove(place_of(node_identity(id_), name));
  return NodeRef(std::make_shared<StoreDirectory>(context_, node.id));
}

Status FolderDirectory::remove_file(std::string_view name, const Caller&) {
  if (context_.store.child(id_, name).ok()) return {Code::kIsDirectory, child_path(name) + " is a directory"};
  if (context_.side.remove(place_of(node_identity(id_), name)) != nullptr) return {};
  return not_found(child_path(name) + " does not exist");
}

Status FolderDirectory::remove_directory(std::string_view name, const Caller& caller) {
  if (id_ == kRootNode && name == kControlName) {
    return {Code::kNotPermitted, "/.stela belongs to the mount and cannot be removed"};
  }
  auto child = context_.store.child(id_, name);
  STELA_TRY(context_.store.remove_directory(id_, name, context_.commit_info(caller)));
  bury(child);
  return {};
}

// To the kernel a directory that was removed is dead for ever; when it is restored, it is another one.
void FolderDirectory::bury(const Result<NodeInfo>& removed) {
  if (!removed.ok()) return;
  NodeRef node = context_.nodes->find(context_.nodes->number_of(context_.scope + node_identity(removed->id)));
  if (node != nullptr) context_.nodes->retire(*node);
}

Result<Created> FolderDirectory::create_file(std::string_view name, uint32_t, uint32_t, const Caller&) {
  return refusal(name);
}

Result<Movable> FolderDirectory::movable(std::string_view name, const Caller&) {
  if (id_ == kRootNode && name == kControlName) {
    return Status(Code::kNotPermitted, "/.stela belongs to the mount and cannot be moved");
  }
  STELA_TRY(context_.store.child(id_, name).status());
  return Movable{Movable::Kind::kNode, id_, std::string(name), nullptr};
}

Status FolderDirectory::move_in(const Movable& what, std::string_view new_name, bool keep_existing,
                                const Caller& caller) {
  if (what.kind != Movable::Kind::kNode) return refusal(new_name);
  if (new_name.front() == '.') {
    return invalid(child_path(new_name) + ": names of datasets and folders do not begin with a dot");
  }
  auto existing = context_.store.child(id_, new_name);
  if (keep_existing && existing.ok()) return {Code::kExists, child_path(new_name) + " is there already"};
  Status status = context_.store.rename(what.home, what.name, id_, new_name, context_.commit_info(caller));
  if (status.code() == Code::kExists) return {Code::kNotEmpty, status.message()};
  if (status.ok() && (what.home != id_ || what.name != new_name)) bury(existing);
  return status;
}

}  // namespace stela::fsd

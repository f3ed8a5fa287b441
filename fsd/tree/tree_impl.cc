#include "fsd/tree/tree_impl.h"

#include <algorithm>

#include "fsd/tree/scratch_file.h"
#include "fsd/tree/store_directory.h"
#include "fsd/tree/transactions.h"

namespace stela::fsd {

namespace {
constexpr size_t kNameBytesMax = 255;

// Codes a new name is refused with for good: it keeps the sentence.
bool is_refusal(Code code) {
  return code == Code::kInvalid || code == Code::kUnsupported || code == Code::kNotPermitted;
}
}  // namespace

Result<std::unique_ptr<Tree>> Tree::create(Store& store, TreeOptions options) {
  return create_tree(store, std::move(options), system_processes());
}

Result<std::unique_ptr<Tree>> create_tree(Store& store, TreeOptions options, std::unique_ptr<Processes> processes) {
  return std::unique_ptr<Tree>(std::make_unique<TreeImpl>(store, std::move(options), std::move(processes)));
}

TreeImpl::TreeImpl(Store& store, TreeOptions options, std::unique_ptr<Processes> processes)
    : context_(store, std::move(options), std::move(processes)) {
  context_.own_nodes = std::make_unique<NodeTable>(std::make_shared<StoreDirectory>(context_, kRootNode));
  context_.nodes = context_.own_nodes.get();
}

TreeImpl::~TreeImpl() { shut_down(); }

Result<NodeRef> TreeImpl::find(uint64_t node) const {
  NodeRef found = context_.nodes->find(node);
  if (found != nullptr) found->context().used();
  if (found == nullptr) return Status(Code::kConflict, "node " + std::to_string(node) + " is not known any more");
  return found;
}

Result<TreeImpl::Parent> TreeImpl::find_parent(uint64_t node, std::string_view name) {
  STELA_ASSIGN(NodeRef found, find(node));
  Directory* directory = found->directory();
  if (directory == nullptr) return Status(Code::kNotDirectory, found->path() + " is not a directory");
  STELA_TRY(found->context().usable());
  if (name.empty() || name.find('/') != std::string_view::npos) return invalid("a name is empty or has a slash");
  if (name.size() > kNameBytesMax) {
    Status status(Code::kNameTooLong, "a name of " + std::to_string(name.size()) + " bytes in " + found->path() +
                                          ": names have at most 255");
    found->context().errors.record(found->path(), status, errno_of(status.code()), {found->key()});
    return status;
  }
  return Parent{std::move(found), directory};
}

std::string TreeImpl::path_in(const Parent& parent, std::string_view name) const {
  std::string path = parent.node->path();
  if (path.empty() || path.back() != '/') path.push_back('/');
  return path + std::string(name);
}

Status TreeImpl::failed(const Parent& parent, std::string_view name, Status status, bool path_operation) {
  if (is_look_again(status)) return status;
  if (status.code() == Code::kNotFound && !parent.directory->absence_is_error()) return status;
  parent.node->context().errors.record(path_in(parent, name), status, errno_of(status.code(), path_operation),
                                       {place_of(parent.node->key(), name), parent.node->key()});
  return status;
}

Status TreeImpl::failed_at(const Node& node, Status status) {
  if (is_look_again(status) || status.code() == Code::kBadHandle) return status;
  node.context().errors.record(node.path(), status, errno_of(status.code()), {node.error_place()});
  return status;
}

int64_t TreeImpl::timeout_of(const Node& node, uint64_t parent, std::string_view name) {
  if (node.lifetime() == Lifetime::kForever) return INT64_MAX;
  if (node.lifetime() == Lifetime::kNone) return 0;
  TreeContext& context = node.context();
  if (node.type() == FileType::kDirectory) return context.options.head_timeout_ns;
  return context.notices.grant(node.owner(), parent, name);
}

Result<EntryReply> TreeImpl::enter(uint64_t parent, std::string_view name, NodeRef node) {
  // Asked for before the attributes, so that a commit in between is announced.
  int64_t timeout_ns = timeout_of(*node, parent, name);
  node = keep_transaction(std::move(node));
  uint64_t number = context_.nodes->add(&node);
  auto shown = node->attributes(false);
  if (!shown.ok()) {
    context_.nodes->forget(number, 1);
    return shown.status();
  }
  EntryReply reply{.node = number, .attributes = shown->attributes};
  reply.entry_timeout_ns = timeout_ns;
  reply.attributes_timeout_ns = shown->complete ? timeout_ns : 0;
  return reply;
}

Result<EntryReply> TreeImpl::lookup(uint64_t parent, std::string_view name, const Caller& caller) {
  STELA_ASSIGN(Parent in, find_parent(parent, name));
  auto node = in.directory->lookup(name, caller);
  if (!node.ok()) return failed(in, name, node.status(), true);
  auto reply = enter(parent, name, std::move(*node));
  if (!reply.ok()) return failed(in, name, reply.status(), true);
  return reply;
}

void TreeImpl::forget(uint64_t node, uint64_t lookups) { context_.nodes->forget(node, lookups); }

Result<EntryReply> TreeImpl::make_directory(uint64_t parent, std::string_view name, uint32_t mode,
                                            const Caller& caller) {
  STELA_ASSIGN(Parent in, find_parent(parent, name));
  if (Status writable = context_.writable(); !writable.ok()) return failed(in, name, writable, true);
  auto node = in.directory->make_directory(name, mode, caller);
  if (!node.ok()) return failed(in, name, node.status(), true);
  return enter(parent, name, std::move(*node));
}

Status TreeImpl::remove_file(uint64_t parent, std::string_view name, const Caller& caller) {
  STELA_ASSIGN(Parent in, find_parent(parent, name));
  if (Status writable = context_.writable(); !writable.ok()) return failed(in, name, writable, true);
  Status status = in.directory->remove_file(name, caller);
  if (!status.ok()) return failed(in, name, status, true);
  in.node->context().errors.clear(place_of(in.node->key(), name));
  return status;
}

Status TreeImpl::remove_directory(uint64_t parent, std::string_view name, const Caller& caller) {
  STELA_ASSIGN(Parent in, find_parent(parent, name));
  if (Status writable = context_.writable(); !writable.ok()) return failed(in, name, writable, true);
  Status status = in.directory->remove_directory(name, caller);
  return status.ok() ? status : failed(in, name, status, true);
}

Result<EntryReply> TreeImpl::make_symlink(uint64_t parent, std::string_view name, std::string_view target,
                                          const Caller& caller) {
  STELA_ASSIGN(Parent in, find_parent(parent, name));
  if (Status writable = context_.writable(); !writable.ok()) return failed(in, name, writable, true);
  auto node = in.directory->make_symlink(name, target, caller);
  if (!node.ok()) {
    keep_refused(in, name, node.status(), caller);
    return failed(in, name, node.status(), true);
  }
  return enter(parent, name, std::move(*node));
}

Status TreeImpl::rename(uint64_t parent, std::string_view name, uint64_t new_parent, std::string_view new_name,
                        uint32_t flags, const Caller& caller) {
  constexpr uint32_t kNoReplace = 1;  // RENAME_NOREPLACE
  STELA_ASSIGN(Parent from, find_parent(parent, name));
  STELA_ASSIGN(Parent to, find_parent(new_parent, new_name));
  if (Status writable = context_.writable(); !writable.ok()) return failed(to, new_name, writable, true);
  auto move = [&]() -> Status {
    if ((flags & ~kNoReplace) != 0) return invalid("names are renamed one at a time: exchanging two is not possible");
    if (&from.node->context() != &to.node->context()) {
      return {Code::kCrossDataset, path_in(to, new_name) +
                                       ": between a transaction and what is outside of it files are "
                                       "copied, not moved"};
    }
    STELA_ASSIGN(Movable what, from.directory->movable(name, caller));
    return to.directory->move_in(what, new_name, (flags & kNoReplace) != 0, caller);
  };
  Status status = move();
  if (status.ok()) return status;
  if (parent != new_parent || name != new_name) (void)failed(from, name, status, true);
  return failed(to, new_name, status, true);
}

void TreeImpl::keep_refused(const Parent& parent, std::string_view name, const Status& status, const Caller& caller) {
  std::string place = place_of(parent.node->key(), name);
  if (!parent.directory->keeps_refused_names()) return;
  TreeContext& context = parent.node->context();
  if (!is_refusal(status.code()) || parent.node->owner().value == 0 || context.side.find(place) != nullptr) return;
  context.side.put(place, std::make_shared<RefusedName>(context, place, path_in(parent, name), status, caller),
                   context.options.error_keep_ns);
}

void TreeImpl::heads_moved() {
  for (NodeId dataset : context_.notices.watched()) context_.head_moved(dataset);
  context_.notices.drain(kDrainNs);
}

Result<FilesystemStatistics> TreeImpl::statistics() {
  FilesystemStatistics out;
  STELA_ASSIGN(uint64_t free_bytes, context_.store.env().files().free_space());
  StoreCounters counters = context_.store.counters();
  out.blocks_free = out.blocks_available = free_bytes / out.block_bytes;
  out.blocks = out.blocks_free + (counters.data_bytes + counters.log_bytes_since_checkpoint) / out.block_bytes;
  out.files = 1u << 31;
  out.files_free = out.files - std::min<uint64_t>(out.files, context_.nodes->size());
  return out;
}

void TreeImpl::shut_down() {
  std::vector<std::shared_ptr<OpenedFile>> open;
  {
    std::lock_guard lock(handles_mutex_);
    if (down_) return;
    down_ = true;
    for (auto& [handle, file] : files_) open.push_back(file);
  }
  for (auto& file : open) {
    Status dropped = file->file->abandon();
    if (!dropped.ok()) file->node->context().note(file->node->path(), dropped, file->node->error_place());
  }
  context_.transactions->end_all();
  context_.notices.stop();
}

}  // namespace stela::fsd

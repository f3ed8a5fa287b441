// TreeImpl: open files and directories.
#include "fsd/tree/transactions.h"
#include "fsd/tree/tree_impl.h"

namespace stela::fsd {

Result<std::shared_ptr<TreeImpl::OpenedFile>> TreeImpl::find_file(uint64_t handle) const {
  std::lock_guard lock(handles_mutex_);
  auto found = files_.find(handle);
  if (found == files_.end()) return Status(Code::kBadHandle, "the file is not open");
  found->second->node->context().used();
  return found->second;
}

OpenReply TreeImpl::add_file(NodeRef node, std::unique_ptr<OpenFile> file) {
  OpenReply reply = file->describe();
  auto opened = std::make_shared<OpenedFile>(OpenedFile{std::move(node), std::move(file)});
  std::lock_guard lock(handles_mutex_);
  reply.handle = next_handle_++;
  files_[reply.handle] = std::move(opened);
  return reply;
}

Result<std::pair<EntryReply, OpenReply>> TreeImpl::create_file(uint64_t parent, std::string_view name, uint32_t mode,
                                                               uint32_t flags, const Caller& caller) {
  STELA_ASSIGN(Parent in, find_parent(parent, name));
  if (Status writable = context_.writable(); !writable.ok()) return failed(in, name, writable, false);
  auto created = in.directory->create_file(name, mode, flags, caller);
  if (!created.ok()) {
    keep_refused(in, name, created.status(), caller);
    return failed(in, name, created.status(), false);
  }
  in.node->context().errors.clear(place_of(in.node->key(), name));
  created->node = keep_transaction(std::move(created->node));
  auto entry = enter(parent, name, created->node);
  if (!entry.ok()) return failed(in, name, entry.status(), false);
  return std::make_pair(*entry, add_file(created->node, std::move(created->file)));
}

Result<OpenReply> TreeImpl::open(uint64_t node, uint32_t flags, const Caller& caller) {
  STELA_ASSIGN(NodeRef found, find(node));
  STELA_TRY(found->context().usable());
  if (is_writable_open(flags) && found->lifetime() != Lifetime::kForever) {
    if (Status writable = context_.writable(); !writable.ok()) return failed_at(*found, writable);
  }
  auto file = found->open(flags, caller);
  if (is_look_again(file.status())) found->repeat_expected(caller);
  if (!file.ok()) return failed_at(*found, file.status());
  return add_file(std::move(found), std::move(*file));
}

Result<size_t> TreeImpl::read(uint64_t handle, uint64_t offset, MutableByteSpan into) {
  STELA_ASSIGN(std::shared_ptr<OpenedFile> opened, find_file(handle));
  auto count = opened->file->read(offset, into);
  if (!count.ok()) return failed_at(*opened->node, count.status());
  return count;
}

Result<size_t> TreeImpl::write(uint64_t handle, uint64_t offset, ByteSpan bytes, const Caller& caller) {
  STELA_ASSIGN(std::shared_ptr<OpenedFile> opened, find_file(handle));
  auto count = opened->file->write(offset, bytes, caller);
  // Its folder says it too: a drop box is where people look.
  if (!count.ok()) opened->node->context().note(opened->node->path(), count.status(), opened->node->error_place());
  return count;
}

bool TreeImpl::flush_is_quick(uint64_t handle) {
  auto opened = find_file(handle);
  return !opened.ok() || (*opened)->file->flush_is_quick();
}

// Open files note their own failures: a second flush repeats the errno without another line in the log.
Status TreeImpl::flush(uint64_t handle, const Caller& caller) {
  STELA_ASSIGN(std::shared_ptr<OpenedFile> opened, find_file(handle));
  Status status = opened->file->flush(caller);
  context_.notices.drain(kDrainNs);
  return status;
}

Status TreeImpl::fsync(uint64_t handle, const Caller& caller) {
  STELA_ASSIGN(std::shared_ptr<OpenedFile> opened, find_file(handle));
  Status status = opened->file->fsync(caller);
  context_.notices.drain(kDrainNs);
  return status;
}

void TreeImpl::release(uint64_t handle) {
  std::shared_ptr<OpenedFile> opened;
  {
    std::lock_guard lock(handles_mutex_);
    auto found = files_.find(handle);
    if (found == files_.end()) return;
    opened = std::move(found->second);
    files_.erase(found);
  }
  // Its failure is noted; nobody is left to be told.
  (void)opened->file->release();
}

Result<uint64_t> TreeImpl::open_directory(uint64_t node, const Caller&) {
  STELA_ASSIGN(NodeRef found, find(node));
  Directory* directory = found->directory();
  if (directory == nullptr) return Status(Code::kNotDirectory, found->path() + " is not a directory");
  auto entries = directory->list();
  if (!entries.ok()) return failed_at(*found, entries.status());
  auto opened = std::make_shared<OpenedDirectory>(OpenedDirectory{node, std::move(*entries)});
  for (size_t at = 0; at < opened->entries.size(); at++) opened->entries[at].cookie = at + 1;
  std::lock_guard lock(handles_mutex_);
  uint64_t handle = next_handle_++;
  directories_[handle] = std::move(opened);
  return handle;
}

Status TreeImpl::read_directory(uint64_t handle, uint64_t cookie,
                                const std::function<bool(const DirectoryEntry&)>& visit) {
  std::shared_ptr<OpenedDirectory> opened;
  {
    std::lock_guard lock(handles_mutex_);
    auto found = directories_.find(handle);
    if (found == directories_.end()) return {Code::kBadHandle, "the directory is not open"};
    opened = found->second;
  }
  for (uint64_t at = cookie; at < opened->entries.size(); at++) {
    if (!visit(opened->entries[at])) break;
  }
  return {};
}

Result<std::optional<EntryReply>> TreeImpl::lookup_entry(uint64_t handle, const DirectoryEntry& entry,
                                                         const Caller& caller) {
  uint64_t parent = 0;
  {
    std::lock_guard lock(handles_mutex_);
    auto found = directories_.find(handle);
    if (found == directories_.end()) return Status(Code::kBadHandle, "the directory is not open");
    parent = found->second->node;
  }
  STELA_ASSIGN(Parent in, find_parent(parent, entry.name));
  STELA_ASSIGN(NodeRef node, in.directory->lookup(entry.name, caller));
  STELA_ASSIGN(Node::Shown shown, node->attributes(false));
  if (!shown.complete) return std::optional<EntryReply>();
  STELA_ASSIGN(EntryReply reply, enter(parent, entry.name, std::move(node)));
  return std::optional<EntryReply>(reply);
}

void TreeImpl::release_directory(uint64_t handle) {
  std::lock_guard lock(handles_mutex_);
  directories_.erase(handle);
}

}  // namespace stela::fsd

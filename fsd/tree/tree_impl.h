// TreeImpl: numbers to nodes and handles, the part of every call that all kinds of node share, and the record
// of what failed. What a node does is in its own file.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "fsd/tree/context.h"
#include "fsd/tree/tree.h"

namespace stela::fsd {

// As Tree::create, with what tests replace.
Result<std::unique_ptr<Tree>> create_tree(Store& store, TreeOptions options, std::unique_ptr<Processes> processes);

class TreeImpl : public Tree {
 public:
  TreeImpl(Store& store, TreeOptions options, std::unique_ptr<Processes> processes);
  ~TreeImpl() override;

  void set_observer(TreeObserver* observer) override { context_.notices.set_observer(observer); }
  void heads_moved() override;
  Result<EntryReply> lookup(uint64_t parent, std::string_view name, const Caller& caller) override;
  void forget(uint64_t node, uint64_t lookups) override;
  Result<AttributesReply> get_attributes(uint64_t node, uint64_t handle, const Caller& caller) override;
  Result<AttributesReply> set_attributes(uint64_t node, uint64_t handle, const SetAttributes& set,
                                         const Caller& caller) override;
  Result<std::string> read_link(uint64_t node) override;
  Result<EntryReply> make_directory(uint64_t parent, std::string_view name, uint32_t mode,
                                    const Caller& caller) override;
  Status remove_file(uint64_t parent, std::string_view name, const Caller& caller) override;
  Status remove_directory(uint64_t parent, std::string_view name, const Caller& caller) override;
  Result<EntryReply> make_symlink(uint64_t parent, std::string_view name, std::string_view target,
                                  const Caller& caller) override;
  Status rename(uint64_t parent, std::string_view name, uint64_t new_parent, std::string_view new_name, uint32_t flags,
                const Caller& caller) override;
  Result<std::pair<EntryReply, OpenReply>> create_file(uint64_t parent, std::string_view name, uint32_t mode,
                                                       uint32_t flags, const Caller& caller) override;
  Result<OpenReply> open(uint64_t node, uint32_t flags, const Caller& caller) override;
  Result<size_t> read(uint64_t handle, uint64_t offset, MutableByteSpan into) override;
  Result<size_t> write(uint64_t handle, uint64_t offset, ByteSpan bytes, const Caller& caller) override;
  bool flush_is_quick(uint64_t handle) override;
  Status flush(uint64_t handle, const Caller& caller) override;
  Status fsync(uint64_t handle, const Caller& caller) override;
  void release(uint64_t handle) override;
  Result<uint64_t> open_directory(uint64_t node, const Caller& caller) override;
  Status read_directory(uint64_t handle, uint64_t cookie,
                        const std::function<bool(const DirectoryEntry&)>& visit) override;
  Result<std::optional<EntryReply>> lookup_entry(uint64_t handle, const DirectoryEntry& entry,
                                                 const Caller& caller) override;
  void release_directory(uint64_t handle) override;
  Result<FilesystemStatistics> statistics() override;
  Result<std::string> get_xattr(uint64_t node, std::string_view name, const Caller& caller) override;
  Result<std::vector<std::string>> list_xattrs(uint64_t node) override;
  Status set_xattr(uint64_t node, std::string_view name, ByteSpan value, const Caller& caller) override;
  Status remove_xattr(uint64_t node, std::string_view name, const Caller& caller) override;
  Status access(uint64_t node, uint32_t mask, const Caller& caller) override;
  void shut_down() override;
  std::string recent_errors() const override { return context_.errors.ndjson(); }

 private:
  static constexpr int64_t kDrainNs = 100'000'000;  // how long an answer waits for what must be announced
  struct OpenedFile {
    NodeRef node;
    std::unique_ptr<OpenFile> file;
  };
  struct OpenedDirectory {
    uint64_t node = 0;
    std::vector<DirectoryEntry> entries;
  };
  struct Parent {
    NodeRef node;
    Directory* directory = nullptr;
  };
  Result<NodeRef> find(uint64_t node) const;
  Result<Parent> find_parent(uint64_t node, std::string_view name);
  Result<std::shared_ptr<OpenedFile>> find_file(uint64_t handle) const;
  OpenReply add_file(NodeRef node, std::unique_ptr<OpenFile> file);
  // Counts a lookup. `compute`: sizes may cost a pass.
  Result<EntryReply> enter(uint64_t parent, std::string_view name, NodeRef node);
  int64_t timeout_of(const Node& node, uint64_t parent, std::string_view name);
  // Keeps the sentence of a failure under a name, and returns it.
  Status failed(const Parent& parent, std::string_view name, Status status, bool path_operation);
  Status failed_at(const Node& node, Status status);
  void keep_refused(const Parent& parent, std::string_view name, const Status& status, const Caller& caller);
  std::string path_in(const Parent& parent, std::string_view name) const;

  TreeContext context_;
  mutable std::mutex handles_mutex_;
  std::unordered_map<uint64_t, std::shared_ptr<OpenedFile>> files_;
  std::unordered_map<uint64_t, std::shared_ptr<OpenedDirectory>> directories_;
  uint64_t next_handle_ = 1;
  bool down_ = false;
};

}  // namespace stela::fsd

// The mount tree without a mount: nodes, names, handles, drafts, errors. The libfuse adapter translates
// kernel requests into these calls one to one; `stela ls`, `cat` and `stat` walk it directly.
//
// Node ids are the tree's own (never st_ino), counted by lookups as the FUSE protocol does: every
// EntryReply adds one, forget() takes them away. Thread-safe; no lock is held while a reply is given or
// I/O is done. Every error is a Status; where it failed it is kept for `user.stela.error` (error_log.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/store/store.h"

namespace stela::fsd {

struct Caller {
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t pid = 0;  // of the thread; 0 = the kernel itself (writeback)
  uint32_t umask = 022;
};

enum class FileType : uint8_t { kRegular, kDirectory, kSymlink };

struct Attributes {
  uint64_t inode = 0;  // st_ino: stands for content
  FileType type = FileType::kRegular;
  uint32_t mode = 0;  // permission bits
  uint32_t links = 1;
  uint32_t uid = 0, gid = 0;
  uint64_t size = 0;
  uint64_t blocks = 0;  // of 512 bytes
  int64_t atime_ns = 0, mtime_ns = 0, ctime_ns = 0;
};

struct EntryReply {
  uint64_t node = 0;
  uint64_t generation = 0;
  Attributes attributes;
  int64_t entry_timeout_ns = 0;  // INT64_MAX = for ever
  int64_t attributes_timeout_ns = 0;
};
struct AttributesReply {
  Attributes attributes;
  int64_t timeout_ns = 0;
};

enum class Serving : uint8_t {
  kKeepCache,    // the kernel keeps the pages: content of this node never changes
  kDirect,       // no page cache
  kPassthrough,  // the kernel reads `backing_fd` itself
};
struct OpenReply {
  uint64_t handle = 0;
  Serving serving = Serving::kKeepCache;
  int backing_fd = -1;       // owned by the handle, valid until release()
  uint64_t backing_key = 0;  // equal keys = the same backing file (one registration serves all)
};

struct SetAttributes {
  std::optional<uint32_t> mode, uid, gid;
  std::optional<uint64_t> size;
  std::optional<int64_t> atime_ns, mtime_ns;
  bool atime_now = false, mtime_now = false;
};

struct DirectoryEntry {
  std::string name;
  FileType type = FileType::kRegular;
  uint64_t inode = 0;
  uint64_t cookie = 0;  // pass to read_directory to go on after it
};

struct FilesystemStatistics {
  uint64_t block_bytes = 4096, blocks = 0, blocks_free = 0, blocks_available = 0, files = 0, files_free = 0;
};

// Told when entries or attributes the kernel may have cached change. Called from one thread of the tree
// that holds no lock.
class TreeObserver {
 public:
  virtual ~TreeObserver() = default;
  virtual void entry_changed(uint64_t parent_node, const std::string& name) = 0;
  virtual void attributes_changed(uint64_t node) = 0;
};

struct TreeOptions {
  bool read_only = false;
  bool list_special = false;  // -o special=listed
  bool passthrough = true;    // may hand out backing descriptors
  bool direct_mmap = false;   // kernel has DIRECT_IO_ALLOW_MMAP
  uint64_t drafts_bytes_max = 16ull << 30;
  uint32_t drafts_max = 4096;
  uint64_t scratch_bytes_max = 1ull << 30;
  uint32_t receipts_max = 4096;
  int64_t verify_wait_ns = 200'000'000;
  int64_t head_timeout_ns = 1'000'000'000;          // entry and attribute timeouts at the head
  int64_t error_keep_ns = 60'000'000'000;           // refused names keep their sentence this long
  int64_t transaction_idle_ns = 3'600'000'000'000;  // a transaction nobody uses is given up after this
  std::string daemon_log;                           // where errors are appended as text too; "" = stderr of the daemon
  std::string version;                              // program version shown in .stela/version
  std::function<std::string()> config_json;         // contents of .stela/config.json
  std::string earlier_errors;                       // errors.ndjson begins with these
};

class Tree {
 public:
  static constexpr uint64_t kRoot = 1;
  static Result<std::unique_ptr<Tree>> create(Store& store, TreeOptions options);
  virtual ~Tree() = default;
  virtual void set_observer(TreeObserver* observer) = 0;
  // After commits that were made beside the tree (control socket): names the kernel may hold are announced to
  // the observer, and have been when this returns (within 100 ms).
  virtual void heads_moved() {}

  virtual Result<EntryReply> lookup(uint64_t parent, std::string_view name, const Caller& caller) = 0;
  virtual void forget(uint64_t node, uint64_t lookups) = 0;
  // `handle` 0 = none; fstat of a draft shows the draft.
  virtual Result<AttributesReply> get_attributes(uint64_t node, uint64_t handle, const Caller& caller) = 0;
  virtual Result<AttributesReply> set_attributes(uint64_t node, uint64_t handle, const SetAttributes& set,
                                                 const Caller& caller) = 0;
  virtual Result<std::string> read_link(uint64_t node) = 0;
  virtual Result<EntryReply> make_directory(uint64_t parent, std::string_view name, uint32_t mode, const Caller&) = 0;
  virtual Status remove_file(uint64_t parent, std::string_view name, const Caller& caller) = 0;
  virtual Status remove_directory(uint64_t parent, std::string_view name, const Caller& caller) = 0;
  virtual Result<EntryReply> make_symlink(uint64_t parent, std::string_view name, std::string_view target,
                                          const Caller& caller) = 0;
  // flags: RENAME_NOREPLACE; RENAME_EXCHANGE is kInvalid.
  virtual Status rename(uint64_t parent, std::string_view name, uint64_t new_parent, std::string_view new_name,
                        uint32_t flags, const Caller& caller) = 0;
  // flags as open(2).
  virtual Result<std::pair<EntryReply, OpenReply>> create_file(uint64_t parent, std::string_view name, uint32_t mode,
                                                               uint32_t flags, const Caller& caller) = 0;
  // kConflict (ESTALE) once for a writable open of a node that readers share: the kernel looks the name up
  // again and gets a fresh node (FUSE.md).
  virtual Result<OpenReply> open(uint64_t node, uint32_t flags, const Caller& caller) = 0;
  virtual Result<size_t> read(uint64_t handle, uint64_t offset, MutableByteSpan into) = 0;
  virtual Result<size_t> write(uint64_t handle, uint64_t offset, ByteSpan bytes, const Caller& caller) = 0;
  // close() of one descriptor; its Status is what close() returns.
  // Whether flush() and fsync() of the handle take about as long as one sync, rather than an import.
  virtual bool flush_is_quick(uint64_t handle) = 0;
  virtual Status flush(uint64_t handle, const Caller& caller) = 0;
  virtual Status fsync(uint64_t handle, const Caller& caller) = 0;
  virtual void release(uint64_t handle) = 0;
  virtual Result<uint64_t> open_directory(uint64_t node, const Caller& caller) = 0;
  // Entries after `cookie` (0 = from the start), until `visit` returns false. A directory handle lists one
  // consistent state.
  virtual Status read_directory(uint64_t handle, uint64_t cookie,
                                const std::function<bool(const DirectoryEntry&)>& visit) = 0;
  // As lookup, for readdirplus; nullopt when the attributes would cost a pass (then only the name is given).
  virtual Result<std::optional<EntryReply>> lookup_entry(uint64_t handle, const DirectoryEntry& entry,
                                                         const Caller& caller) = 0;
  virtual void release_directory(uint64_t handle) = 0;
  virtual Result<FilesystemStatistics> statistics() = 0;
  virtual Result<std::string> get_xattr(uint64_t node, std::string_view name, const Caller& caller) = 0;
  virtual Result<std::vector<std::string>> list_xattrs(uint64_t node) = 0;
  virtual Status set_xattr(uint64_t node, std::string_view name, ByteSpan value, const Caller& caller) = 0;
  virtual Status remove_xattr(uint64_t node, std::string_view name, const Caller& caller) = 0;
  virtual Status access(uint64_t node, uint32_t mask, const Caller& caller) = 0;

  // Ends: drops drafts that were neither closed nor synced, each noted in errors.ndjson. Waits for commits
  // that already began.
  virtual void shut_down() = 0;
  // What errors.ndjson shows.
  virtual std::string recent_errors() const = 0;
};

}  // namespace stela::fsd

// Node, Directory and OpenFile: what every kind of file in the tree implements.
//
// A Node is one thing the kernel may know by number. Nodes with a key are shared: everybody who looks the
// same content up gets the same node. Nodes without one are private to whoever looked them up (drafts).
// Implementations are thread-safe and hold no lock while they call the store.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fsd/tree/tree.h"

namespace stela::fsd {

struct TreeContext;
class Directory;
class SideFile;

// One open file description. Thread-safe.
class OpenFile {
 public:
  virtual ~OpenFile() = default;
  // `handle` is filled in by the tree.
  virtual OpenReply describe() const { return {}; }
  virtual Result<size_t> read(uint64_t offset, MutableByteSpan into);
  virtual Result<size_t> write(uint64_t offset, ByteSpan bytes, const Caller& caller);
  // flush() and fsync() take no longer than a sync.
  virtual bool flush_is_quick() const { return true; }
  virtual Status flush(const Caller&) { return {}; }
  virtual Status fsync(const Caller&) { return {}; }
  // The last descriptor is gone. A failure can only be noted.
  virtual Status release() { return {}; }
  // The mount ends: what was neither closed nor synced is dropped. Not ok: something was, and what.
  virtual Status abandon() { return {}; }
};

// How long the kernel may believe what a lookup said.
enum class Lifetime : uint8_t {
  kNone,     // ask each time
  kHead,     // until the dataset's next commit: a short timeout, ended early by a notice
  kForever,  // inside a version
};

class Node : public std::enable_shared_from_this<Node> {
 public:
  Node(TreeContext& context, std::string key) : context_(context), key_(std::move(key)) {}
  virtual ~Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  TreeContext& context() const { return context_; }
  // "" = private. Within its context: a transaction's nodes are none of those outside of it.
  const std::string& key() const { return key_; }
  virtual FileType type() const = 0;
  // As a person would name it: "/trips/fare.npy".
  virtual std::string path() const = 0;
  // The dataset or folder whose owner and mode it shows.
  virtual NodeId owner() const { return {}; }
  virtual Lifetime lifetime() const { return Lifetime::kNone; }
  // Where errors about it are kept (error_log.h); "" = nowhere.
  virtual std::string error_place() const { return key_; }

  struct Shown {
    Attributes attributes;
    bool complete = true;  // false: the size would cost a pass over values and is not stated
  };
  virtual Result<Shown> attributes(bool may_compute) = 0;
  virtual Status set_attributes(const SetAttributes& set, const Caller& caller);
  virtual Result<std::string> read_link();
  virtual Result<std::unique_ptr<OpenFile>> open(uint32_t flags, const Caller& caller);
  // open() answered look_again(): the kernel looks up the name it has now, which a rename may have changed.
  virtual void repeat_expected(const Caller&) {}
  // What follows "user.stela.": kNotFound when it has none.
  virtual Result<std::string> xattr(std::string_view field);
  virtual std::vector<std::string> xattr_fields() { return {}; }
  virtual Directory* directory() { return nullptr; }

 private:
  TreeContext& context_;
  const std::string key_;
};
using NodeRef = std::shared_ptr<Node>;

// Something on its way from one name to another.
struct Movable {
  enum class Kind : uint8_t { kNode, kColumn, kTag, kSideFile };
  Kind kind = Kind::kNode;
  NodeId home;       // kNode: the folder it is in; else its dataset
  std::string name;  // the file name
  std::shared_ptr<SideFile> side;
};

struct Created {
  NodeRef node;
  std::unique_ptr<OpenFile> file;
};

// What a directory can do. Everything that changes it is refused unless overridden.
class Directory {
 public:
  virtual ~Directory() = default;
  virtual Result<NodeRef> lookup(std::string_view name, const Caller& caller) = 0;
  // Without cookies, in the order users see.
  virtual Result<std::vector<DirectoryEntry>> list() = 0;
  // A name that is not there is worth a line in errors.ndjson (".versions/99").
  virtual bool absence_is_error() const { return false; }
  // A name that could not be made stays, unlisted, and says why when it is opened.
  virtual bool keeps_refused_names() const { return true; }

  virtual Result<NodeRef> make_directory(std::string_view name, uint32_t mode, const Caller& caller);
  virtual Status remove_file(std::string_view name, const Caller& caller);
  virtual Status remove_directory(std::string_view name, const Caller& caller);
  virtual Result<NodeRef> make_symlink(std::string_view name, std::string_view target, const Caller& caller);
  virtual Result<Created> create_file(std::string_view name, uint32_t mode, uint32_t flags, const Caller& caller);
  // A rename is movable() of the old directory, then move_in() of the new one.
  virtual Result<Movable> movable(std::string_view name, const Caller& caller);
  virtual Status move_in(const Movable& what, std::string_view new_name, bool keep_existing, const Caller& caller);

 protected:
  // Why nothing may be changed here.
  virtual Status refusal(std::string_view name) const = 0;
};

// The status of an open that must be repeated after a fresh lookup (FUSE.md, "Modes of one inode"). It is
// no failure: nobody is told.
Status look_again();
bool is_look_again(const Status& status);

bool is_writable_open(uint32_t flags);

}  // namespace stela::fsd

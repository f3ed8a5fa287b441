#include "fsd/tree/transaction_file.h"

#include <mutex>

#include "fsd/tree/content_identity.h"
#include "fsd/tree/dataset_place.h"
#include "fsd/tree/open_view.h"
#include "fsd/tree/transactions.h"

namespace stela::fsd {
namespace {

constexpr size_t kMessageBytesMax = 64 << 10;

// The message of a commit on its way: a line, or what there is at the close.
class OpenCommit : public OpenFile {
 public:
  explicit OpenCommit(TransactionTree& transaction) : transaction_(transaction) {}
  OpenReply describe() const override { return {.serving = Serving::kDirect}; }
  bool flush_is_quick() const override { return true; }

  Result<size_t> write(uint64_t, ByteSpan bytes, const Caller& caller) override {
    std::lock_guard lock(mutex_);
    if (committed_) return invalid(path() + ": the line before this one committed the transaction: it is over");
    if (message_.size() + bytes.size() > kMessageBytesMax) {
      return Status(Code::kLimit, path() + ": the message of a commit has at most 64 KiB");
    }
    message_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (message_.ends_with('\n')) STELA_TRY(commit_locked(caller));
    return bytes.size();
  }

  Status flush(const Caller& caller) override {
    std::lock_guard lock(mutex_);
    if (committed_ || message_.empty()) return {};
    if (transaction_.inside().processes->state(caller.pid).killed) return {};
    Status status = commit_locked(caller);
    if (!status.ok()) transaction_.inside().note(path(), status, place());
    return status;
  }

 private:
  std::string path() const { return transaction_.path_of(transaction_.dataset()) + "/.commit"; }
  std::string place() const { return place_of(node_identity(transaction_.dataset()), ".commit"); }
  // A failed one may be tried again, with a message of its own.
  Status commit_locked(const Caller& caller) {
    std::string message = std::move(message_);
    message_.clear();
    while (message.ends_with('\n')) message.pop_back();
    STELA_TRY(transaction_.commit(std::move(message), caller));
    committed_ = true;
    return {};
  }

  TransactionTree& transaction_;
  std::mutex mutex_;
  std::string message_;
  bool committed_ = false;
};

class TransactionFile : public Node {
 public:
  TransactionFile(TreeContext& inside, std::string name, uint32_t mode)
      : Node(inside, "transaction/" + name), name_(std::move(name)), mode_(mode) {}
  FileType type() const override { return FileType::kRegular; }
  std::string path() const override { return transaction().path_of(transaction().dataset()) + "/" + name_; }
  NodeId owner() const override { return transaction().dataset(); }
  std::string error_place() const override { return place_of(node_identity(transaction().dataset()), name_); }

  Result<Shown> attributes(bool) override {
    STELA_ASSIGN(NodeInfo node, context().store.node(transaction().dataset()));
    Shown shown;
    Attributes& out = shown.attributes;
    out.inode = inode_of(context().scope + key());
    out.mode = file_mode(node.attributes, true) & mode_;
    out.uid = node.attributes.uid;
    out.gid = node.attributes.gid;
    out.atime_ns = out.mtime_ns = out.ctime_ns = context().started_ns;
    return shown;
  }

 protected:
  TransactionTree& transaction() const { return *context().transaction; }

 private:
  const std::string name_;
  const uint32_t mode_;
};

class CommitFile : public TransactionFile {
 public:
  explicit CommitFile(TreeContext& inside) : TransactionFile(inside, ".commit", 0222) {}
  // `>` empties it first, touch sets its time: there is nothing to change.
  Status set_attributes(const SetAttributes& set, const Caller& caller) override {
    bool empties = (!set.size || *set.size == 0) && !set.mode && !set.uid && !set.gid;
    return empties ? Status() : Node::set_attributes(set, caller);
  }
  Result<std::unique_ptr<OpenFile>> open(uint32_t flags, const Caller&) override {
    if (!is_writable_open(flags)) {
      return Status(Code::kNotPermitted, path() + ": write the message of the commit to it; .check has the verdict");
    }
    return std::unique_ptr<OpenFile>(std::make_unique<OpenCommit>(transaction()));
  }
};

class CheckFile : public TransactionFile {
 public:
  explicit CheckFile(TreeContext& inside) : TransactionFile(inside, ".check", 0444) {}
  Result<std::unique_ptr<OpenFile>> open(uint32_t flags, const Caller&) override {
    if (is_writable_open(flags)) {
      return Status(Code::kNotPermitted, path() + " can only be read; write the message to .commit");
    }
    return std::unique_ptr<OpenFile>(std::make_unique<OpenText>(transaction().verdict() + "\n"));
  }
};

}  // namespace

NodeRef transaction_file(TreeContext& inside, std::string_view name) {
  if (name == ".commit") return std::make_shared<CommitFile>(inside);
  if (name == ".check") return std::make_shared<CheckFile>(inside);
  return nullptr;
}

}  // namespace stela::fsd

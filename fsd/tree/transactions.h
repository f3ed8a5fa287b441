// Transactions: what lies under .tx/NAME of a dataset and .stela/tx/NAME of the mount: a part of the tree over a branch
// of the store. They live in memory and end with the mount.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fsd/tree/context.h"

namespace stela::fsd {

// One of them. Whoever holds a node or handle of it holds it too (keep_transaction), also after it ended: what was
// opened can be read on. Thread-safe.
class TransactionTree : public std::enable_shared_from_this<TransactionTree> {
 public:
  // `dataset`: kRootNode for one that spans all.
  TransactionTree(TreeContext& outer, std::unique_ptr<Transaction> transaction, NodeId dataset, std::string name,
                  uint64_t id);

  TreeContext& inside() { return inside_; }
  NodeId dataset() const { return dataset_; }
  const std::string& name() const { return name_; }
  // Of a node of the store as it lies in the transaction.
  std::string path_of(NodeId node) const;
  uint64_t changes() const { return transaction_->changes(); }

  // The sentence of what commit() would refuse with, or "ok".
  std::string verdict() const;
  // All of it, or kConflict and nothing. kConflict too when it has ended.
  Status commit(std::string message, const Caller& caller);
  // Without a commit. `why` is what later calls are told.
  void give_up(const std::string& why);
  // Ok while it goes on; then kNotFound, and why.
  Status ended() const;

  void used(int64_t monotonic_ns) { used_ns_ = monotonic_ns; }
  int64_t used_ns() const { return used_ns_; }

 private:
  void end(const std::string& why);
  // Times that were set inside belong to the content that was committed.
  void keep_times(const std::vector<std::pair<NodeId, VersionInfo>>& versions);

  TreeContext& outer_;
  const std::unique_ptr<Transaction> transaction_;
  const NodeId dataset_;
  const std::string name_;
  std::atomic<int64_t> used_ns_;
  mutable std::mutex mutex_;
  std::string ended_;
  TreeContext inside_;
};
using TransactionRef = std::shared_ptr<TransactionTree>;

// The node; one of a transaction keeps that as long as somebody has it.
NodeRef keep_transaction(NodeRef node);

// Those that go on. Thread-safe.
class Transactions {
 public:
  static constexpr size_t kTransactionsMax = 256;

  explicit Transactions(TreeContext& outer) : outer_(outer) {}
  // kExists; kInvalid: no name for one; kLimit: too many.
  Result<TransactionRef> begin(NodeId dataset, std::string_view name);
  // Null: there is none of that name.
  TransactionRef find(NodeId dataset, std::string_view name) const;
  std::vector<std::string> names(NodeId dataset) const;
  size_t size() const;
  void forget(const TransactionTree& transaction);
  // Gives up those that nobody used for `transaction_idle`, and says so.
  void end_idle();
  // The mount ends: all are given up, which is said of those that have changes.
  void end_all();

 private:
  using Key = std::pair<uint64_t, std::string>;  // dataset, name
  std::vector<TransactionRef> all() const;

  TreeContext& outer_;
  mutable std::mutex mutex_;
  std::map<Key, TransactionRef> open_;
  uint64_t next_id_ = 1;
};

}  // namespace stela::fsd

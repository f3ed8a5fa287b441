#include "fsd/tree/transactions.h"

#include "fsd/tree/content_identity.h"
#include "fsd/tree/json_text.h"

namespace stela::fsd {

namespace {
std::string lost_text(uint64_t changes) {
  if (changes == 1) return "its 1 change is not committed";
  return "its " + std::to_string(changes) + " changes are not committed";
}
}  // namespace

TransactionTree::TransactionTree(TreeContext& outer, std::unique_ptr<Transaction> transaction, NodeId dataset,
                                 std::string name, uint64_t id)
    : outer_(outer),
      transaction_(std::move(transaction)),
      dataset_(dataset),
      name_(std::move(name)),
      used_ns_(outer.store.env().clock().monotonic_ns()),
      inside_(outer, transaction_->store(), *this, "x" + std::to_string(id) + "/") {}

std::string TransactionTree::path_of(NodeId node) const {
  if (dataset_ != kRootNode) return outer_.path_of(dataset_) + "/.tx/" + name_;
  std::string path = "/.stela/tx/" + name_;
  return node == kRootNode ? path : path + transaction_->store().path_of(node);
}

std::string TransactionTree::verdict() const {
  if (Status over = ended(); !over.ok()) return over.message();
  Status status = transaction_->check();
  return status.ok() ? "ok" : status.message();
}

Status TransactionTree::ended() const {
  std::lock_guard lock(mutex_);
  return ended_.empty() ? Status() : not_found(ended_);
}

void TransactionTree::end(const std::string& why) {
  std::string sentence = path_of(dataset_) + ": " + why;
  {
    std::lock_guard lock(mutex_);
    if (ended_.empty()) ended_ = std::move(sentence);
  }
  outer_.transactions->forget(*this);
}

namespace {
// When the column last changed, as of a version (0: the newest); nullopt: it is not there.
std::optional<Sequence> change_of(Store& store, NodeId dataset, VersionNumber version, ColumnId id) {
  auto table = store.table(dataset);
  if (!table.ok()) return std::nullopt;
  auto at = version.value == 0 ? table->head() : table->at(version);
  auto columns = at.ok() ? at->columns() : Result<std::vector<ColumnInfo>>(at.status());
  if (!columns.ok()) return std::nullopt;
  for (const ColumnInfo& column : *columns) {
    if (column.id == id) return column.change;
  }
  return std::nullopt;
}
}  // namespace

void TransactionTree::keep_times(const std::vector<std::pair<NodeId, VersionInfo>>& versions) {
  std::map<NodeId, VersionNumber> committed;
  for (const auto& [dataset, version] : versions) committed[dataset] = version.number;
  for (const ContentTimes::Time& set : inside_.times.unsaved()) {
    std::optional<Sequence> inside = change_of(inside_.store, set.owner, {}, set.column);
    if (!inside || inside->value != set.change) continue;  // it was changed again
    std::optional<Sequence> outside = change_of(outer_.store, set.owner, committed[set.owner], set.column);
    if (outside) outer_.times.set(set.owner, set.column, outside->value, set.mtime_ns, set.part);
  }
}

Status TransactionTree::commit(std::string message, const Caller& caller) {
  if (Status over = ended(); !over.ok()) return {Code::kConflict, over.message()};
  CommitInfo info = outer_.commit_info(caller);
  info.message = std::move(message);
  auto versions = transaction_->commit(info);
  if (!versions.ok()) return versions.status().with_context(path_of(dataset_));
  end("the transaction was committed at " + utc_text(outer_.now_ns()) + "; begin another");
  keep_times(*versions);
  for (const auto& [dataset, version] : *versions) outer_.head_moved(dataset);
  for (const auto& [folder, name] : transaction_->names()) {
    uint64_t known = outer_.nodes->number_of(node_identity(folder));
    if (known != 0) outer_.notices.entry_changed(known, name);
  }
  constexpr int64_t kDrainNs = 100'000'000;
  outer_.notices.drain(kDrainNs);
  return {};
}

void TransactionTree::give_up(const std::string& why) {
  transaction_->give_up({Code::kConflict, why});
  end(why);
}

NodeRef keep_transaction(NodeRef node) {
  TransactionTree* transaction = node->context().transaction;
  if (transaction == nullptr) return node;
  struct Kept {
    TransactionRef transaction;
    NodeRef node;  // goes first
  };
  auto kept = std::make_shared<Kept>(Kept{transaction->shared_from_this(), std::move(node)});
  Node* raw = kept->node.get();
  return NodeRef(std::move(kept), raw);
}

Result<TransactionRef> Transactions::begin(NodeId dataset, std::string_view name) {
  if (name.empty() || name.front() == '.') return invalid("names of transactions do not begin with a dot");
  {
    std::lock_guard lock(mutex_);
    if (open_.contains(Key{dataset.value, name})) return Status(Code::kExists, "there is a transaction of that name");
    if (open_.size() >= kTransactionsMax) {
      return Status(Code::kLimit, "there are " + std::to_string(kTransactionsMax) +
                                      " transactions already: commit some, or give them up with rmdir");
    }
  }
  STELA_ASSIGN(auto transaction, outer_.store.begin());
  std::unique_lock lock(mutex_);
  uint64_t id = next_id_++;
  lock.unlock();
  auto begun = std::make_shared<TransactionTree>(outer_, std::move(transaction), dataset, std::string(name), id);
  lock.lock();
  if (!open_.try_emplace(Key{dataset.value, name}, begun).second) {
    return Status(Code::kExists, "there is a transaction of that name");
  }
  return begun;
}

TransactionRef Transactions::find(NodeId dataset, std::string_view name) const {
  std::lock_guard lock(mutex_);
  auto found = open_.find(Key{dataset.value, name});
  return found == open_.end() ? nullptr : found->second;
}

std::vector<std::string> Transactions::names(NodeId dataset) const {
  std::vector<std::string> names;
  std::lock_guard lock(mutex_);
  for (auto at = open_.lower_bound(Key{dataset.value, ""}); at != open_.end() && at->first.first == dataset.value;
       ++at) {
    names.push_back(at->first.second);
  }
  return names;
}

size_t Transactions::size() const {
  std::lock_guard lock(mutex_);
  return open_.size();
}

void Transactions::forget(const TransactionTree& transaction) {
  TransactionRef last;  // destroyed after the lock is gone
  std::lock_guard lock(mutex_);
  auto found = open_.find(Key{transaction.dataset().value, transaction.name()});
  if (found == open_.end() || found->second.get() != &transaction) return;
  last = std::move(found->second);
  open_.erase(found);
}

std::vector<TransactionRef> Transactions::all() const {
  std::vector<TransactionRef> all;
  std::lock_guard lock(mutex_);
  for (const auto& [key, transaction] : open_) all.push_back(transaction);
  return all;
}

void Transactions::end_idle() {
  int64_t now = outer_.store.env().clock().monotonic_ns();
  for (const TransactionRef& each : all()) {
    if (now - each->used_ns() < outer_.options.transaction_idle_ns) continue;
    std::string path = each->path_of(each->dataset());
    std::string why = "nobody used the transaction for " +
                      std::to_string(outer_.options.transaction_idle_ns / 1'000'000'000) +
                      " s (transaction_idle), so it was given up: " + lost_text(each->changes());
    each->give_up(why);
    outer_.note(path, {Code::kConflict, why});
  }
}

void Transactions::end_all() {
  for (const TransactionRef& each : all()) {
    std::string path = each->path_of(each->dataset());
    uint64_t changes = each->changes();
    std::string why = "the transaction ended with the mount: " + lost_text(changes);
    each->give_up(why);
    if (changes > 0) outer_.note(path, {Code::kConflict, why});
  }
}

}  // namespace stela::fsd

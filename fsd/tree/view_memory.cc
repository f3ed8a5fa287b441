#include "fsd/tree/view_memory.h"

#include "engine/catalog/keys.h"

namespace stela::fsd {

ViewFacts ViewMemory::find(const std::string& identity) {
  std::lock_guard lock(mutex_);
  auto found = known_.find(identity);
  if (found == known_.end()) return {};
  order_.splice(order_.begin(), order_, found->second);
  return found->second->facts;
}

void ViewMemory::learn(const std::string& identity, const ViewFacts& facts) {
  std::lock_guard lock(mutex_);
  auto found = known_.find(identity);
  if (found == known_.end()) {
    order_.push_front({identity, {}});
    found = known_.emplace(identity, order_.begin()).first;
  }
  ViewFacts& known = found->second->facts;
  if (facts.size) known.size = facts.size;
  if (facts.stored_bytes) known.stored_bytes = facts.stored_bytes;
  if (facts.has_nulls) known.has_nulls = facts.has_nulls;
  if (known_.size() > kFactsMax) {
    known_.erase(order_.back().identity);
    order_.pop_back();
  }
}

namespace {
std::string times_key(NodeId owner, ColumnId column, uint64_t change, ContentPart part) {
  std::string rest(1, static_cast<char>(part));
  put_ordered(rest, column.value);
  put_ordered(rest, change);
  return catalog::key(owner, catalog::KeyKind::kViewInfo, rest);
}
}  // namespace

Result<std::optional<int64_t>> ContentTimes::find(NodeId owner, ColumnId column, uint64_t change, ContentPart part) {
  std::string key = times_key(owner, column, change, part);
  {
    std::lock_guard lock(mutex_);
    auto found = known_.find(key);
    if (found != known_.end()) return found->second;
  }
  std::string value;
  Status status = store_.get(key, &value);
  std::optional<int64_t> mtime_ns;
  if (status.ok()) {
    Decoder in(std::string_view{value});
    int64_t stored = 0;
    if (in.fixed(&stored)) mtime_ns = stored;
  } else if (status.code() != Code::kNotFound) {
    return status;
  }
  std::lock_guard lock(mutex_);
  if (known_.size() >= kTimesMax) known_.clear();
  for (const auto& [unsaved, time] : unsaved_) known_.emplace(unsaved, time.mtime_ns);
  return known_.emplace(key, mtime_ns).first->second;
}

void ContentTimes::set(NodeId owner, ColumnId column, uint64_t change, int64_t mtime_ns, ContentPart part) {
  std::string key = times_key(owner, column, change, part);
  std::lock_guard lock(mutex_);
  known_[key] = mtime_ns;
  unsaved_[key] = {owner, column, change, part, mtime_ns};
}

std::vector<ContentTimes::Time> ContentTimes::unsaved() const {
  std::lock_guard lock(mutex_);
  std::vector<Time> times;
  for (const auto& [key, time] : unsaved_) times.push_back(time);
  return times;
}

Status ContentTimes::persist() {
  std::map<std::string, Time> saving;
  {
    std::lock_guard lock(mutex_);
    saving.swap(unsaved_);
  }
  if (saving.empty()) return {};
  auto result = store_.commit({.author = "stela", .operation = "times"}, [&](CommitBuilder& commit) -> Status {
    for (const auto& [key, time] : saving) {
      std::string value;
      put_fixed(value, time.mtime_ns);
      commit.put(key, value);
    }
    return {};
  });
  return result.ok() ? Status() : result.status();
}

Result<VersionInfo> ChangeVersions::find(const Table& table, const VersionInfo& newest, Sequence change) {
  if (change >= newest.sequence) return newest;
  std::pair<uint64_t, uint64_t> key{table.id().value, change.value};
  {
    std::lock_guard lock(mutex_);
    auto found = known_.find(key);
    if (found != known_.end()) return found->second;
  }
  uint64_t low = 1, high = newest.number.value;  // the answer is in [low, high)
  STELA_ASSIGN(VersionInfo best, table.version(VersionNumber(low)));
  while (low + 1 < high) {
    uint64_t middle = low + (high - low) / 2;
    STELA_ASSIGN(VersionInfo version, table.version(VersionNumber(middle)));
    if (version.sequence <= change) {
      low = middle;
      best = std::move(version);
    } else {
      high = middle;
    }
  }
  std::lock_guard lock(mutex_);
  if (known_.size() >= kVersionsMax) known_.clear();
  known_.emplace(key, best);
  return best;
}

}  // namespace stela::fsd

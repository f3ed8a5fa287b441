// What the parts of a store share.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "engine/io/env.h"
#include "engine/store/file_table.h"
#include "engine/store/options.h"
#include "engine/store/state.h"

namespace stela::store {

// Closed by the first failed sync or log write, for as long as the store is open. Thread-safe.
class ReadOnlyLatch {
 public:
  void close(std::string reason) {
    std::lock_guard lock(mutex_);
    if (!reason_) reason_ = std::move(reason);
  }
  std::optional<std::string> reason() const {
    std::lock_guard lock(mutex_);
    return reason_;
  }
  // Ok, or kReadOnly with the reason.
  Status check() const {
    auto why = reason();
    return why ? Status(Code::kReadOnly, *why) : Status();
  }

 private:
  mutable std::mutex mutex_;
  std::optional<std::string> reason_;
};

// Column ids and groups given to columns in preparation, so that two writers never use one id: files name
// columns by it before they are committed. What is not committed is given again after a restart, when the
// files that bore it are gone. Thread-safe.
class ColumnIds {
 public:
  // `columns` consecutive ids and one group, none below what the dataset's entry has as next.
  std::pair<ColumnId, GroupId> reserve(NodeId dataset, ColumnId next_column, GroupId next_group, uint64_t columns) {
    std::lock_guard lock(mutex_);
    auto& [column, group] = next_[dataset];
    ColumnId first = std::max(column, next_column);
    GroupId given = std::max(group, next_group);
    column = ColumnId{first.value + columns};
    group = GroupId{given.value + 1};
    return {first, given};
  }

 private:
  std::mutex mutex_;
  std::unordered_map<NodeId, std::pair<ColumnId, GroupId>> next_;
};

struct AtomicCounters {
  std::atomic<uint64_t> commits{0}, groups{0}, log_bytes{0}, flushes{0}, merges{0}, folds{0}, files_removed{0},
      commit_waits{0};
  std::atomic<uint64_t> data_files{0}, data_bytes{0};
};

struct Core {
  std::shared_ptr<Env> env;
  StoreOptions options;
  uint64_t store_id = 0;
  std::shared_ptr<catalog::BlockCache> cache;
  std::unique_ptr<FileTable> files;
  StateHolder states;
  ReadOnlyLatch latch;
  ColumnIds column_ids;
  AtomicCounters counters;

  format::FragmentOptions fragment_options() const;
  // Passes the status of making files durable on. A failed one closes the latch: what the system said of
  // other files in the same folders cannot be relied on either, and no later sync makes up for it.
  Status durable(const Status& status);
};

}  // namespace stela::store

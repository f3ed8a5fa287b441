// What the parts of a store share.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "engine/io/env.h"
#include "engine/store/file_table.h"
#include "engine/store/options.h"
#include "engine/store/state.h"

namespace stela::store {

// Closed by the first failed sync or log write, for as long as the store is open. Thread-safe.
class ReadOnlyLatch {
 public:
  void close(const std::string& reason) {
    std::lock_guard lock(mutex_);
    if (!reason_) reason_ = reason;
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

struct AtomicCounters {
  std::atomic<uint64_t> commits{0}, groups{0}, log_bytes{0}, flushes{0}, merges{0}, files_removed{0}, commit_waits{0};
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
  AtomicCounters counters;

  format::FragmentOptions fragment_options() const;
};

}  // namespace stela::store

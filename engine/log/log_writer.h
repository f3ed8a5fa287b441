// LogWriter: puts groups one behind the other. One group is in flight at a time.
#pragma once

#include <string_view>

#include "engine/log/log_format.h"

namespace stela::log {

// Where a log ends: what the next opening needs in order to go on, or a manifest to begin replay.
struct LogTail {
  uint64_t position = 0;  // first position no group has taken
  Link last;
  Epoch epoch;
  bool operator==(const LogTail&) const = default;
};

// One thread at a time. After any error the writer must not be used again: the store turns read-only.
class LogWriter {
 public:
  LogWriter(LogDevice& device, uint64_t store_id, const LogTail& tail)
      : device_(device), store_id_(store_id), tail_(tail) {}

  // The largest payload a group may have.
  uint64_t payload_bytes_max() const { return device_.segment_bytes() - kGroupHeaderBytes; }
  // The segment a group of this payload would go into.
  uint64_t segment_for(uint64_t payload_bytes) const;
  // Writes and syncs one group; durable when it returns ok. The segment must be prepared.
  Status append(GroupKind kind, std::string_view payload);
  // Writes the group that opens `epoch`.
  Status begin_epoch(const Epoch& epoch);
  const LogTail& tail() const { return tail_; }

 private:
  uint64_t position_for(uint64_t payload_bytes) const;
  LogDevice& device_;
  uint64_t store_id_;
  LogTail tail_;
};

}  // namespace stela::log

// Replay of the log from a known link to its end, and the proof that the end is the end.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "engine/log/log_writer.h"

namespace stela::log {

struct ReplayResult {
  LogTail tail;
  uint64_t groups = 0;
  // Set when a valid group of this or a later epoch lies beyond the first invalid one: what was
  // acknowledged is damaged. A sentence with the position of the gap.
  std::optional<std::string> damage;
};

// Reads groups from `from` and hands the records of each commit group to `record`, in order. An error
// of `record` or of the device ends it. A group that is not valid at its position is the end of the log.
// Memory: one segment.
Result<ReplayResult> replay(LogDevice& device, uint64_t store_id, const LogTail& from,
                            const std::function<Status(std::string_view record)>& record);

}  // namespace stela::log

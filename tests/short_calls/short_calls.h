// Reads and writes of files that move fewer bytes than they were asked to, or are interrupted, as POSIX allows, in a
// binary that links short_calls.cc.
#pragma once

#include <cstdint>

namespace stela {

struct ShortCalls {
  uint64_t short_reads = 0;
  uint64_t short_writes = 0;
  uint64_t interrupted = 0;
};

// From here on one call of three moves a part only (one byte or more), and one of eight is interrupted (EINTR).
void shorten_calls(uint64_t seed);
// No longer; what was shortened.
ShortCalls stop_shortening_calls();

}  // namespace stela

// The arithmetic that every LogDevice shares: alignment, segment numbers, and which segments are free.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/status.h"
#include "engine/io/env.h"

namespace stela {

inline constexpr uint64_t kSegmentBytesMax = uint64_t{1} << 30;

// kInvalid unless a positive multiple of kLogBlock, at most 1 GiB.
inline Status check_segment_bytes(uint64_t segment_bytes) {
  if (segment_bytes > 0 && segment_bytes % kLogBlock == 0 && segment_bytes <= kSegmentBytesMax) return {};
  return invalid("a log segment of " + std::to_string(segment_bytes) +
                 " bytes is impossible: it must be a multiple of " + std::to_string(kLogBlock) + " up to " +
                 std::to_string(kSegmentBytesMax));
}

// kInvalid unless [position, position + size) is whole blocks and does not overflow.
inline Status check_log_range(uint64_t position, uint64_t size) {
  if (position % kLogBlock == 0 && size % kLogBlock == 0 && size <= UINT64_MAX - position) return {};
  return invalid("log range at " + std::to_string(position) + " of " + std::to_string(size) +
                 " bytes is not whole blocks of " + std::to_string(kLogBlock) + " bytes");
}

// The same, and within one segment.
inline Status check_append_range(uint64_t segment_bytes, uint64_t position, uint64_t size) {
  STELA_TRY(check_log_range(position, size));
  if (size <= segment_bytes - position % segment_bytes) return {};
  return invalid("log group at " + std::to_string(position) + " of " + std::to_string(size) +
                 " bytes does not fit its segment of " + std::to_string(segment_bytes) + " bytes");
}

// The first segment that does not lie wholly below `position`.
inline uint64_t first_live_segment(uint64_t segment_bytes, uint64_t position) { return position / segment_bytes; }

inline Status segment_missing(uint64_t segment) {
  return not_found("log segment " + std::to_string(segment) + " does not exist");
}
inline Status segment_released(uint64_t segment) {
  return invalid("log segment " + std::to_string(segment) + " was released and takes no more groups");
}
inline Status segment_number_too_large(uint64_t segment) {
  return invalid("log segment " + std::to_string(segment) + " is beyond the end of what positions can name");
}
inline bool segment_addressable(uint64_t segment_bytes, uint64_t segment) {
  return segment < UINT64_MAX / segment_bytes;
}

}  // namespace stela

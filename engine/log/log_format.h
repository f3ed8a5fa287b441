// Groups: the unit of the log. Byte layout: log_format.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/coding.h"
#include "engine/io/env.h"

namespace stela::log {

// One opening of a store. The random half keeps user data in old blocks from imitating a header.
struct Epoch {
  uint64_t counter = 0;
  uint64_t random = 0;
  bool operator==(const Epoch&) const = default;
};

enum class GroupKind : uint16_t {
  kCommits = 1,  // payload: records, each with its length before it
  kEpoch = 2,    // first group of an opening; payload: the epoch before it
};

// What ties a group to the one before it.
struct Link {
  uint64_t position = 0;
  uint32_t crc = 0;  // both 0 before the first group ever
  bool operator==(const Link&) const = default;
};

struct GroupHeader {
  GroupKind kind = GroupKind::kCommits;
  Epoch epoch;
  uint64_t position = 0;
  uint32_t payload_bytes = 0;
  Link previous;
};

inline constexpr uint32_t kGroupHeaderBytes = 64;

constexpr uint64_t padded_group_bytes(uint64_t payload_bytes) {
  return (kGroupHeaderBytes + payload_bytes + kLogBlock - 1) / kLogBlock * kLogBlock;
}

// Header, payload and padding to whole blocks. `crc` gets the group's checksum, for the next one's link.
Buffer encode_group(uint64_t store_id, const GroupHeader& header, std::string_view payload, uint32_t* crc);

// The header in `block` if it could be one at `position`: magic, version, position and length within the
// segment are right. Its checksum is not known yet.
std::optional<GroupHeader> peek_group(ByteSpan block, uint64_t position, uint64_t segment_bytes);
// Is the checksum over header and payload right? False too when `group` is shorter than both.
bool check_group(uint64_t store_id, ByteSpan group, const GroupHeader& header, uint32_t* crc);

}  // namespace stela::log

#include "engine/log/log_format.h"

#include <cstddef>

#include "engine/base/canary.h"

namespace stela::log {

namespace {
constexpr uint32_t kMagic = 0x31474c53;  // "SLG1"
constexpr uint16_t kVersion = 1;

struct RawHeader {
  uint32_t magic;
  uint16_t version;
  uint16_t kind;
  uint64_t epoch_counter;
  uint64_t epoch_random;
  uint64_t position;
  uint64_t previous_position;
  uint32_t previous_crc;
  uint32_t payload_bytes;
  uint64_t reserved;
  uint32_t reserved2;
  uint32_t crc;  // over the store id, the header with crc = 0, and the payload
};
static_assert(sizeof(RawHeader) == kGroupHeaderBytes);

uint32_t group_crc(uint64_t store_id, RawHeader raw, ByteSpan payload) {
  raw.crc = 0;
  uint32_t crc = crc32c(ByteSpan(reinterpret_cast<const std::byte*>(&store_id), sizeof(store_id)));
  crc = crc32c(ByteSpan(reinterpret_cast<const std::byte*>(&raw), sizeof(raw)), crc);
  return crc32c(payload, crc);
}
}  // namespace

Buffer encode_group(uint64_t store_id, const GroupHeader& header, std::string_view payload, uint32_t* crc) {
  RawHeader raw{};
  raw.magic = kMagic;
  raw.version = kVersion;
  raw.kind = static_cast<uint16_t>(header.kind);
  raw.epoch_counter = header.epoch.counter;
  raw.epoch_random = header.epoch.random;
  raw.position = header.position;
  raw.previous_position = header.previous.position;
  raw.previous_crc = header.previous.crc;
  raw.payload_bytes = static_cast<uint32_t>(payload.size());
  raw.crc = group_crc(store_id, raw, as_bytes(payload));
  *crc = raw.crc;
  Buffer out;
  out.reserve(padded_group_bytes(payload.size()));
  out.append_value(raw);
  out.append(as_bytes(payload));
  out.append_zeros(padded_group_bytes(payload.size()) - out.size());
  return out;
}

std::optional<GroupHeader> peek_group(ByteSpan block, uint64_t position, uint64_t segment_bytes) {
  if (block.size() < kGroupHeaderBytes) return std::nullopt;
  auto raw = get_fixed<RawHeader>(block.data());
  if (raw.magic != kMagic || raw.version != kVersion || raw.position != position) return std::nullopt;
  if (raw.kind != static_cast<uint16_t>(GroupKind::kCommits) && raw.kind != static_cast<uint16_t>(GroupKind::kEpoch)) {
    return std::nullopt;
  }
  if (padded_group_bytes(raw.payload_bytes) > segment_bytes - position % segment_bytes) return std::nullopt;
  return GroupHeader{static_cast<GroupKind>(raw.kind),
                     {raw.epoch_counter, raw.epoch_random},
                     raw.position,
                     raw.payload_bytes,
                     {raw.previous_position, raw.previous_crc}};
}

bool check_group(uint64_t store_id, ByteSpan group, const GroupHeader& header, uint32_t* crc) {
  if (group.size() < kGroupHeaderBytes + uint64_t{header.payload_bytes}) return false;
  auto raw = get_fixed<RawHeader>(group.data());
  const uint32_t right = group_crc(store_id, raw, group.subspan(kGroupHeaderBytes, header.payload_bytes));
  if (raw.crc != right && !planted(Canary::kSkipLogChecksum)) return false;
  *crc = raw.crc;
  return true;
}

}  // namespace stela::log

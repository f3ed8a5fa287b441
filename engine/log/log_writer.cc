#include "engine/log/log_writer.h"

namespace stela::log {

uint64_t LogWriter::position_for(uint64_t payload_bytes) const {
  uint64_t segment = device_.segment_bytes();
  uint64_t left = segment - tail_.position % segment;
  if (padded_group_bytes(payload_bytes) <= left) return tail_.position;
  return tail_.position + left;
}

uint64_t LogWriter::segment_for(uint64_t payload_bytes) const {
  return position_for(payload_bytes) / device_.segment_bytes();
}

Status LogWriter::append(GroupKind kind, std::string_view payload) {
  STELA_CHECK(payload.size() <= payload_bytes_max(), std::to_string(payload.size()));
  GroupHeader header;
  header.kind = kind;
  header.epoch = tail_.epoch;
  header.position = position_for(payload.size());
  header.previous = tail_.last;
  uint32_t crc = 0;
  Buffer group = encode_group(store_id_, header, payload, &crc);
  STELA_TRY(device_.append(header.position, group.span()));
  STELA_TRY(device_.sync());
  tail_.position = header.position + group.size();
  tail_.last = {header.position, crc};
  return {};
}

Status LogWriter::begin_epoch(const Epoch& epoch) {
  std::string payload;
  put_fixed(payload, tail_.epoch.counter);
  put_fixed(payload, tail_.epoch.random);
  tail_.epoch = epoch;
  return append(GroupKind::kEpoch, payload);
}

}  // namespace stela::log

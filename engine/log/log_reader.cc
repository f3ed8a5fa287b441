#include "engine/log/log_reader.h"

#include <algorithm>

namespace stela::log {

namespace {

// One segment in memory at a time.
class SegmentCache {
 public:
  explicit SegmentCache(LogDevice& device) : device_(device) {}

  // The bytes from `position` to the end of its segment; empty when the segment does not exist.
  Result<ByteSpan> from(uint64_t position) {
    uint64_t size = device_.segment_bytes();
    uint64_t segment = position / size;
    if (!loaded_ || segment != segment_) {
      loaded_ = false;
      bytes_.resize(size);
      Status status = device_.read(segment * size, bytes_.span());
      if (status.code() == Code::kNotFound) return ByteSpan{};
      STELA_TRY(status);
      segment_ = segment;
      loaded_ = true;
    }
    return ByteSpan(bytes_.span()).subspan(position % size);
  }

 private:
  LogDevice& device_;
  Buffer bytes_;
  uint64_t segment_ = 0;
  bool loaded_ = false;
};

struct FoundGroup {
  GroupHeader header;
  uint32_t crc = 0;
  std::string_view payload;  // valid until the cache loads another segment
};

Result<std::optional<FoundGroup>> group_at(SegmentCache& cache, uint64_t store_id, uint64_t position,
                                           uint64_t segment_bytes) {
  STELA_ASSIGN(ByteSpan bytes, cache.from(position));
  auto header = peek_group(bytes, position, segment_bytes);
  if (!header) return std::optional<FoundGroup>{};
  FoundGroup found{*header, 0, {}};
  if (!check_group(store_id, bytes, *header, &found.crc)) return std::optional<FoundGroup>{};
  found.payload = as_text(bytes.subspan(kGroupHeaderBytes, header->payload_bytes));
  return std::optional(found);
}

// Does `found` continue the log that ends with `tail`?
bool continues(const LogTail& tail, const FoundGroup& found) {
  if (!(found.header.previous == tail.last)) return false;
  if (found.header.kind == GroupKind::kCommits) return found.header.epoch == tail.epoch;
  Decoder in(found.payload);
  Epoch before;
  if (!in.fixed(&before.counter) || !in.fixed(&before.random)) return false;
  return before == tail.epoch && found.header.epoch.counter > tail.epoch.counter;
}

// The group that follows `tail`, at its position or, when it did not fit, at the next segment's start.
Result<std::optional<FoundGroup>> next_group(SegmentCache& cache, uint64_t store_id, const LogTail& tail,
                                             uint64_t segment_bytes) {
  STELA_ASSIGN(auto found, group_at(cache, store_id, tail.position, segment_bytes));
  if (found && continues(tail, *found)) return found;
  if (tail.position % segment_bytes == 0) return std::optional<FoundGroup>{};
  uint64_t next_segment = (tail.position / segment_bytes + 1) * segment_bytes;
  STELA_ASSIGN(found, group_at(cache, store_id, next_segment, segment_bytes));
  if (found && continues(tail, *found)) return found;
  return std::optional<FoundGroup>{};
}

Status replay_records(std::string_view payload, uint64_t position,
                      const std::function<Status(std::string_view record)>& record) {
  Decoder in(payload);
  while (!in.at_end()) {
    std::string_view one;
    if (!in.text(&one)) return damaged("the log group at position " + std::to_string(position) + " is malformed");
    STELA_TRY(record(one));
  }
  return {};
}

// A valid group of the tail's or a later epoch anywhere behind the end.
Result<std::optional<uint64_t>> find_later_group(SegmentCache& cache, LogDevice& device, uint64_t store_id,
                                                 const LogTail& tail) {
  uint64_t size = device.segment_bytes();
  STELA_ASSIGN(std::vector<uint64_t> segments, device.segments());
  for (uint64_t segment : segments) {
    if ((segment + 1) * size <= tail.position) continue;
    for (uint64_t position = std::max(segment * size, tail.position); position < (segment + 1) * size;
         position += kLogBlock) {
      STELA_ASSIGN(auto found, group_at(cache, store_id, position, size));
      if (found && found->header.epoch.counter >= tail.epoch.counter) return std::optional(position);
    }
  }
  return std::optional<uint64_t>{};
}

// Segments are made in the order of their numbers and given back in it: one that is missing between those that are
// there, or in which the log goes on, was lost. Empty when none is.
Result<std::optional<uint64_t>> find_missing_segment(LogDevice& device, const LogTail& from) {
  const uint64_t size = device.segment_bytes();
  uint64_t next = from.position / size;
  STELA_ASSIGN(std::vector<uint64_t> segments, device.segments());
  std::sort(segments.begin(), segments.end());
  segments.erase(segments.begin(), std::lower_bound(segments.begin(), segments.end(), next));
  if (segments.empty() && from.position % size != 0) return std::optional(next);
  for (uint64_t segment : segments) {
    if (segment != next++) return std::optional(next - 1);
  }
  return std::optional<uint64_t>{};
}

}  // namespace

Result<ReplayResult> replay(LogDevice& device, uint64_t store_id, const LogTail& from,
                            const std::function<Status(std::string_view record)>& record) {
  SegmentCache cache(device);
  ReplayResult result;
  result.tail = from;
  while (true) {
    STELA_ASSIGN(auto found, next_group(cache, store_id, result.tail, device.segment_bytes()));
    if (!found) break;
    uint64_t position = found->header.position;
    if (found->header.kind == GroupKind::kCommits) STELA_TRY(replay_records(found->payload, position, record));
    result.tail.epoch = found->header.epoch;
    result.tail.last = {position, found->crc};
    result.tail.position = position + padded_group_bytes(found->header.payload_bytes);
    ++result.groups;
  }
  STELA_ASSIGN(auto later, find_later_group(cache, device, store_id, result.tail));
  if (later) {
    result.damage = "the log is damaged at position " + std::to_string(result.tail.position) +
                    ": a later group at position " + std::to_string(*later) +
                    " proves that acknowledged commits in between cannot be read";
  }
  STELA_ASSIGN(auto missing, find_missing_segment(device, from));
  if (missing && !result.damage) {
    result.damage =
        "the log's segment " + std::to_string(*missing) + " is missing, and with it commits that were acknowledged";
  }
  return result;
}

}  // namespace stela::log

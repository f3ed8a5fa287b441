#include "engine/store/living_rows.h"

#include <algorithm>

#include "engine/base/coding.h"

namespace stela::store {

namespace {
constexpr uint64_t kDeletedVersion = 1;
constexpr uint64_t kDeletedRuns = 0;  // the only form yet: pairs of rows that live and rows that do not
}  // namespace

std::string DeletedEntry::encode() const {
  std::string out;
  put_varint(out, kDeletedVersion);
  put_varint(out, kDeletedRuns);
  uint64_t next = 0;
  for (const RowRange& range : rows) {
    put_varint(out, range.first - next);
    put_varint(out, range.count);
    next = range.first + range.count;
  }
  return out;
}

Result<DeletedEntry> DeletedEntry::decode(std::string_view bytes) {
  Decoder in(bytes);
  DeletedEntry entry;
  uint64_t version = 0;
  uint64_t form = 0;
  bool ok = in.varint(&version) && version == kDeletedVersion && in.varint(&form) && form == kDeletedRuns;
  uint64_t next = 0;
  while (ok && !in.at_end()) {
    uint64_t living = 0;
    uint64_t count = 0;
    ok = in.varint_upto(kDeletedBlockRows - next, &living) &&
         in.varint_upto(kDeletedBlockRows - next - living, &count) && count > 0;
    if (ok) entry.rows.push_back({next + living, count});
    next += living + count;
  }
  if (!ok) return damaged("the catalogue's entry of deleted rows is malformed");
  return entry;
}

LivingRows LivingRows::all(uint64_t ids) {
  return of(ids, ids == 0 ? std::vector<RowRange>() : std::vector<RowRange>{{0, ids}});
}

LivingRows LivingRows::of(uint64_t ids, std::vector<RowRange> living) {
  LivingRows result;
  result.ids_ = ids;
  result.ranges_ = std::move(living);
  for (const RowRange& range : result.ranges_) {
    result.positions_.push_back(result.rows_);
    result.rows_ += range.count;
  }
  return result;
}

bool LivingRows::any_in(uint64_t first, uint64_t count) const {
  auto at = std::upper_bound(ranges_.begin(), ranges_.end(), first,
                             [](uint64_t id, const RowRange& range) { return id < range.first + range.count; });
  return at != ranges_.end() && at->first < first + count;
}

size_t LivingRows::range_at(uint64_t position) const {
  auto at = std::upper_bound(positions_.begin(), positions_.end(), position);
  return static_cast<size_t>(at - positions_.begin()) - 1;
}

Status LivingRows::for_each(uint64_t first, uint64_t count,
                            const std::function<Status(uint64_t first_id, uint64_t count)>& visit) const {
  if (count == 0) return {};
  for (size_t i = range_at(first); count > 0; ++i) {
    uint64_t skipped = first - positions_[i];
    uint64_t part = std::min(count, ranges_[i].count - skipped);
    STELA_TRY(visit(ranges_[i].first + skipped, part));
    first += part;
    count -= part;
  }
  return {};
}

std::vector<uint64_t> LivingRows::ids_of(const std::vector<uint64_t>& positions) const {
  std::vector<uint64_t> ids = positions;
  if (all_live()) return ids;
  size_t range = 0;
  for (uint64_t& id : ids) {
    while (range + 1 < positions_.size() && positions_[range + 1] <= id) ++range;
    id = id - positions_[range] + ranges_[range].first;
  }
  return ids;
}

DeletedEntry LivingRows::deleted_of(uint64_t block) const {
  DeletedEntry entry;
  uint64_t begin = block * kDeletedBlockRows;
  uint64_t end = std::min(begin + kDeletedBlockRows, ids_);
  uint64_t next = begin;
  auto at = std::upper_bound(ranges_.begin(), ranges_.end(), begin,
                             [](uint64_t id, const RowRange& range) { return id < range.first + range.count; });
  for (; at != ranges_.end() && at->first < end; ++at) {
    if (at->first > next) entry.rows.push_back({next - begin, at->first - next});
    next = std::min(end, at->first + at->count);
  }
  if (next < end) entry.rows.push_back({next - begin, end - next});
  return entry;
}

Status LivingRowsReader::add(std::string_view key_rest, std::string_view value) {
  if (key_rest.size() != 8) return damaged("the key of deleted rows is malformed");
  uint64_t block = get_ordered(key_rest.data());
  if (block > (UINT64_MAX >> 21)) return damaged("the key of deleted rows is malformed");
  STELA_ASSIGN(DeletedEntry entry, DeletedEntry::decode(value));
  for (const RowRange& range : entry.rows) {
    uint64_t first = block * kDeletedBlockRows + range.first;
    if (first >= ids_) break;
    if (first > next_) living_.push_back({next_, first - next_});
    next_ = first + range.count;
  }
  return {};
}

LivingRows LivingRowsReader::finish() {
  if (next_ < ids_) living_.push_back({next_, ids_ - next_});
  return LivingRows::of(ids_, std::move(living_));
}

}  // namespace stela::store

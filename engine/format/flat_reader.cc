#include "engine/format/flat_reader.h"

#include <algorithm>

#include "engine/format/damage_text.h"

namespace stela::format {
namespace {

constexpr uint64_t kExtentsAtOnce = 16;
constexpr uint64_t kGatherGapBytes = 4096;  // between rows that are read together
constexpr uint64_t kGatherBytesMax = 256 << 10;

}  // namespace

// One call's view of the file: an open reader, and the leaf of checksums read last.
class FlatReader::Session {
 public:
  Session(const ColumnMetadata& metadata, const SectionSource& source)
      : metadata_(metadata), source_(source), verified_(source.context().verified.get()) {}

  Status open() {
    FileId file = metadata_.flat->file;
    STELA_ASSIGN(reader_, source_.context().source->open(file, FileKind::kFlat));
    fingerprint_ = reader_->fingerprint();
    if (reader_->size() == metadata_.flat->file_bytes) return {};
    return damage_status(name(), {file, metadata_.id, 0, 0, metadata_.rows,
                                  "the file has " + std::to_string(reader_->size()) + " bytes, not " +
                                      std::to_string(metadata_.flat->file_bytes)});
  }

  std::string name() const { return data_file_name(metadata_.flat->file, FileKind::kFlat); }
  uint64_t begin_of(uint64_t extent) const { return extent * kFlatExtentBytes; }
  uint64_t end_of(uint64_t extent) const {
    return std::min(begin_of(extent) + kFlatExtentBytes, metadata_.value_bytes);
  }
  bool is_verified(uint64_t extent) const {
    return verified_ != nullptr && verified_->is_verified(metadata_.flat->file, fingerprint_, extent);
  }
  bool all_verified() const {
    return verified_ != nullptr &&
           verified_->all_verified(metadata_.flat->file, fingerprint_, metadata_.extent_count());
  }

  Status read_raw(uint64_t begin, MutableByteSpan into) {
    return reader_->read_at(metadata_.flat->header_bytes + begin, into);
  }

  Damage damage_of(uint64_t extent, std::string reason) const {
    uint64_t width = metadata_.type.value_width();
    uint64_t first = begin_of(extent) / width;
    uint64_t last = (end_of(extent) - 1) / width;
    return {metadata_.flat->file, metadata_.id, extent, first, last - first + 1, std::move(reason)};
  }

  // `bytes` is the whole extent.
  Status check(uint64_t extent, ByteSpan bytes) {
    STELA_ASSIGN(uint32_t crc, checksum(extent));
    SealScope scope{source_.context().store_id, metadata_.flat->file.value, 0};
    if (!seal_matches(crc, scope, {SealKind::kFlatExtent, metadata_.id.value, 0, extent}, bytes)) {
      if (verified_ != nullptr) verified_->clear(metadata_.flat->file);
      return damage_status(name(), damage_of(extent, "the checksum of the values is wrong"));
    }
    if (extent == 0) STELA_TRY(check_header());
    if (verified_ != nullptr) verified_->set_verified(metadata_.flat->file, fingerprint_, extent);
    return {};
  }

  // Reads and checks extents [first, end).
  Status check_from_medium(uint64_t first, uint64_t end, Buffer& scratch) {
    scratch.resize(end_of(end - 1) - begin_of(first));
    STELA_TRY(read_raw(begin_of(first), scratch.span()));
    for (uint64_t extent = first; extent < end; ++extent) {
      STELA_TRY(check(extent, scratch.span(begin_of(extent) - begin_of(first), end_of(extent) - begin_of(extent))));
    }
    return {};
  }

 private:
  Status check_header() {
    std::string expected = npy_header(metadata_.type, metadata_.rows);
    Buffer header(expected.size());
    STELA_TRY(reader_->read_at(0, header.span()));
    if (as_text(header.span()) == expected) return {};
    return damage_status(name(), damage_of(0, "the header of the .npy is wrong"));
  }

  Result<uint32_t> checksum(uint64_t extent) {
    if (extent < leaf_.first_key || extent - leaf_.first_key >= leaf_.count) {
      auto leaf = find_leaf(metadata_.extents, {SealKind::kExtentTree, metadata_.id.value}, extent, source_);
      if (!leaf.ok()) return leaf.status().with_context("column " + std::to_string(metadata_.id.value));
      leaf_ = std::move(leaf).value();
    }
    uint64_t index = extent - leaf_.first_key;
    if (extent < leaf_.first_key || index >= leaf_.count ||
        leaf_.payload.size() != size_t{leaf_.count} * sizeof(uint32_t)) {
      leaf_ = {};
      return damaged(source_.name() + ": column " + std::to_string(metadata_.id.value) +
                     ": the checksums of its flat file are incomplete");
    }
    return get_fixed<uint32_t>(leaf_.payload.data() + index * sizeof(uint32_t));
  }

  const ColumnMetadata& metadata_;
  const SectionSource& source_;
  VerifiedExtents* verified_;
  std::shared_ptr<FileReader> reader_;
  std::string fingerprint_;
  TreeLeaf leaf_;
};

Status FlatReader::read(uint64_t begin, MutableByteSpan into) const {
  Session session(metadata_, source_);
  STELA_TRY(session.open());
  uint64_t end = begin + into.size();
  Buffer scratch;
  for (uint64_t at = begin; at < end;) {
    uint64_t extent = at / kFlatExtentBytes;
    MutableByteSpan to = into.subspan(at - begin);
    if (session.is_verified(extent)) {
      uint64_t next = extent + 1;
      while (session.begin_of(next) < end && session.is_verified(next)) ++next;
      uint64_t stop = std::min(end, session.end_of(next - 1));
      STELA_TRY(session.read_raw(at, to.first(stop - at)));
      at = stop;
      continue;
    }
    if (at == session.begin_of(extent) && end >= session.end_of(extent)) {
      // Whole extents go straight to where they are wanted and are checked there.
      uint64_t next = extent + 1;
      while (next - extent < kExtentsAtOnce && session.begin_of(next) < end && session.end_of(next) <= end &&
             !session.is_verified(next)) {
        ++next;
      }
      uint64_t stop = session.end_of(next - 1);
      STELA_TRY(session.read_raw(at, to.first(stop - at)));
      for (uint64_t i = extent; i < next; ++i) {
        STELA_TRY(session.check(i, to.subspan(session.begin_of(i) - at, session.end_of(i) - session.begin_of(i))));
      }
      at = stop;
      continue;
    }
    STELA_TRY(session.check_from_medium(extent, extent + 1, scratch));
    uint64_t stop = std::min(end, session.end_of(extent));
    std::memcpy(to.data(), scratch.data() + (at - session.begin_of(extent)), stop - at);
    at = stop;
  }
  return {};
}

Status FlatReader::read_rows(std::span<const uint64_t> rows, ColumnData& out) const {
  uint64_t width = metadata_.type.value_width();
  Buffer gathered;
  for (size_t i = 0; i < rows.size();) {
    uint64_t first = rows[i];
    size_t end = i + 1;
    while (end < rows.size() && (rows[end] - rows[end - 1]) * width <= kGatherGapBytes + width &&
           (rows[end] - first) * width < kGatherBytesMax) {
      ++end;
    }
    uint64_t count = rows[end - 1] - first + 1;
    gathered.resize(count * width);
    STELA_TRY(read(first * width, gathered.span()));
    std::byte* to = out.grow_fixed(end - i);
    for (; i < end; ++i, to += width) std::memcpy(to, gathered.data() + (rows[i] - first) * width, width);
  }
  return {};
}

Result<bool> FlatReader::verify_until(Clock& clock, int64_t deadline_ns) const {
  Session session(metadata_, source_);
  STELA_TRY(session.open());
  if (session.all_verified()) return true;
  Buffer scratch;
  uint64_t extents = metadata_.extent_count();
  for (uint64_t extent = 0; extent < extents;) {
    if (session.is_verified(extent)) {
      ++extent;
      continue;
    }
    uint64_t next = extent + 1;
    while (next < extents && next - extent < kExtentsAtOnce && !session.is_verified(next)) ++next;
    STELA_TRY(session.check_from_medium(extent, next, scratch));
    extent = next;
    if (extent < extents && clock.monotonic_ns() >= deadline_ns) return false;
  }
  return true;
}

Status FlatReader::verify(const std::function<void(const Damage&)>& damage) const {
  Session session(metadata_, source_);
  Status opened = session.open();
  if (opened.code() == Code::kDamaged || opened.code() == Code::kNotFound) {
    damage({metadata_.flat->file, metadata_.id, 0, 0, metadata_.rows, opened.message()});
    return {};
  }
  STELA_TRY(opened);
  Buffer scratch;
  for (uint64_t extent = 0; extent < metadata_.extent_count(); ++extent) {
    Status status = session.check_from_medium(extent, extent + 1, scratch);
    if (status.code() == Code::kDamaged)
      damage(session.damage_of(extent, status.message()));
    else
      STELA_TRY(status);
  }
  return {};
}

}  // namespace stela::format

#include "engine/format/stored_chunk.h"

#include <algorithm>

#include "engine/format/damage_text.h"

namespace stela::format {

Status StoredChunk::check_range(uint64_t first, uint64_t count) const {
  if (first <= metadata_.rows && count <= metadata_.rows - first) return {};
  return invalid("rows " + std::to_string(first) + " and " + std::to_string(count) + " more are beyond the " +
                 std::to_string(metadata_.rows) + " rows of this fragment");
}

Status StoredChunk::read(uint64_t first, uint64_t count, ColumnData& out) const {
  STELA_TRY(check_range(first, count));
  if (count == 0) return {};
  if (metadata_.flat) return read_flat(first, count, out);
  PageCursor cursor(metadata_, source_);
  uint64_t end = first + count;
  for (uint64_t row = first; row < end;) {
    STELA_ASSIGN(PageEntry entry, cursor.seek(row));
    uint64_t part = std::min(end, entry.end_row()) - row;
    STELA_TRY(pages_.read(entry, row - entry.first_row, part, out));
    row += part;
  }
  return {};
}

Status StoredChunk::read_flat(uint64_t first, uint64_t count, ColumnData& out) const {
  uint64_t width = metadata_.type.value_width();
  std::byte* to = out.grow_fixed(count);
  STELA_TRY(flat_.read(first * width, {to, static_cast<size_t>(count * width)}));
  return mark_nulls(first, count, out);
}

// Nulls of rows [first, first + count) of a flat column, which are the last rows of `out`.
Status StoredChunk::mark_nulls(uint64_t first, uint64_t count, ColumnData& out) const {
  if (metadata_.nulls == 0) return {};
  PageCursor cursor(metadata_, source_);
  std::vector<uint8_t> bits((count + 7) / 8, 0xff);
  uint64_t end = first + count;
  for (uint64_t row = first; row < end;) {
    STELA_ASSIGN(PageEntry entry, cursor.seek(row));
    uint64_t part = std::min(end, entry.end_row()) - row;
    STELA_TRY(pages_.copy_validity(entry, row - entry.first_row, part, bits.data(), row - first));
    row += part;
  }
  out.set_validity_of_last(count, bits.data(), 0);
  return {};
}

Status StoredChunk::read_rows(std::span<const uint64_t> ascending, ColumnData& out) const {
  if (ascending.empty()) return {};
  if (!std::is_sorted(ascending.begin(), ascending.end())) return invalid("the rows to read are not in order");
  STELA_TRY(check_range(ascending.back(), 1));
  if (metadata_.flat) return read_flat_rows(ascending, out);
  PageCursor cursor(metadata_, source_);
  std::vector<uint32_t> wanted;
  for (size_t i = 0; i < ascending.size();) {
    STELA_ASSIGN(PageEntry entry, cursor.seek(ascending[i]));
    wanted.clear();
    for (; i < ascending.size() && ascending[i] < entry.end_row(); ++i) {
      wanted.push_back(static_cast<uint32_t>(ascending[i] - entry.first_row));
    }
    STELA_TRY(pages_.read_rows(entry, wanted, out));
  }
  return {};
}

Status StoredChunk::read_flat_rows(std::span<const uint64_t> rows, ColumnData& out) const {
  STELA_TRY(flat_.read_rows(rows, out));
  if (metadata_.nulls == 0) return {};
  PageCursor cursor(metadata_, source_);
  std::vector<uint8_t> bits((rows.size() + 7) / 8, 0xff);
  std::vector<uint8_t> page_bits;
  for (size_t i = 0; i < rows.size();) {
    STELA_ASSIGN(PageEntry entry, cursor.seek(rows[i]));
    bool mixed = entry.has_validity();
    if (mixed) {
      page_bits.assign((entry.rows + 7) / 8, 0);
      STELA_TRY(pages_.copy_validity(entry, 0, entry.rows, page_bits.data(), 0));
    }
    for (; i < rows.size() && rows[i] < entry.end_row(); ++i) {
      bit_set(bits.data(), i, mixed ? bit_get(page_bits.data(), rows[i] - entry.first_row) : !entry.all_null());
    }
  }
  out.set_validity_of_last(rows.size(), bits.data(), 0);
  return {};
}

Result<uint64_t> StoredChunk::nulls_before(uint64_t row) const {
  if (row == 0 || metadata_.nulls == 0) return uint64_t{0};
  if (row == metadata_.rows) return metadata_.nulls;
  PageCursor cursor(metadata_, source_);
  STELA_ASSIGN(PageEntry entry, cursor.seek(row));
  STELA_ASSIGN(uint64_t within, pages_.nulls_until(entry, row - entry.first_row));
  return entry.nulls_before + within;
}

Result<uint64_t> StoredChunk::nulls_in(uint64_t first, uint64_t count) const {
  STELA_TRY(check_range(first, count));
  STELA_ASSIGN(uint64_t end, nulls_before(first + count));
  STELA_ASSIGN(uint64_t begin, nulls_before(first));
  if (end < begin) return damaged(source_.name() + ": the null counts of a page list run backwards");
  return end - begin;
}

Result<uint64_t> StoredChunk::value_bytes_before(uint64_t row) const {
  if (row == 0) return uint64_t{0};
  if (row == metadata_.rows) return metadata_.value_bytes;
  PageCursor cursor(metadata_, source_);
  STELA_ASSIGN(PageEntry entry, cursor.seek(row));
  STELA_ASSIGN(uint64_t within, pages_.value_bytes_until(entry, row - entry.first_row));
  return entry.value_bytes_before + within;
}

Result<uint64_t> StoredChunk::value_bytes_in(uint64_t first, uint64_t count) const {
  STELA_TRY(check_range(first, count));
  if (!metadata_.type.is_variable()) return count * metadata_.type.value_width();
  STELA_ASSIGN(uint64_t end, value_bytes_before(first + count));
  STELA_ASSIGN(uint64_t begin, value_bytes_before(first));
  if (end < begin) return damaged(source_.name() + ": the byte counts of a page list run backwards");
  return end - begin;
}

Result<bool> StoredChunk::verify_flat(Clock& clock, int64_t deadline_ns) const {
  if (!metadata_.flat) return true;
  return flat_.verify_until(clock, deadline_ns);
}

Result<EncodedPage> StoredChunk::encoded_page(uint64_t row) const {
  STELA_TRY(check_range(row, 1));
  if (metadata_.flat && metadata_.pages.empty()) {
    return EncodedPage{find_encoding(EncodingId::kPlain), 0, metadata_.rows, {}, {}, nullptr};
  }
  PageCursor cursor(metadata_, source_);
  STELA_ASSIGN(PageEntry entry, cursor.seek(row));
  return pages_.encoded(entry);
}

}  // namespace stela::format

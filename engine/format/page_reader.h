// PageReader: finds, loads, checks and decodes the pages of one column of one section.
#pragma once

#include <memory>

#include "engine/format/column_metadata.h"
#include "engine/format/encoded_form.h"
#include "engine/format/page_chunks.h"
#include "engine/format/page_entry.h"
#include "engine/format/section_source.h"

namespace stela::format {

// Walks the page list; keeps the leaf it read last, so that neighbouring pages cost one search. Not
// thread-safe; metadata and source must outlive it.
class PageCursor {
 public:
  PageCursor(const ColumnMetadata& metadata, const SectionSource& source) : metadata_(metadata), source_(source) {}
  // The page that holds `row`.
  Result<PageEntry> seek(uint64_t row);

 private:
  bool holds(uint64_t row) const;
  const ColumnMetadata& metadata_;
  const SectionSource& source_;
  TreeLeaf leaf_;
};

// The entries of one leaf of the page list; kDamaged when its size is wrong.
Result<PageEntry> page_entry_of(const TreeLeaf& leaf, uint32_t index, const ColumnMetadata& metadata,
                                uint64_t section_bytes);

// A page in memory: front and, unless only the front was asked for, values behind it.
struct PageBytes {
  std::shared_ptr<const Buffer> holder;
  Buffer bits;        // of validity that is stored as runs
  Buffer joined;      // encoded values, where chunks are put together
  ByteSpan validity;  // empty: no nulls
  ByteSpan encoded;   // lengths part, then the rest; of a front with chunks, what all rows need
  std::optional<ChunkTable> chunks;
};

// Immutable and thread-safe; metadata and source must outlive it.
class PageReader {
 public:
  PageReader(const ColumnMetadata& metadata, const SectionSource& source) : metadata_(metadata), source_(source) {}

  // Rows [first, first + count) of the page.
  Status read(const PageEntry& entry, uint64_t first, uint64_t count, ColumnData& out) const;
  // Ascending positions within the page.
  Status read_rows(const PageEntry& entry, std::span<const uint32_t> wanted, ColumnData& out) const;
  // The whole page as its encoding holds it; every checksum of it is checked.
  Result<EncodedPage> encoded(const PageEntry& entry) const;
  // Copies the validity of rows [first, first + count) of the page to bits from `to_bit` on.
  Status copy_validity(const PageEntry& entry, uint64_t first, uint64_t count, uint8_t* to, uint64_t to_bit) const;
  // Totals of the first `count` rows of the page; validity or lengths are read, never values.
  Result<uint64_t> nulls_until(const PageEntry& entry, uint64_t count) const;
  Result<uint64_t> value_bytes_until(const PageEntry& entry, uint64_t count) const;
  // Reads the page from the medium and decodes it.
  Status verify(const PageEntry& entry) const;

 private:
  enum class Part { kFront, kWhole };
  Result<PageBytes> load(const PageEntry& entry, Part part, bool keep) const;
  // Enough of the page to decode some rows, ascending, or [first, first + count), which are not none.
  Result<PageBytes> load_rows(const PageEntry& entry, std::span<const uint32_t> rows) const;
  Result<PageBytes> load_range(const PageEntry& entry, uint64_t first, uint64_t count) const;
  Status join_chunks(const PageEntry& entry, const PooledVector<uint32_t>& numbers, PageBytes& page) const;
  Result<PooledVector<std::shared_ptr<const Buffer>>> read_chunks(const PageEntry& entry, const ChunkTable& table,
                                                                 const PooledVector<uint32_t>& numbers) const;
  Status check_chunks(const PageEntry& entry, const PageBytes& page) const;
  Status check_chunk(const PageEntry& entry, const ChunkTable& table, uint32_t number, ByteSpan bytes) const;
  Status check_seals(const PageEntry& entry, ByteSpan front, ByteSpan values) const;
  Result<PageBytes> page_bytes(const PageEntry& entry, std::shared_ptr<const Buffer> holder) const;
  Status read_in_place(const PageEntry& entry, ColumnData& out) const;
  // `status` with the page's place before it where it says that bytes are wrong.
  Status located(const PageEntry& entry, const Status& status) const;
  const ColumnMetadata& metadata_;
  const SectionSource& source_;
};

}  // namespace stela::format

// PageEntry: what a column's page list says of one page; 72 bytes in the leaves of the page tree.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "engine/format/encoding.h"

namespace stela::format {

// A page lies at `offset` of its section: the front (validity, then the lengths part of the encoded values), sealed by
// front_crc, and the rest of the encoded values, sealed by values_crc. A part of 0 bytes has no seal. Validity is bits
// padded to 8 bytes or, from version 2 on, a u32 and that many bytes of runs (page_validity.h). With chunks, from version
// 3 on, the front goes on with their table and what all rows need of the encoded values (page_chunks.h).
struct PageEntry {
  uint64_t offset = 0;
  uint64_t first_row = 0;  // relative to the fragment
  uint64_t nulls_before = 0;
  uint64_t value_bytes_before = 0;
  uint64_t ordinal = 0;
  uint32_t rows = 0;
  uint32_t nulls = 0;
  uint32_t value_bytes = 0;  // of the decoded values
  uint32_t front_bytes = 0;
  uint32_t stored_bytes = 0;  // behind the front
  uint32_t front_crc = 0;
  uint32_t values_crc = 0;
  uint16_t encoding = 0;
  uint8_t version = 1;
  uint8_t flags = 0;

  bool all_null() const;      // every row is null and no bytes are stored
  bool has_validity() const;  // some rows are null; else every row has a value
  // Only validity is stored here, the values are in the flat file.
  bool is_flat() const;
  bool has_validity_runs() const;
  bool has_chunks() const;
  // Of validity as bits; 0 where every row has a value.
  uint64_t validity_bytes() const { return has_validity() ? (uint64_t{rows} + 63) / 64 * 8 : 0; }
  uint64_t end_row() const { return first_row + rows; }
};
inline constexpr uint32_t kPageEntryBytes = 72;
// A page is of the lowest version that can say what it is.
inline constexpr uint8_t kPageVersion = 1, kPageVersionRuns = 2, kPageVersionChunks = 3;
inline constexpr uint8_t kPageAllNull = 1, kPageHasValidity = 2, kPageFlat = 4, kPageValidityRuns = 8, kPageChunks = 16;

inline bool PageEntry::all_null() const { return (flags & kPageAllNull) != 0; }
inline bool PageEntry::has_validity() const { return (flags & kPageHasValidity) != 0; }
inline bool PageEntry::has_validity_runs() const { return (flags & kPageValidityRuns) != 0; }
inline bool PageEntry::has_chunks() const { return (flags & kPageChunks) != 0; }
inline bool PageEntry::is_flat() const { return (flags & kPageFlat) != 0; }

// What an entry must fit into.
struct PageLimits {
  uint64_t section_bytes = 0;
  uint64_t rows = 0;  // of the column
};

std::string encode_page_entry(const PageEntry& entry);
// `bytes` has kPageEntryBytes. kDamaged when its numbers contradict each other or the limits,
// kUnsupported for a page version or encoding of a newer Stela.
Result<PageEntry> decode_page_entry(std::string_view bytes, const DataType& type, const PageLimits& limits);

}  // namespace stela::format

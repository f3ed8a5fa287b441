// ColumnMetadata: everything about one column of one section but its pages, in one sealed block. Lists
// that grow with rows are trees whose roots lie here. Layout: fragment_format.md.
#pragma once

#include <optional>
#include <string>

#include "engine/format/entry_tree.h"
#include "engine/format/fragment.h"

namespace stela::format {

struct ColumnMetadata {
  ColumnId id;
  DataType type;
  uint64_t rows = 0;
  uint64_t nulls = 0;
  uint64_t value_bytes = 0;
  uint64_t statistics_rows = 0;  // of the finer statistics
  Statistics statistics;
  std::optional<FlatInfo> flat;
  EntryTree pages;            // key: first row; entry: PageEntry
  EntryTree page_statistics;  // key: page ordinal; empty with fewer than two pages
  EntryTree fine_statistics;  // key: first row; empty when one entry would say what `statistics` says
  EntryTree extents;          // key: extent ordinal; entry: CRC32C; flat columns only

  // Of the block of ColumnFigures; no bytes: none, as for tensors and in files of before.
  uint64_t figures_offset = 0;
  uint32_t figures_bytes = 0;

  uint64_t extent_count() const { return (value_bytes + kFlatExtentBytes - 1) / kFlatExtentBytes; }
};
inline constexpr uint32_t kColumnMetadataBytesMax = 1 << 20;

// Without the seal.
std::string encode_column_metadata(const ColumnMetadata& metadata);
// kDamaged when the bytes are malformed or contradict `rows`, the section's row count; kUnsupported for a
// newer version or an unknown field that must not be skipped.
Result<ColumnMetadata> decode_column_metadata(std::string_view bytes, ColumnId id, uint64_t rows);

}  // namespace stela::format

// Cells of a column by row id, as one version sees them; positions are a Snapshot's matter.
#pragma once

#include <algorithm>
#include <span>

#include "engine/format/statistics.h"
#include "engine/store/snapshot_impl.h"

namespace stela {

// Calls `visit(piece, first, count)` for each piece that rows [first, first + count) touch; `first` is then relative to
// the piece's fragment or tail. Deleted rows that lie nowhere are left out; kDamaged where a living one does.
template <typename Visit>
Status for_each_piece(const SnapshotImpl& impl, const ColumnInfo& column, uint64_t first, uint64_t count, Visit visit) {
  if (count == 0) return {};
  STELA_ASSIGN(auto pieces, impl.pieces(column));
  auto at = std::upper_bound(pieces->begin(), pieces->end(), first,
                             [](uint64_t row, const GroupPiece& piece) { return row < piece.first_row; });
  if (at != pieces->begin()) --at;
  uint64_t next = first;
  for (; at != pieces->end() && at->first_row < first + count; ++at) {
    uint64_t begin = std::max(first, at->first_row);
    uint64_t end = std::min(first + count, at->first_row + at->rows);
    if (begin >= end) continue;
    STELA_TRY(impl.check_gap(column, next, begin));
    next = end;
    STELA_TRY(
        impl.locate(visit(*at, begin - at->first_row + at->offset, end - begin), column.name, begin, end - begin));
  }
  return impl.check_gap(column, next, first + count);
}

// Adds rows [first, first + count) to `out`, of the column's type; those that lie nowhere are null.
Status read_cells(const SnapshotImpl& impl, const ColumnInfo& column, uint64_t first, uint64_t count, ColumnData& out);
// Ascending ids that lie somewhere.
Status read_cells_at(const SnapshotImpl& impl, const ColumnInfo& column, std::span<const uint64_t> ids,
                     ColumnData& out);
Result<uint64_t> cell_bytes(const SnapshotImpl& impl, const ColumnInfo& column, uint64_t first, uint64_t count);
Result<uint64_t> cell_nulls(const SnapshotImpl& impl, const ColumnInfo& column, uint64_t first, uint64_t count);
// Of the living rows.
Result<format::Statistics> cell_statistics(const SnapshotImpl& impl, const ColumnInfo& column,
                                           const store::LivingRows& living);

}  // namespace stela

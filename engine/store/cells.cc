#include "engine/store/cells.h"

namespace stela {

namespace {

// As they are stored, below all patches.
Status read_stored(const SnapshotImpl& impl, const ColumnInfo& column, uint64_t first, uint64_t count,
                   ColumnData& out) {
  uint64_t next = first;
  STELA_TRY(
      for_each_piece(impl, column, first, count, [&](const GroupPiece& piece, uint64_t from, uint64_t rows) -> Status {
        uint64_t id = piece.first_row + from - piece.offset;
        if (id > next) out.append_nulls(id - next);
        next = id + rows;
        if (piece.tail) {
          piece.tail->read(column.id, from, rows, out);
          return {};
        }
        STELA_ASSIGN(auto chunk, impl.chunk(piece, column.id));
        if (chunk) return chunk->read(from, rows, out);
        out.append_nulls(rows);
        return {};
      }));
  if (next < first + count) out.append_nulls(first + count - next);
  return {};
}

Status read_stored_at(const SnapshotImpl& impl, const ColumnInfo& column, std::span<const uint64_t> ids,
                      ColumnData& out) {
  while (!ids.empty()) {
    STELA_ASSIGN(auto pieces, impl.pieces(column));
    auto at = std::upper_bound(pieces->begin(), pieces->end(), ids.front(),
                               [](uint64_t row, const GroupPiece& piece) { return row < piece.first_row; });
    if (at == pieces->begin()) return damaged("the catalogue does not say where a row is");
    const GroupPiece& piece = *--at;
    auto end = std::lower_bound(ids.begin(), ids.end(), piece.first_row + piece.rows);
    if (end == ids.begin()) return damaged("the catalogue does not say where a row is");
    std::vector<uint64_t> within(ids.begin(), end);
    for (uint64_t& row : within) row = row - piece.first_row + piece.offset;
    ids = ids.subspan(within.size());
    if (piece.tail) {
      for (uint64_t row : within) piece.tail->read(column.id, row, 1, out);
      continue;
    }
    STELA_ASSIGN(auto chunk, impl.chunk(piece, column.id));
    if (!chunk) {
      out.append_nulls(within.size());
      continue;
    }
    STELA_TRY(impl.locate(chunk->read_rows(within, out), column.name, piece.first_row, piece.rows));
  }
  return {};
}

// Lays the patches over rows that were read as they are stored, the last of `out`.
Status lay_over_rows(const SnapshotImpl& impl, const ColumnInfo& column, std::span<const uint64_t> rows,
                     ColumnData& out) {
  store::PatchReader patches = impl.patches(column);
  uint64_t granule = store::granule_rows(column.type);
  uint64_t before = out.rows() - rows.size();
  for (size_t i = 0; i < rows.size();) {
    // Neighbouring granules are looked up at once.
    size_t end = i + 1;
    while (end < rows.size() && rows[end] / granule <= rows[end - 1] / granule + 1) ++end;
    uint64_t first = rows[i];
    auto cells = patches.cells(first, rows[end - 1] - first + 1);
    if (!cells.ok()) return impl.locate(cells.status(), column.name, first, rows[end - 1] - first + 1);
    std::vector<uint64_t> where;
    ColumnData values(column.type);
    size_t cell = 0;
    for (; i < end; ++i) {
      while (cell < cells->rows.size() && cells->rows[cell] < rows[i]) ++cell;
      if (cell == cells->rows.size() || cells->rows[cell] != rows[i]) continue;
      where.push_back(before + i);
      values.append(cells->values.view().slice(cell, 1));
    }
    out.replace(where, values.view());
  }
  return {};
}

// The patched cells of a stretch that lie somewhere, and what is stored below them.
struct Covered {
  ColumnData above, below;
};
Result<Covered> covered_cells(const SnapshotImpl& impl, const ColumnInfo& column, uint64_t first, uint64_t count) {
  Covered covered{ColumnData(column.type), ColumnData(column.type)};
  auto cells = impl.patches(column).cells(first, count);
  if (!cells.ok()) return impl.locate(cells.status(), column.name, first, count);
  STELA_TRY(read_stored_at(impl, column, cells->rows, covered.below));
  covered.above = std::move(cells->values);
  return covered;
}

}  // namespace

Status read_cells(const SnapshotImpl& impl, const ColumnInfo& column, uint64_t first, uint64_t count, ColumnData& out) {
  uint64_t before = out.rows();
  STELA_TRY(read_stored(impl, column, first, count, out));
  if (!column.has_patches()) return {};
  auto cells = impl.patches(column).cells(first, count);
  if (!cells.ok()) return impl.locate(cells.status(), column.name, first, count);
  for (uint64_t& row : cells->rows) row = row - first + before;
  out.replace(cells->rows, cells->values.view());
  return {};
}

Status read_cells_at(const SnapshotImpl& impl, const ColumnInfo& column, std::span<const uint64_t> ids,
                     ColumnData& out) {
  if (ids.empty()) return {};
  bool together = ids.back() - ids.front() + 1 == ids.size() && std::adjacent_find(ids.begin(), ids.end()) == ids.end();
  if (together) return read_cells(impl, column, ids.front(), ids.size(), out);
  STELA_TRY(read_stored_at(impl, column, ids, out));
  return column.has_patches() ? lay_over_rows(impl, column, ids, out) : Status();
}

Result<uint64_t> cell_bytes(const SnapshotImpl& impl, const ColumnInfo& column, uint64_t first, uint64_t count) {
  if (!column.type.is_variable()) return count * column.type.value_width();
  uint64_t total = 0;
  STELA_TRY(
      for_each_piece(impl, column, first, count, [&](const GroupPiece& piece, uint64_t from, uint64_t rows) -> Status {
        if (piece.tail) {
          total += piece.tail->value_bytes(column.id, from, rows);
          return {};
        }
        STELA_ASSIGN(auto chunk, impl.chunk(piece, column.id));
        if (!chunk) return {};
        STELA_ASSIGN(uint64_t bytes, chunk->value_bytes_in(from, rows));
        total += bytes;
        return {};
      }));
  if (!column.has_patches()) return total;
  STELA_ASSIGN(Covered cells, covered_cells(impl, column, first, count));
  return total - cells.below.view().value_bytes() + cells.above.view().value_bytes();
}

Result<uint64_t> cell_nulls(const SnapshotImpl& impl, const ColumnInfo& column, uint64_t first, uint64_t count) {
  uint64_t total = 0;
  STELA_TRY(
      for_each_piece(impl, column, first, count, [&](const GroupPiece& piece, uint64_t from, uint64_t rows) -> Status {
        if (piece.tail) {
          total += piece.tail->nulls(column.id, from, rows);
          return {};
        }
        STELA_ASSIGN(auto chunk, impl.chunk(piece, column.id));
        if (!chunk) {
          total += rows;
        } else if (rows == chunk->rows()) {
          total += chunk->nulls();
        } else {
          STELA_ASSIGN(uint64_t nulls, chunk->nulls_in(from, rows));
          total += nulls;
        }
        return {};
      }));
  if (!column.has_patches()) return total;
  STELA_ASSIGN(Covered cells, covered_cells(impl, column, first, count));
  return total - cells.below.null_count() + cells.above.null_count();
}

namespace {

// Statistics of a column in stretches of rows: those kept where nothing lies over them, else computed.
class StatisticsPass {
 public:
  StatisticsPass(const SnapshotImpl& impl, const ColumnInfo& column) : impl_(impl), column_(column) {}

  Result<format::Statistics> run(const store::LivingRows& living) {
    STELA_TRY(find_patched_rows(living.ids()));
    for (const store::RowRange& range : living.ranges()) {
      STELA_TRY(for_each_piece(
          impl_, column_, range.first, range.count,
          [&](const GroupPiece& piece, uint64_t from, uint64_t count) { return add_piece(piece, from, count); }));
    }
    return result_;
  }

 private:
  Status find_patched_rows(uint64_t ids) {
    if (!column_.has_patches()) return {};
    uint64_t granule = store::granule_rows(column_.type);
    auto visit = [&](uint64_t first, std::vector<store::BornPatch>&) -> Result<bool> {
      if (!patched_.empty() && patched_.back().second == first) {
        patched_.back().second += granule;
      } else {
        patched_.emplace_back(first, first + granule);
      }
      return true;
    };
    return store::for_each_patched_granule(impl_.view().catalog(), impl_.stamp(), impl_.dataset(), column_.id,
                                           store::WhichPatches::kNeeded, column_.folded, 0, ids, visit);
  }

  bool is_patched(uint64_t first, uint64_t count) const {
    auto at = std::upper_bound(patched_.begin(), patched_.end(), first,
                               [](uint64_t row, const auto& stretch) { return row < stretch.second; });
    return at != patched_.end() && at->first < first + count;
  }

  void add(const format::Statistics& statistics) { format::merge_statistics(column_.type, result_, statistics); }

  Status compute(uint64_t first, uint64_t count) {
    constexpr uint64_t kBatch = 65536;
    for (uint64_t row = first; row < first + count; row += kBatch) {
      ColumnData data(column_.type);
      STELA_TRY(read_cells(impl_, column_, row, std::min(kBatch, first + count - row), data));
      add(format::compute_statistics(data.view()));
    }
    return {};
  }

  Status add_piece(const GroupPiece& piece, uint64_t from, uint64_t count) {
    uint64_t first = piece.first_row + from - piece.offset;
    const uint64_t end = first + count;
    std::shared_ptr<const format::ColumnChunk> chunk;
    if (piece.fragment) {
      STELA_ASSIGN(chunk, impl_.chunk(piece, column_.id));
    }
    if (chunk == nullptr || count != chunk->rows()) return compute(first, count);
    if (!is_patched(first, count)) {
      STELA_ASSIGN(format::Statistics whole, chunk->statistics());
      add(whole);
      return {};
    }
    STELA_ASSIGN(std::vector<format::Statistics> stretches, chunk->fine_statistics());
    for (const format::Statistics& stretch : stretches) {
      uint64_t rows = std::min(stretch.rows, end - first);
      if (is_patched(first, rows)) {
        STELA_TRY(compute(first, rows));
      } else {
        add(stretch);
      }
      first += rows;
    }
    return {};
  }

  const SnapshotImpl& impl_;
  const ColumnInfo& column_;
  std::vector<std::pair<uint64_t, uint64_t>> patched_;
  format::Statistics result_;
};

}  // namespace

Result<format::Statistics> cell_statistics(const SnapshotImpl& impl, const ColumnInfo& column,
                                           const store::LivingRows& living) {
  return StatisticsPass(impl, column).run(living);
}

}  // namespace stela

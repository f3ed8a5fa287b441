#include "engine/store/snapshot.h"

#include <algorithm>

#include "engine/store/snapshot_impl.h"

namespace stela {

NodeId Snapshot::dataset() const { return impl_->dataset(); }
const VersionInfo& Snapshot::version() const { return impl_->version(); }
uint64_t Snapshot::rows() const { return impl_->version().rows; }

Result<ColumnInfo> Snapshot::column(std::string_view name) const { return impl_->column(name); }

Result<ColumnInfo> Snapshot::column(ColumnId id) const { return impl_->column(id); }

Status Snapshot::for_each_column(const std::function<bool(const ColumnInfo&)>& visit) const {
  return impl_->for_each_column(visit);
}

Result<std::vector<ColumnInfo>> Snapshot::columns() const {
  std::vector<ColumnInfo> result;
  STELA_TRY(for_each_column([&](const ColumnInfo& column) {
    result.push_back(column);
    return true;
  }));
  return result;
}

namespace {

// Calls `visit(piece, first, count)` for each piece that rows [first, first + count) touch; `first` is then relative to
// the piece's fragment or tail.
template <typename Visit>
Status for_each_piece(const SnapshotImpl& impl, const ColumnInfo& column, uint64_t first, uint64_t count, Visit visit) {
  uint64_t rows = impl.version().rows;
  if (first > rows || count > rows - first) {
    return invalid("rows " + std::to_string(first) + " to " + std::to_string(first + count) +
                   " are asked for, but version " + std::to_string(impl.version().number.value) + " has " +
                   std::to_string(rows));
  }
  if (count == 0) return {};
  STELA_ASSIGN(auto pieces, impl.pieces(column));
  auto at = std::upper_bound(pieces->begin(), pieces->end(), first,
                             [](uint64_t row, const GroupPiece& piece) { return row < piece.first_row; });
  for (--at; at != pieces->end() && at->first_row < first + count; ++at) {
    uint64_t begin = std::max(first, at->first_row);
    uint64_t end = std::min(first + count, at->first_row + at->rows);
    STELA_TRY(
        impl.locate(visit(*at, begin - at->first_row + at->offset, end - begin), column.name, begin, end - begin));
  }
  return {};
}

// Decoders write values of the column's width into `out`.
Status check_target(const ColumnInfo& column, const ColumnData& out) {
  if (out.type() == column.type) return {};
  return invalid("column '" + column.name + "' has type " + column.type.name() + " and is read into one of type " +
                 out.type().name());
}

// As they are stored, below all patches.
Status read_stored(const SnapshotImpl& impl, const ColumnInfo& column, uint64_t first, uint64_t count,
                   ColumnData& out) {
  return for_each_piece(impl, column, first, count,
                        [&](const GroupPiece& piece, uint64_t from, uint64_t rows) -> Status {
                          if (piece.tail) {
                            piece.tail->read(column.id, from, rows, out);
                            return {};
                          }
                          STELA_ASSIGN(auto chunk, impl.chunk(piece, column.id));
                          if (chunk) return chunk->read(from, rows, out);
                          out.append_nulls(rows);
                          return {};
                        });
}

// Ascending rows below the version's end.
Status read_stored_rows(const SnapshotImpl& impl, const ColumnInfo& column, std::span<const uint64_t> rows,
                        ColumnData& out) {
  while (!rows.empty()) {
    STELA_ASSIGN(auto pieces, impl.pieces(column));
    auto at = std::upper_bound(pieces->begin(), pieces->end(), rows.front(),
                               [](uint64_t row, const GroupPiece& piece) { return row < piece.first_row; });
    const GroupPiece& piece = *--at;
    auto end = std::lower_bound(rows.begin(), rows.end(), piece.first_row + piece.rows);
    std::vector<uint64_t> within(rows.begin(), end);
    for (uint64_t& row : within) row = row - piece.first_row + piece.offset;
    rows = rows.subspan(within.size());
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

Result<uint64_t> stored_value_bytes(const SnapshotImpl& impl, const ColumnInfo& column, uint64_t first,
                                    uint64_t count) {
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
  return total;
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

Status Snapshot::read(const ColumnInfo& given, uint64_t first, uint64_t count, ColumnData& out) const {
  STELA_ASSIGN(SnapshotImpl::Current current, impl_->current(given));
  const ColumnInfo& column = current.info();
  STELA_TRY(check_target(column, out));
  return read_cells(*impl_, column, first, count, out);
}

Result<ColumnData> Snapshot::read(std::string_view name, uint64_t first, uint64_t count) const {
  STELA_ASSIGN(ColumnInfo info, column(name));
  ColumnData out(info.type);
  STELA_TRY(read(info, first, count, out));
  return out;
}

Status Snapshot::read_rows(const ColumnInfo& given, std::span<const uint64_t> rows, ColumnData& out) const {
  STELA_ASSIGN(SnapshotImpl::Current current, impl_->current(given));
  const ColumnInfo& column = current.info();
  STELA_TRY(check_target(column, out));
  if (!std::is_sorted(rows.begin(), rows.end())) return invalid("the positions asked for are not in ascending order");
  if (rows.empty()) return {};
  if (rows.back() >= this->rows()) return invalid("row " + std::to_string(rows.back()) + " is beyond the last");
  STELA_TRY(read_stored_rows(*impl_, column, rows, out));
  return column.has_patches() ? lay_over_rows(*impl_, column, rows, out) : Status();
}

Result<uint64_t> Snapshot::value_bytes(const ColumnInfo& given, uint64_t first, uint64_t count) const {
  STELA_ASSIGN(SnapshotImpl::Current current, impl_->current(given));
  const ColumnInfo& column = current.info();
  STELA_ASSIGN(uint64_t stored, stored_value_bytes(*impl_, column, first, count));
  if (!column.type.is_variable() || !column.has_patches()) return stored;
  auto cells = impl_->patches(column).cells(first, count);
  if (!cells.ok()) return impl_->locate(cells.status(), column.name, first, count);
  ColumnData below(column.type);
  STELA_TRY(read_stored_rows(*impl_, column, cells->rows, below));
  return stored - below.view().value_bytes() + cells->values.view().value_bytes();
}

Result<ColumnTotals> Snapshot::totals(const ColumnInfo& given) const {
  STELA_ASSIGN(SnapshotImpl::Current current, impl_->current(given));
  const ColumnInfo& column = current.info();
  ColumnTotals totals;
  totals.rows = rows();
  STELA_TRY(
      for_each_piece(*impl_, column, 0, rows(), [&](const GroupPiece& piece, uint64_t from, uint64_t count) -> Status {
        if (piece.tail) {
          totals.nulls += piece.tail->nulls(column.id, from, count);
          return {};
        }
        STELA_ASSIGN(auto chunk, impl_->chunk(piece, column.id));
        if (!chunk) {
          totals.nulls += count;
        } else if (count == chunk->rows()) {
          totals.nulls += chunk->nulls();
        } else {
          STELA_ASSIGN(uint64_t nulls, chunk->nulls_in(from, count));
          totals.nulls += nulls;
        }
        return {};
      }));
  STELA_ASSIGN(totals.value_bytes, stored_value_bytes(*impl_, column, 0, rows()));
  if (!column.has_patches()) return totals;
  // What is folded counts them already.
  STELA_ASSIGN(SnapshotImpl::FoldPtr fold, impl_->fold(column.id));
  totals.nulls += static_cast<uint64_t>(column.nulls_added - (fold ? fold->entry.nulls_added : 0));
  totals.value_bytes += static_cast<uint64_t>(column.bytes_added - (fold ? fold->entry.bytes_added : 0));
  return totals;
}

namespace {

// Statistics of a column in stretches of rows: those kept where nothing lies over them, else computed.
class StatisticsPass {
 public:
  StatisticsPass(const Snapshot& snapshot, const SnapshotImpl& impl, const ColumnInfo& column)
      : snapshot_(snapshot), impl_(impl), column_(column) {}

  Result<format::Statistics> run() {
    STELA_TRY(find_patched_rows());
    STELA_TRY(for_each_piece(
        impl_, column_, 0, snapshot_.rows(),
        [&](const GroupPiece& piece, uint64_t from, uint64_t count) { return add_piece(piece, from, count); }));
    return result_;
  }

 private:
  Status find_patched_rows() {
    if (!column_.has_patches()) return {};
    uint64_t granule = store::granule_rows(column_.type);
    return store::for_each_patched_granule(impl_.view().catalog(), impl_.stamp(), impl_.dataset(), column_.id,
                                           column_.folded, 0, snapshot_.rows(),
                                           [&](uint64_t first, std::vector<store::BornPatch>&) -> Result<bool> {
                                             if (!patched_.empty() && patched_.back().second == first) {
                                               patched_.back().second += granule;
                                             } else {
                                               patched_.emplace_back(first, first + granule);
                                             }
                                             return true;
                                           });
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
      STELA_TRY(snapshot_.read(column_, row, std::min(kBatch, first + count - row), data));
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

  const Snapshot& snapshot_;
  const SnapshotImpl& impl_;
  const ColumnInfo& column_;
  std::vector<std::pair<uint64_t, uint64_t>> patched_;
  format::Statistics result_;
};

}  // namespace

Result<format::Statistics> Snapshot::statistics(const ColumnInfo& given) const {
  STELA_ASSIGN(SnapshotImpl::Current current, impl_->current(given));
  const ColumnInfo& column = current.info();
  return StatisticsPass(*this, *impl_, column).run();
}

Result<std::optional<FlatColumn>> Snapshot::flat(const ColumnInfo& given, int64_t wait_ns) const {
  STELA_ASSIGN(SnapshotImpl::Current current, impl_->current(given));
  const ColumnInfo& column = current.info();
  if (rows() == 0 || column.has_patches()) return std::optional<FlatColumn>{};
  STELA_ASSIGN(auto pieces, impl_->pieces(column));
  if (pieces->size() != 1 || !(*pieces)[0].fragment) return std::optional<FlatColumn>{};
  STELA_ASSIGN(auto chunk, impl_->chunk((*pieces)[0], column.id));
  if (!chunk || chunk->rows() != rows()) return std::optional<FlatColumn>{};
  auto info = chunk->flat();
  if (!info) return std::optional<FlatColumn>{};
  Clock& clock = impl_->core().env->clock();
  STELA_ASSIGN(bool verified, chunk->verify_flat(clock, clock.monotonic_ns() + wait_ns));
  if (!verified) return std::optional<FlatColumn>{};
  STELA_ASSIGN(auto file, impl_->core().files->open(info->file, format::FileKind::kFlat));
  if (file->size() != info->file_bytes) return damaged("a flat file has changed its size");
  return std::optional(FlatColumn{std::move(file), info->header_bytes, info->file_bytes, info->file.value});
}

Result<uint64_t> Snapshot::stored_bytes(const ColumnInfo& given) const {
  STELA_ASSIGN(SnapshotImpl::Current current, impl_->current(given));
  const ColumnInfo& column = current.info();
  uint64_t total = 0;
  STELA_TRY(
      for_each_piece(*impl_, column, 0, rows(), [&](const GroupPiece& piece, uint64_t from, uint64_t count) -> Status {
        if (piece.tail) {
          total += column.type.is_variable() ? piece.tail->value_bytes(column.id, from, count)
                                             : count * column.type.value_width();
          return {};
        }
        STELA_ASSIGN(auto chunk, impl_->chunk(piece, column.id));
        if (!chunk) return {};
        if (auto flat = chunk->flat()) {
          total += flat->file_bytes;
          return {};
        }
        STELA_ASSIGN(auto pages, chunk->pages());
        for (const format::PageInfo& page : pages) total += page.bytes;
        return {};
      }));
  return total;
}

Result<std::vector<Snapshot::Piece>> Snapshot::pieces(const ColumnInfo& given) const {
  STELA_ASSIGN(SnapshotImpl::Current current, impl_->current(given));
  const ColumnInfo& column = current.info();
  std::vector<Piece> result;
  STELA_TRY(for_each_piece(*impl_, column, 0, rows(), [&](const GroupPiece& piece, uint64_t, uint64_t count) -> Status {
    Piece shown{piece.first_row, count, "tail", {}};
    if (piece.fragment) {
      STELA_ASSIGN(auto chunk, impl_->chunk(piece, column.id));
      shown.where = "null";
      if (chunk) {
        auto flat = chunk->flat();
        shown.where = flat ? format::data_file_name(flat->file, format::FileKind::kFlat)
                           : format::data_file_name(piece.fragment->file, format::FileKind::kFragment) + "@" +
                                 std::to_string(piece.fragment->offset);
        STELA_ASSIGN(shown.pages, chunk->pages());
      }
    }
    result.push_back(std::move(shown));
    return {};
  }));
  return result;
}

namespace {

class SnapshotScanner final : public Scanner {
 public:
  SnapshotScanner(Snapshot snapshot, std::vector<ColumnInfo> columns, uint64_t first, uint64_t count, uint64_t batch)
      : snapshot_(std::move(snapshot)), columns_(std::move(columns)), at_(first), end_(first + count), batch_(batch) {}

  Result<bool> next(Batch* out) override {
    *out = {};
    if (at_ >= end_) return false;
    uint64_t count = std::min(batch_, end_ - at_);
    for (const ColumnInfo& column : columns_) {
      ColumnData data(column.type);
      STELA_TRY(snapshot_.read(column, at_, count, data));
      out->add(column.name, std::move(data));
    }
    at_ += count;
    return true;
  }

 private:
  Snapshot snapshot_;
  std::vector<ColumnInfo> columns_;
  uint64_t at_;
  uint64_t end_;
  uint64_t batch_;
};

}  // namespace

Result<std::unique_ptr<Scanner>> Snapshot::scan(const std::vector<std::string>& names, uint64_t first, uint64_t count,
                                                uint64_t batch_rows) const {
  if (first > rows() || count > rows() - first) {
    return invalid("rows " + std::to_string(first) + " to " + std::to_string(first + count) +
                   " are asked for, but there are " + std::to_string(rows()));
  }
  if (batch_rows == 0) return invalid("a batch of no rows is asked for");
  std::vector<ColumnInfo> chosen;
  if (names.empty()) {
    STELA_ASSIGN(chosen, columns());
  }
  for (const std::string& name : names) {
    STELA_ASSIGN(ColumnInfo info, column(name));
    chosen.push_back(std::move(info));
  }
  return std::unique_ptr<Scanner>(new SnapshotScanner(*this, std::move(chosen), first, count, batch_rows));
}

}  // namespace stela

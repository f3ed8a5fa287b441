#include "engine/store/snapshot.h"

#include <algorithm>

#include "engine/format/encoded_form.h"
#include "engine/store/cells.h"

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

// Decoders write values of the column's width into `out`.
Status check_target(const ColumnInfo& column, const ColumnData& out) {
  if (out.type() == column.type) return {};
  return invalid("column '" + column.name + "' has type " + column.type.name() + " and is read into one of type " +
                 out.type().name());
}

Status check_positions(const VersionInfo& version, uint64_t first, uint64_t count) {
  if (first <= version.rows && count <= version.rows - first) return {};
  return invalid("rows " + std::to_string(first) + " to " + std::to_string(first + count) +
                 " are asked for, but version " + std::to_string(version.number.value) + " has " +
                 std::to_string(version.rows));
}

}  // namespace

Status Snapshot::read(const ColumnInfo& given, uint64_t first, uint64_t count, ColumnData& out) const {
  STELA_ASSIGN(SnapshotImpl::Current current, impl_->current(given));
  const ColumnInfo& column = current.info();
  STELA_TRY(check_target(column, out));
  STELA_TRY(check_positions(version(), first, count));
  STELA_ASSIGN(const store::LivingRows* living, impl_->living());
  if (living->all_live()) return read_cells(*impl_, column, first, count, out);
  return living->for_each(first, count,
                          [&](uint64_t id, uint64_t rows) { return read_cells(*impl_, column, id, rows, out); });
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
  STELA_ASSIGN(const store::LivingRows* living, impl_->living());
  if (living->all_live()) return read_cells_at(*impl_, column, rows, out);
  return read_cells_at(*impl_, column, living->ids_of({rows.begin(), rows.end()}), out);
}

Result<uint64_t> Snapshot::value_bytes(const ColumnInfo& given, uint64_t first, uint64_t count) const {
  STELA_ASSIGN(SnapshotImpl::Current current, impl_->current(given));
  const ColumnInfo& column = current.info();
  STELA_TRY(check_positions(version(), first, count));
  if (!column.type.is_variable()) return count * column.type.value_width();
  STELA_ASSIGN(const store::LivingRows* living, impl_->living());
  uint64_t total = 0;
  STELA_TRY(living->for_each(first, count, [&](uint64_t id, uint64_t rows) -> Status {
    STELA_ASSIGN(uint64_t bytes, cell_bytes(*impl_, column, id, rows));
    total += bytes;
    return {};
  }));
  return total;
}

Result<ColumnTotals> Snapshot::totals(const ColumnInfo& given) const {
  STELA_ASSIGN(SnapshotImpl::Current current, impl_->current(given));
  ColumnTotals totals;
  totals.rows = rows();
  STELA_ASSIGN(const store::LivingRows* living, impl_->living());
  // With all rows living, what the patches add is known; else they are looked at.
  ColumnInfo column = current.info();
  int64_t nulls_added = 0;
  int64_t bytes_added = 0;
  if (column.has_patches() && living->all_live()) {
    STELA_ASSIGN(SnapshotImpl::FoldPtr fold, impl_->fold(column.id));
    nulls_added = column.nulls_added - (fold ? fold->entry.nulls_added : 0);
    bytes_added = column.bytes_added - (fold ? fold->entry.bytes_added : 0);
    column.patched = {};
  }
  for (const store::RowRange& range : living->ranges()) {
    STELA_ASSIGN(uint64_t nulls, cell_nulls(*impl_, column, range.first, range.count));
    STELA_ASSIGN(uint64_t bytes, cell_bytes(*impl_, column, range.first, range.count));
    totals.nulls += nulls;
    totals.value_bytes += bytes;
  }
  totals.nulls += static_cast<uint64_t>(nulls_added);
  totals.value_bytes += static_cast<uint64_t>(bytes_added);
  return totals;
}

Result<format::Statistics> Snapshot::statistics(const ColumnInfo& given) const {
  STELA_ASSIGN(SnapshotImpl::Current current, impl_->current(given));
  STELA_ASSIGN(const store::LivingRows* living, impl_->living());
  return cell_statistics(*impl_, current.info(), *living);
}

Result<std::optional<FlatColumn>> Snapshot::flat(const ColumnInfo& given, int64_t wait_ns) const {
  STELA_ASSIGN(SnapshotImpl::Current current, impl_->current(given));
  const ColumnInfo& column = current.info();
  STELA_ASSIGN(const store::LivingRows* living, impl_->living());
  if (living->ranges().size() != 1 || column.has_patches()) return std::optional<FlatColumn>{};
  const store::RowRange& range = living->ranges()[0];
  std::shared_ptr<const format::ColumnChunk> chunk;
  STELA_TRY(for_each_piece(*impl_, column, range.first, range.count,
                           [&](const GroupPiece& piece, uint64_t from, uint64_t count) -> Status {
                             if (!piece.fragment || from != 0 || count != range.count) return {};
                             STELA_ASSIGN(chunk, impl_->chunk(piece, column.id));
                             return {};
                           }));
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
  STELA_TRY(for_each_piece(*impl_, column, 0, version().row_ids,
                           [&](const GroupPiece& piece, uint64_t from, uint64_t count) -> Status {
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
  STELA_TRY(for_each_piece(
      *impl_, column, 0, version().row_ids, [&](const GroupPiece& piece, uint64_t from, uint64_t count) -> Status {
        Piece shown{piece.first_row, count, "tail", {}, from};
        if (piece.fragment) {
          STELA_ASSIGN(auto chunk, impl_->chunk(piece, column.id));
          shown.where = "null";
          if (chunk) {
            auto flat = chunk->flat();
            shown.where = flat ? format::data_file_name(flat->file, format::FileKind::kFlat)
                               : format::data_file_name(piece.fragment->file, format::FileKind::kFragment) + "@" +
                                     std::to_string(piece.fragment->offset);
            STELA_ASSIGN(shown.pages, chunk->pages());
            std::erase_if(shown.pages, [&](const format::PageInfo& page) {
              return page.first_row >= from + count || page.first_row + page.rows <= from;
            });
          }
        }
        result.push_back(std::move(shown));
        return {};
      }));
  return result;
}

namespace {

// The column as it is stored, below all patches.
Result<ColumnInfo> stored_column(const SnapshotImpl& impl, const ColumnInfo& given, const Snapshot::Piece& piece,
                                 uint64_t first, uint64_t count) {
  if (first > piece.rows || count > piece.rows - first) return invalid("rows beyond a piece's end are asked for");
  STELA_ASSIGN(SnapshotImpl::Current current, impl.current(given));
  ColumnInfo column = current.info();
  column.patched = {};
  return column;
}

// The part of the column that holds a row of the piece, and that row's place within it. None of a tail, and where the
// column has no bytes.
template <typename Visit>
Status visit_chunk(const SnapshotImpl& impl, const ColumnInfo& given, const Snapshot::Piece& piece, uint64_t row,
                   Visit visit) {
  STELA_ASSIGN(const ColumnInfo column, stored_column(impl, given, piece, row, 1));
  return for_each_piece(impl, column, piece.first_row + row, 1,
                        [&](const GroupPiece& part, uint64_t from, uint64_t) -> Status {
                          if (!part.fragment) return {};
                          STELA_ASSIGN(auto chunk, impl.chunk(part, column.id));
                          return chunk ? visit(*chunk, from) : Status();
                        });
}

}  // namespace

Status Snapshot::read_stored(const ColumnInfo& given, const Piece& piece, uint64_t first, uint64_t count,
                             ColumnData& out) const {
  STELA_ASSIGN(const ColumnInfo column, stored_column(*impl_, given, piece, first, count));
  STELA_TRY(check_target(column, out));
  return read_cells(*impl_, column, piece.first_row + first, count, out);
}

Result<format::EncodedPage> Snapshot::stored_page(const ColumnInfo& given, const Piece& piece, uint64_t row) const {
  std::optional<format::EncodedPage> found;
  STELA_TRY(visit_chunk(*impl_, given, piece, row, [&](const format::ColumnChunk& chunk, uint64_t at) -> Status {
    STELA_ASSIGN(found, chunk.encoded_page(at));
    return {};
  }));
  if (!found) return invalid("row " + std::to_string(piece.first_row + row) + " lies in no page");
  return std::move(*found);
}

Result<std::vector<format::Statistics>> Snapshot::stored_stretches(const ColumnInfo& given, const Piece& piece) const {
  std::vector<format::Statistics> found;
  STELA_TRY(visit_chunk(*impl_, given, piece, 0, [&](const format::ColumnChunk& chunk, uint64_t) -> Status {
    STELA_ASSIGN(found, chunk.fine_statistics());
    return {};
  }));
  return found;
}

Status Snapshot::check_stored(const ColumnInfo& given, const Piece& piece,
                              const std::function<void(const format::Damage&)>& damage) const {
  return visit_chunk(*impl_, given, piece, 0, [&](const format::ColumnChunk& chunk, uint64_t) {
    return chunk.verify([&](format::Damage found) {
      found.first_row += piece.first_row - piece.offset;
      damage(found);
    });
  });
}

Result<uint64_t> Snapshot::stored_value_bytes(const ColumnInfo& given, const Piece& piece, uint64_t first,
                                              uint64_t count) const {
  STELA_ASSIGN(const ColumnInfo column, stored_column(*impl_, given, piece, first, count));
  return cell_bytes(*impl_, column, piece.first_row + first, count);
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

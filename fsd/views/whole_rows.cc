#include "fsd/views/whole_rows.h"

#include <algorithm>

namespace stela::fsd {
namespace {

constexpr uint64_t kFineRows = 1024;

struct RowRange {
  uint64_t first = 0, end = 0;
};

bool is_damage(const Status& status) { return status.code() == Code::kDamaged || status.code() == Code::kIo; }

Status read_only(const ColumnSource& column, RowRange rows) {
  ColumnData data(column.type());
  return column.read(rows.first, rows.end - rows.first, data);
}

// Narrows a range that cannot be read to its first and last damaged row.
RowRange narrowed(const ColumnSource& column, RowRange bad) {
  uint64_t low = bad.first, high = bad.end;  // [bad.first, low) can be read, [bad.first, high) cannot
  while (high - low > 1) {
    const uint64_t middle = low + (high - low) / 2;
    (read_only(column, {bad.first, middle}).ok() ? low : high) = middle;
  }
  const uint64_t first = low;
  low = first, high = bad.end;  // [high, bad.end) can be read, [low, bad.end) cannot
  while (high - low > 1) {
    const uint64_t middle = low + (high - low) / 2;
    (read_only(column, {middle, bad.end}).ok() ? high : low) = middle;
  }
  return {first, high};
}

Status find_missing(const ColumnSource& column, std::vector<MissingRows>& missing) {
  const size_t before = missing.size();
  std::vector<RowRange> waiting;
  for (uint64_t row = 0; row < column.rows();) {
    auto step = rows_in_step(column, row, column.rows() - row);
    const uint64_t count = step.ok() ? *step : std::min(kFineRows, column.rows() - row);
    waiting.assign(1, {row, row + count});
    row += count;
    while (!waiting.empty()) {
      const RowRange rows = waiting.back();
      waiting.pop_back();
      const Status status = read_only(column, rows);
      if (status.ok()) continue;
      if (!is_damage(status)) return status;
      if (rows.end - rows.first > kFineRows) {
        const uint64_t middle = rows.first + (rows.end - rows.first) / 2;
        waiting.push_back({middle, rows.end});
        waiting.push_back({rows.first, middle});
        continue;
      }
      const RowRange bad = narrowed(column, rows);
      const bool follows = missing.size() > before && missing.back().end == bad.first;
      if (follows) {
        missing.back().end = bad.end;
      } else {
        missing.push_back({bad.first, bad.end, column.info().name, status.message()});
      }
    }
  }
  return {};
}

// What is left of `rows` rows.
std::vector<RowRange> kept_rows(uint64_t rows, const std::vector<MissingRows>& missing) {
  std::vector<RowRange> gaps;
  for (const MissingRows& gap : missing) gaps.push_back({gap.first, gap.end});
  std::sort(gaps.begin(), gaps.end(), [](const RowRange& a, const RowRange& b) { return a.first < b.first; });
  std::vector<RowRange> kept;
  uint64_t row = 0;
  for (const RowRange& gap : gaps) {
    if (gap.first > row) kept.push_back({row, gap.first});
    row = std::max(row, gap.end);
  }
  if (row < rows) kept.push_back({row, rows});
  return kept;
}

class KeptColumn final : public ColumnSource {
 public:
  KeptColumn(std::shared_ptr<const ColumnSource> all, std::shared_ptr<const std::vector<RowRange>> kept)
      : all_(std::move(all)), kept_(std::move(kept)) {
    for (const RowRange& range : *kept_) rows_ += range.end - range.first;
  }
  const ColumnInfo& info() const override { return all_->info(); }
  uint64_t rows() const override { return rows_; }
  Result<ColumnTotals> totals() const override {
    ColumnTotals totals;
    for (uint64_t row = 0; row < rows_;) {
      STELA_ASSIGN(const uint64_t count, rows_in_step(*this, row, rows_ - row));
      ColumnData data(type());
      STELA_TRY(read(row, count, data));
      totals.rows += count;
      totals.nulls += data.null_count();
      totals.value_bytes += data.view().value_bytes();
      row += count;
    }
    return totals;
  }
  Status read(uint64_t first, uint64_t count, ColumnData& out) const override {
    return for_each_part(first, count, [&](uint64_t from, uint64_t rows) { return all_->read(from, rows, out); });
  }
  Result<uint64_t> value_bytes(uint64_t first, uint64_t count) const override {
    uint64_t bytes = 0;
    STELA_TRY(for_each_part(first, count, [&](uint64_t from, uint64_t rows) -> Status {
      STELA_ASSIGN(const uint64_t more, all_->value_bytes(from, rows));
      bytes += more;
      return {};
    }));
    return bytes;
  }
  Result<format::Statistics> statistics() const override { return unsupported("statistics of a part of the rows"); }
  Result<uint64_t> stored_bytes() const override { return all_->stored_bytes(); }

 private:
  template <typename Visit>
  Status for_each_part(uint64_t first, uint64_t count, Visit visit) const {
    uint64_t position = 0;  // of the range's first row among those kept
    for (const RowRange& range : *kept_) {
      const uint64_t rows = range.end - range.first;
      if (count > 0 && first < position + rows) {
        const uint64_t skipped = first - position;
        const uint64_t taken = std::min(count, rows - skipped);
        STELA_TRY(visit(range.first + skipped, taken));
        first += taken;
        count -= taken;
      }
      position += rows;
    }
    return {};
  }
  std::shared_ptr<const ColumnSource> all_;
  std::shared_ptr<const std::vector<RowRange>> kept_;
  uint64_t rows_ = 0;
};

class KeptTable final : public TableSource {
 public:
  KeptTable(std::shared_ptr<const TableSource> all, std::vector<RowRange> kept)
      : all_(std::move(all)), kept_(std::make_shared<const std::vector<RowRange>>(std::move(kept))) {
    version_ = all_->version();
    version_.rows = 0;
    for (const RowRange& range : *kept_) version_.rows += range.end - range.first;
  }
  const VersionInfo& version() const override { return version_; }
  Result<std::vector<ColumnInfo>> columns() const override { return all_->columns(); }
  std::shared_ptr<const ColumnSource> column(const ColumnInfo& info) const override {
    return std::make_shared<KeptColumn>(all_->column(info), kept_);
  }

 private:
  std::shared_ptr<const TableSource> all_;
  std::shared_ptr<const std::vector<RowRange>> kept_;
  VersionInfo version_;
};

}  // namespace

Result<WholeRows> whole_rows(std::shared_ptr<const TableSource> table) {
  WholeRows whole;
  STELA_ASSIGN(const std::vector<ColumnInfo> columns, table->columns());
  for (const ColumnInfo& info : columns) STELA_TRY(find_missing(*table->column(info), whole.missing));
  if (whole.missing.empty()) {
    whole.table = std::move(table);
    return whole;
  }
  std::vector<RowRange> kept = kept_rows(table->version().rows, whole.missing);
  whole.table = std::make_shared<KeptTable>(std::move(table), std::move(kept));
  return whole;
}

}  // namespace stela::fsd

#include "fsd/views/column_source.h"

#include <algorithm>

namespace stela::fsd {
namespace {

class SnapshotColumn final : public ColumnSource {
 public:
  SnapshotColumn(Snapshot snapshot, ColumnInfo info) : snapshot_(std::move(snapshot)), info_(std::move(info)) {}
  const ColumnInfo& info() const override { return info_; }
  uint64_t rows() const override { return snapshot_.rows(); }
  Result<ColumnTotals> totals() const override { return snapshot_.totals(info_); }
  Status read(uint64_t first, uint64_t count, ColumnData& out) const override {
    return snapshot_.read(info_, first, count, out);
  }
  Result<uint64_t> value_bytes(uint64_t first, uint64_t count) const override {
    return snapshot_.value_bytes(info_, first, count);
  }
  Result<format::Statistics> statistics() const override { return snapshot_.statistics(info_); }
  Result<uint64_t> stored_bytes() const override { return snapshot_.stored_bytes(info_); }

 private:
  Snapshot snapshot_;
  ColumnInfo info_;
};

class SnapshotTable final : public TableSource {
 public:
  explicit SnapshotTable(Snapshot snapshot) : snapshot_(std::move(snapshot)) {}
  const VersionInfo& version() const override { return snapshot_.version(); }
  Result<std::vector<ColumnInfo>> columns() const override { return snapshot_.columns(); }
  std::shared_ptr<const ColumnSource> column(const ColumnInfo& info) const override {
    return snapshot_column(snapshot_, info);
  }

 private:
  Snapshot snapshot_;
};

}  // namespace

std::shared_ptr<const ColumnSource> snapshot_column(const Snapshot& snapshot, const ColumnInfo& column) {
  return std::make_shared<SnapshotColumn>(snapshot, column);
}

std::shared_ptr<const TableSource> snapshot_table(const Snapshot& snapshot) {
  return std::make_shared<SnapshotTable>(snapshot);
}

Result<uint64_t> rows_in_step(const ColumnSource& column, uint64_t first, uint64_t limit) {
  const DataType& type = column.type();
  if (!type.is_variable()) {
    uint64_t fitting = kStepBytes / std::max<uint64_t>(type.value_width(), 1);
    return std::clamp<uint64_t>(std::min(limit, fitting), 1, kStepRows);
  }
  uint64_t count = std::min(limit, kStepRows);
  while (count > 1) {
    STELA_ASSIGN(uint64_t bytes, column.value_bytes(first, count));
    if (bytes <= kStepBytes) break;
    // Aim below the budget by the average seen; at least halve, so that it ends after a few lookups.
    count = std::clamp<uint64_t>(count * (kStepBytes / 2) / bytes, 1, count / 2);
  }
  return count;
}

}  // namespace stela::fsd

// ColumnSlice: some rows of a column, as a column.
#pragma once

#include <memory>

#include "fsd/views/column_source.h"

namespace stela::fsd {

// Statistics and stored bytes are those of the whole column.
class ColumnSlice final : public ColumnSource {
 public:
  ColumnSlice(std::shared_ptr<const ColumnSource> column, uint64_t first, uint64_t rows)
      : column_(std::move(column)), first_(first), rows_(rows) {}
  const ColumnInfo& info() const override { return column_->info(); }
  uint64_t rows() const override { return rows_; }
  // Counts the nulls: a pass over the rows if the column has any.
  Result<ColumnTotals> totals() const override;
  Status read(uint64_t first, uint64_t count, ColumnData& out) const override {
    return column_->read(first_ + first, count, out);
  }
  Result<uint64_t> value_bytes(uint64_t first, uint64_t count) const override {
    return column_->value_bytes(first_ + first, count);
  }
  Result<format::Statistics> statistics() const override { return column_->statistics(); }
  Result<uint64_t> stored_bytes() const override { return column_->stored_bytes(); }

 private:
  const std::shared_ptr<const ColumnSource> column_;
  const uint64_t first_, rows_;
};

}  // namespace stela::fsd

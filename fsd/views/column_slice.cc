#include "fsd/views/column_slice.h"

namespace stela::fsd {

Result<ColumnTotals> ColumnSlice::totals() const {
  STELA_ASSIGN(ColumnTotals whole, column_->totals());
  ColumnTotals totals{.rows = rows_, .nulls = 0, .value_bytes = rows_ * type().value_width()};
  if (type().is_variable()) {
    STELA_ASSIGN(totals.value_bytes, value_bytes(0, rows_));
  }
  if (whole.nulls == 0) return totals;
  ColumnData data(type());
  for (uint64_t row = 0; row < rows_;) {
    STELA_ASSIGN(uint64_t count, rows_in_step(*this, row, rows_ - row));
    data.clear();
    STELA_TRY(read(row, count, data));
    totals.nulls += data.null_count();
    row += count;
  }
  return totals;
}

}  // namespace stela::fsd

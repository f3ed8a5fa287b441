// Bytes of a column's regions, made from ranges of rows in bounded steps: shared by .npy and .arrow.
#pragma once

#include "fsd/views/column_source.h"

namespace stela::fsd {

// The column's fixed-width values back to back, as they are stored.
Status fill_values(const ColumnSource& column, uint64_t offset, MutableByteSpan into);
// One byte a row: 1 where there is a value.
Status fill_valid_bytes(const ColumnSource& column, uint64_t offset, MutableByteSpan into);
// One bit a row, least significant first: 1 where there is a value; 0 after the last row.
Status fill_valid_bits(const ColumnSource& column, uint64_t offset, MutableByteSpan into);
// One bit an element of a bool column or tensor, least significant first; 0 after the last.
Status fill_bool_bits(const ColumnSource& column, uint64_t offset, MutableByteSpan into);
// int64 values as int32; nulls are 0. kInvalid names the row of a value that does not fit and `arrow_type`.
Status fill_narrowed(const ColumnSource& column, const char* arrow_type, uint64_t offset, MutableByteSpan into);

}  // namespace stela::fsd

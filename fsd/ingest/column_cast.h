// Values of one type as another that holds them exactly: files of typed values into a dataset that has its types.
#pragma once

#include <string>

#include "engine/types/column.h"

namespace stela::fsd {

// Is there a way from one type to the other, for values that fit? Equal types; integers and floats among each other;
// timestamps of any unit, both with a zone or both without; times of day and durations of any unit; decimals of one
// scale; text and bytes of any length.
bool can_cast(const DataType& from, const DataType& to);

// Appends the rows of `from` to `out`, whose type is the one wanted; nulls stay nulls. kInvalid for the first value
// that would change ("row 3: 300 does not fit int8"), rows counted from `first_row`; `out` means nothing then.
Status append_cast(const ColumnView& from, uint64_t first_row, ColumnData& out);

}  // namespace stela::fsd

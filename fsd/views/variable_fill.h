// Bytes of a variable-width column's Arrow buffers: offsets, and values back to back.
#pragma once

#include "fsd/views/value_offsets.h"

namespace stela::fsd {

// rows + 1 little-endian offsets of `width` bytes, 4 or 8.
Status fill_offsets(const ColumnSource& column, ValueOffsets& offsets, uint64_t width, uint64_t offset,
                    MutableByteSpan into);
Status fill_variable_values(const ColumnSource& column, ValueOffsets& offsets, uint64_t offset, MutableByteSpan into);

}  // namespace stela::fsd

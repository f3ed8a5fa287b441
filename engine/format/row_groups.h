// Rows picked from encodings that decode several neighbours at once.
#pragma once

#include "engine/format/encoding.h"

namespace stela::format {

// Appends the values of ascending rows: those below end_of(row) -> Result<uint64_t>, the end of the group of the first,
// are decoded as one range.
template <typename EndOf>
Status decode_row_groups(const Encoding& encoding, ByteSpan encoded, const DataType& type, uint64_t rows,
                         std::span<const uint32_t> wanted, EndOf end_of, ColumnData& out) {
  for (size_t i = 0; i < wanted.size();) {
    STELA_ASSIGN(const uint64_t group_end, end_of(uint64_t{wanted[i]}));
    size_t end = i + 1;
    while (end < wanted.size() && wanted[end] < group_end) ++end;
    ColumnData part(type);
    const uint64_t count = uint64_t{wanted[end - 1]} - wanted[i] + 1;
    STELA_TRY(encoding.decode_range(encoded, type, rows, wanted[i], count, part));
    for (size_t k = i; k < end; ++k) out.append(part.view().value(wanted[k] - wanted[i]));
    i = end;
  }
  return {};
}

}  // namespace stela::format

// Columns of machine words, 1,024 at a time: what the integer encodings share.
#pragma once

#include <algorithm>
#include <span>

#include "engine/format/encoding.h"
#include "engine/format/lane_packing.h"

namespace stela::format {

// Values are single integers of 1, 2, 4 or 8 bytes: bool, integers, dates and times.
inline bool is_word_type(const DataType& type) {
  return !type.is_tensor() && (type.kind == TypeKind::kBool || type.is_integer() || type.is_temporal());
}
inline bool is_signed_word(const DataType& type) { return type.is_signed_integer() || type.is_temporal(); }

// Calls visit(T{}) with the unsigned integer of `width` bytes; 8 for any width that has none.
template <typename Visit>
auto visit_word(uint64_t width, Visit visit) {
  switch (width) {
    case 1: return visit(uint8_t{0});
    case 2: return visit(uint16_t{0});
    case 4: return visit(uint32_t{0});
    default: return visit(uint64_t{0});
  }
}

inline uint64_t vectors_of(uint64_t rows) { return rows / kVectorRows + (rows % kVectorRows != 0 ? 1 : 0); }
inline uint32_t rows_of_vector(uint64_t rows, uint64_t vector) {
  return static_cast<uint32_t>(std::min<uint64_t>(kVectorRows, rows - vector * kVectorRows));
}

// Writes rows [first, first + count) to `to`. decode(vector, T* out) -> Status gives all rows of one vector; vectors
// are asked for in ascending order.
template <typename T, typename Decode>
Status decode_vectors(uint64_t rows, uint64_t first, uint64_t count, T* to, Decode decode) {
  T part[kVectorRows];
  while (count > 0) {
    uint64_t vector = first / kVectorRows;
    uint64_t skipped = first % kVectorRows;
    uint64_t taken = std::min(count, rows_of_vector(rows, vector) - skipped);
    if (taken == rows_of_vector(rows, vector)) {
      STELA_TRY(decode(vector, to));
    } else {
      STELA_TRY(decode(vector, part));
      std::copy_n(part + skipped, taken, to);
    }
    first += taken;
    to += taken;
    count -= taken;
  }
  return {};
}

// Writes the values of ascending rows to `to`; each vector that holds one is decoded once.
template <typename T, typename Decode>
Status decode_vector_rows(std::span<const uint32_t> wanted, T* to, Decode decode) {
  T values[kVectorRows];
  uint64_t decoded = ~uint64_t{0};
  for (uint32_t row : wanted) {
    if (row / kVectorRows != decoded) {
      decoded = row / kVectorRows;
      STELA_TRY(decode(decoded, values));
    }
    *to++ = values[row % kVectorRows];
  }
  return {};
}

}  // namespace stela::format

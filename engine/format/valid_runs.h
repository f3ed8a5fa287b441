// Values of a column as statistics walk them: run by run of what is not null.
#pragma once

#include <cstring>

#include "engine/types/column.h"

namespace stela::format {

// Calls visit(first, count) for each longest run of valid rows.
template <typename Visit>
void for_valid_runs(const ColumnView& view, Visit visit) {
  if (view.validity == nullptr) {
    if (view.rows > 0) visit(uint64_t{0}, view.rows);
    return;
  }
  uint64_t row = 0;
  while (row < view.rows) {
    while (row < view.rows && !view.is_valid(row)) ++row;
    uint64_t first = row;
    while (row < view.rows && view.is_valid(row)) ++row;
    if (row > first) visit(first, row - first);
  }
}

template <typename T>
T load_value(const std::byte* values, uint64_t index) {
  T value;
  std::memcpy(&value, values + index * sizeof(T), sizeof(T));
  return value;
}

// Half floats in the order of their values, zero for both zeros.
inline int32_t half_order(uint16_t bits) { return (bits & 0x8000) != 0 ? -(bits & 0x7fff) : bits & 0x7fff; }
inline bool half_is_nan(uint16_t bits) { return (bits & 0x7fff) > 0x7c00; }

}  // namespace stela::format

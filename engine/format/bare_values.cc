#include "engine/format/bare_values.h"

namespace stela::format {
namespace {

// `to` holds the values.
void carry_values(const ColumnView& values, uint64_t width, std::byte* to) {
  uint64_t first = 0;
  while (first < values.rows && !values.is_valid(first)) ++first;
  if (first == values.rows) return;
  for_each_zero_bit(values.validity, values.validity_offset, values.rows, [&](uint64_t row) {
    std::memcpy(to + row * width, row == 0 ? to + first * width : to + (row - 1) * width, width);
  });
}

}  // namespace

BareValues::BareValues(const ColumnView& values) : bare_(values), copy_(*values.type) {
  const bool has_nulls = values.null_count() > 0;
  bare_.validity = nullptr;
  if (values.type->is_variable() || values.rows == 0) return;
  if (!has_nulls && reinterpret_cast<uintptr_t>(values.values) % sizeof(uint64_t) == 0) return;
  const uint64_t width = values.type->value_width();
  std::byte* to = copy_.grow_fixed(values.rows);
  std::memcpy(to, values.values, values.rows * width);
  if (has_nulls) carry_values(values, width, to);
  copied_ = true;
}

}  // namespace stela::format

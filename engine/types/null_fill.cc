#include <limits>

#include "engine/types/column.h"

namespace stela {
namespace {

template <typename T>
void repeat(Buffer& out, T element, uint64_t elements) {
  for (uint64_t i = 0; i < elements; ++i) out.append_value(element);
}

template <typename T>
void put_in_nulls(const Buffer& fill, uint64_t rows, const uint8_t* validity, uint64_t offset, std::byte* values) {
  const T element = *fill.as<T>();
  for_each_zero_bit(validity, offset, rows,
                    [&](uint64_t row) { std::memcpy(values + row * sizeof(T), &element, sizeof(T)); });
}

}  // namespace

Buffer null_fill(const DataType& type) {
  Buffer fill;
  fill.reserve(type.value_width());
  // One quiet NaN a width, so that the bytes of a view never depend on how a null came about.
  switch (type.kind) {
    case TypeKind::kFloat16: repeat(fill, uint16_t{0x7e00}, type.elements()); break;
    case TypeKind::kFloat32: repeat(fill, uint32_t{0x7fc00000}, type.elements()); break;
    case TypeKind::kFloat64: repeat(fill, uint64_t{0x7ff8000000000000}, type.elements()); break;
    case TypeKind::kDate:
    case TypeKind::kTimestamp:
    case TypeKind::kTime:
    case TypeKind::kDuration: fill.append_value(std::numeric_limits<int64_t>::min()); break;
    default: fill.append_zeros(type.value_width());
  }
  return fill;
}

void fill_null_slots(const DataType& type, uint64_t rows, const uint8_t* validity, uint64_t validity_offset,
                     std::byte* values) {
  if (validity == nullptr || type.is_variable()) return;
  if (count_zero_bits(validity, validity_offset, rows) == 0) return;
  const Buffer fill = null_fill(type);
  switch (fill.size()) {
    case 1: return put_in_nulls<uint8_t>(fill, rows, validity, validity_offset, values);
    case 2: return put_in_nulls<uint16_t>(fill, rows, validity, validity_offset, values);
    case 4: return put_in_nulls<uint32_t>(fill, rows, validity, validity_offset, values);
    case 8: return put_in_nulls<uint64_t>(fill, rows, validity, validity_offset, values);
    default:
      for_each_zero_bit(validity, validity_offset, rows,
                        [&](uint64_t row) { std::memcpy(values + row * fill.size(), fill.data(), fill.size()); });
  }
}

}  // namespace stela

#include "fsd/views/column_fill.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#include "fsd/views/overlap.h"

namespace stela::fsd {
namespace {

// Reads rows [first, last) in steps and hands each to `take(first row, view)`.
template <typename Take>
Status for_each_step(const ColumnSource& column, uint64_t first, uint64_t last, Take take) {
  ColumnData data(column.type());
  while (first < last) {
    STELA_ASSIGN(uint64_t count, rows_in_step(column, first, last - first));
    data.clear();
    STELA_TRY(column.read(first, count, data));
    STELA_CHECK(data.rows() == count, std::to_string(data.rows()) + " rows for " + std::to_string(count));
    STELA_TRY(take(first, data.view()));
    first += count;
  }
  return {};
}

void set_bit(MutableByteSpan into, uint64_t bit) { into[bit >> 3] |= std::byte{1} << (bit & 7); }

}  // namespace

Status fill_values(const ColumnSource& column, uint64_t offset, MutableByteSpan into) {
  uint64_t width = column.type().value_width();
  uint64_t last = (offset + into.size() + width - 1) / width;
  return for_each_step(column, offset / width, last, [&](uint64_t first, const ColumnView& view) {
    copy_overlap({view.values, view.rows * width}, first * width, offset, into);
    return Status();
  });
}

Status fill_valid_bytes(const ColumnSource& column, uint64_t offset, MutableByteSpan into) {
  return for_each_step(column, offset, offset + into.size(), [&](uint64_t first, const ColumnView& view) {
    for (uint64_t i = 0; i < view.rows; ++i) into[first - offset + i] = std::byte{view.is_valid(i)};
    return Status();
  });
}

Status fill_valid_bits(const ColumnSource& column, uint64_t offset, MutableByteSpan into) {
  std::memset(into.data(), 0, into.size());
  uint64_t last = std::min(column.rows(), (offset + into.size()) * 8);
  return for_each_step(column, offset * 8, last, [&](uint64_t first, const ColumnView& view) {
    for (uint64_t i = 0; i < view.rows; ++i) {
      if (view.is_valid(i)) set_bit(into, first - offset * 8 + i);
    }
    return Status();
  });
}

Status fill_bool_bits(const ColumnSource& column, uint64_t offset, MutableByteSpan into) {
  std::memset(into.data(), 0, into.size());
  uint64_t elements = column.type().elements();
  uint64_t first_bit = offset * 8;
  uint64_t last_bit = std::min(column.rows() * elements, first_bit + into.size() * 8);
  uint64_t last = (last_bit + elements - 1) / elements;
  return for_each_step(column, first_bit / elements, last, [&](uint64_t first, const ColumnView& view) {
    uint64_t from = std::max(first * elements, first_bit);
    uint64_t to = std::min((first + view.rows) * elements, last_bit);
    for (uint64_t bit = from; bit < to; ++bit) {
      if (view.values[bit - first * elements] != std::byte{0}) set_bit(into, bit - first_bit);
    }
    return Status();
  });
}

Status fill_narrowed(const ColumnSource& column, const char* arrow_type, uint64_t offset, MutableByteSpan into) {
  uint64_t last = (offset + into.size() + 3) / 4;
  return for_each_step(column, offset / 4, last, [&](uint64_t first, const ColumnView& view) {
    for (uint64_t i = 0; i < view.rows; ++i) {
      auto value = view.is_valid(i) ? get_fixed<int64_t>(view.values + i * 8) : 0;
      if (value < std::numeric_limits<int32_t>::min() || value > std::numeric_limits<int32_t>::max()) {
        return invalid("column '" + column.info().name + "': row " + std::to_string(first + i) + " (" +
                       std::to_string(value) + ") does not fit Arrow's " + arrow_type +
                       "; read this column as .npy instead");
      }
      auto narrow = static_cast<int32_t>(value);
      copy_overlap(std::as_bytes(std::span(&narrow, 1)), (first + i) * 4, offset, into);
    }
    return Status();
  });
}

}  // namespace stela::fsd

#include "fsd/views/variable_fill.h"

#include <algorithm>
#include <string>

#include "fsd/views/overlap.h"

namespace stela::fsd {
namespace {

Status lengths_disagree(const ColumnSource& column, uint64_t row) {
  return damaged("column '" + column.info().name + "': the values up to row " + std::to_string(row) +
                 " are longer or shorter than its totals say; run stela check");
}

}  // namespace

Status fill_offsets(const ColumnSource& column, ValueOffsets& offsets, uint64_t width, uint64_t offset,
                    MutableByteSpan into) {
  uint64_t first = offset / width;
  uint64_t end = (offset + into.size() + width - 1) / width;  // of the entries wanted; entry i begins row i
  STELA_ASSIGN(ValueOffsets::Place place, offsets.place_of_row(first));
  auto put = [&](ValueOffsets::Place entry) {
    copy_overlap({reinterpret_cast<const std::byte*>(&entry.begin), width}, entry.row * width, offset, into);
  };
  put(place);
  ColumnData data(column.type());
  while (place.row + 1 < end) {
    STELA_ASSIGN(uint64_t count, rows_in_step(column, place.row, end - 1 - place.row));
    data.clear();
    STELA_TRY(column.read(place.row, count, data));
    ColumnView view = data.view();
    for (uint64_t i = 0; i < count; ++i) {
      place = {place.row + 1, place.begin + (view.offsets[i + 1] - view.offsets[i])};
      put(place);
    }
    if (place.begin > offsets.total()) return lengths_disagree(column, place.row);
  }
  offsets.remember(place);
  return {};
}

Status fill_variable_values(const ColumnSource& column, ValueOffsets& offsets, uint64_t offset, MutableByteSpan into) {
  uint64_t end = offset + into.size();
  uint64_t average = std::max<uint64_t>(offsets.total() / column.rows(), 1);
  STELA_ASSIGN(ValueOffsets::Place place, offsets.place_before(offset));
  ColumnData data(column.type());
  while (place.begin < end) {
    uint64_t rows_left = column.rows() - place.row;
    if (rows_left == 0) return lengths_disagree(column, place.row);
    uint64_t likely = (end - place.begin) / average + 16;
    STELA_ASSIGN(uint64_t count, rows_in_step(column, place.row, std::min(rows_left, likely)));
    data.clear();
    STELA_TRY(column.read(place.row, count, data));
    ColumnView view = data.view();
    // The last row may reach beyond the range: it is where the next read begins.
    ValueOffsets::Place last{place.row + count - 1, place.begin + (view.offsets[count - 1] - view.offsets[0])};
    uint64_t bytes = view.value_bytes();
    copy_overlap({view.values + view.offsets[0], bytes}, place.begin, offset, into);
    place = {place.row + count, place.begin + bytes};
    if (place.begin > offsets.total()) return lengths_disagree(column, place.row);
    if (place.begin > end && last.begin <= end) offsets.remember(last);
    if (place.begin == end) offsets.remember(place);
  }
  return {};
}

}  // namespace stela::fsd

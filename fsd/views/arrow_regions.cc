#include "fsd/views/arrow_regions.h"

#include "fsd/views/column_fill.h"
#include "fsd/views/variable_fill.h"

namespace stela::fsd {
namespace {

using ColumnPointer = std::shared_ptr<const ColumnSource>;

FillRegion fill_of(ArrowBuffer kind, const ColumnPointer& column, bool large,
                   const std::shared_ptr<ValueOffsets>& offsets) {
  switch (kind) {
    case ArrowBuffer::kValidity:
      return [column](uint64_t offset, MutableByteSpan into) { return fill_valid_bits(*column, offset, into); };
    case ArrowBuffer::kOffsets:
      return [column, offsets, width = large ? 8 : 4](uint64_t offset, MutableByteSpan into) {
        return fill_offsets(*column, *offsets, static_cast<uint64_t>(width), offset, into);
      };
    case ArrowBuffer::kBytes:
      return [column, offsets](uint64_t offset, MutableByteSpan into) {
        return fill_variable_values(*column, *offsets, offset, into);
      };
    case ArrowBuffer::kNarrowed:
      return [column](uint64_t offset, MutableByteSpan into) {
        return fill_narrowed(*column, arrow_narrowed_type(column->type()), offset, into);
      };
    case ArrowBuffer::kBoolBits:
      return [column](uint64_t offset, MutableByteSpan into) { return fill_bool_bits(*column, offset, into); };
    case ArrowBuffer::kFixed: break;
  }
  return [column](uint64_t offset, MutableByteSpan into) { return fill_values(*column, offset, into); };
}

}  // namespace

void add_arrow_regions(RegionView& view, ColumnPointer column, uint64_t value_bytes, bool large,
                       std::span<const ArrowRegion> regions) {
  std::shared_ptr<ValueOffsets> offsets;
  if (column->type().is_variable()) offsets = std::make_shared<ValueOffsets>(column, value_bytes);
  for (const ArrowRegion& region : regions) {
    if (region.bytes == 0) continue;
    view.add(region.bytes, fill_of(region.kind, column, large, offsets));
    view.add_zeros(region.padding_bytes);
  }
}

}  // namespace stela::fsd

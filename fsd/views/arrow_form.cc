// .arrow: an Arrow IPC file of one column and one record batch.
#include "fsd/views/arrow_layout.h"
#include "fsd/views/column_fill.h"
#include "fsd/views/column_form.h"
#include "fsd/views/region_view.h"
#include "fsd/views/variable_fill.h"

namespace stela::fsd {
namespace {

using ColumnPointer = std::shared_ptr<const ColumnSource>;

FillRegion fill_of(const ArrowLayout& layout, ArrowBuffer kind, const ColumnPointer& column,
                   const std::shared_ptr<ValueOffsets>& offsets) {
  switch (kind) {
    case ArrowBuffer::kValidity:
      return [column](uint64_t offset, MutableByteSpan into) { return fill_valid_bits(*column, offset, into); };
    case ArrowBuffer::kOffsets:
      return [column, offsets, width = layout.large ? 8 : 4](uint64_t offset, MutableByteSpan into) {
        return fill_offsets(*column, *offsets, static_cast<uint64_t>(width), offset, into);
      };
    case ArrowBuffer::kBytes:
      return [column, offsets](uint64_t offset, MutableByteSpan into) {
        return fill_variable_values(*column, *offsets, offset, into);
      };
    case ArrowBuffer::kNarrowed:
      return [column, type = layout.narrowed_type](uint64_t offset, MutableByteSpan into) {
        return fill_narrowed(*column, type, offset, into);
      };
    case ArrowBuffer::kBoolBits:
      return [column](uint64_t offset, MutableByteSpan into) { return fill_bool_bits(*column, offset, into); };
    case ArrowBuffer::kFixed: break;
  }
  return [column](uint64_t offset, MutableByteSpan into) { return fill_values(*column, offset, into); };
}

class ArrowForm final : public ColumnForm {
 public:
  const char* extension() const override { return ".arrow"; }
  Status supports(const DataType& type) const override {
    if (type.kind < TypeKind::kList) return {};
    return unsupported("columns of type " + type.name() + " have no views yet");
  }
  bool shows_name() const override { return true; }
  bool size_is_cheap(const DataType&) const override { return true; }

  Result<std::unique_ptr<View>> open_source(ColumnPointer column, std::optional<uint64_t>) const override {
    STELA_ASSIGN(ColumnTotals totals, column->totals());
    ArrowLayout layout = arrow_layout(column->info(), totals);
    std::shared_ptr<ValueOffsets> offsets;
    if (column->type().is_variable()) offsets = std::make_shared<ValueOffsets>(column, totals.value_bytes);
    auto view = std::make_unique<RegionView>();
    view->add_bytes(std::move(layout.head));
    for (const ArrowRegion& region : layout.regions) {
      view->add(region.bytes, fill_of(layout, region.kind, column, offsets));
      view->add_zeros(region.padding_bytes);
    }
    view->add_bytes(std::move(layout.tail));
    return {std::move(view)};
  }
};

}  // namespace

const ColumnForm& arrow_form() {
  static const ArrowForm form;
  return form;
}

}  // namespace stela::fsd

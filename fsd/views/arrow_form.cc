// .arrow: an Arrow IPC file of one column and one record batch.
#include "fsd/views/arrow_layout.h"
#include "fsd/views/arrow_regions.h"
#include "fsd/views/column_form.h"
#include "fsd/views/region_view.h"

namespace stela::fsd {
namespace {

class ArrowForm final : public ColumnForm {
 public:
  const char* extension() const override { return ".arrow"; }
  Status supports(const DataType& type) const override {
    if (type.kind < TypeKind::kList) return {};
    return unsupported("columns of type " + type.name() + " have no views yet");
  }
  bool shows_name() const override { return true; }
  bool size_is_cheap(const DataType&) const override { return true; }

  Result<std::unique_ptr<View>> open_source(std::shared_ptr<const ColumnSource> column,
                                            std::optional<uint64_t>) const override {
    STELA_ASSIGN(ColumnTotals totals, column->totals());
    ArrowLayout layout = arrow_layout(column->info(), totals);
    auto view = std::make_unique<RegionView>();
    view->add_bytes(std::move(layout.head));
    add_arrow_regions(*view, column, totals.value_bytes, layout.large, layout.regions);
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

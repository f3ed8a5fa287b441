// .npy: np.save's header, then the values as they are stored. .valid.npy: a bool array, true where there
// is a value.
#include <cstring>

#include "engine/format/fragment.h"
#include "fsd/views/column_fill.h"
#include "fsd/views/column_form.h"
#include "fsd/views/region_view.h"

namespace stela::fsd {
namespace {

Status require_numpy(const DataType& type, const char* extension) {
  if (type.is_numpy()) return {};
  return unsupported("numpy has no type for " + type.name() + ", so there is no " + extension +
                     " of it; read the column as .arrow (or .csv, .txt)");
}

class NpyForm final : public ColumnForm {
 public:
  const char* extension() const override { return ".npy"; }
  Status supports(const DataType& type) const override { return require_numpy(type, extension()); }
  bool shows_name() const override { return false; }
  bool size_is_cheap(const DataType&) const override { return true; }

  Result<std::unique_ptr<View>> open_source(std::shared_ptr<const ColumnSource> column,
                                            std::optional<uint64_t>) const override {
    auto view = std::make_unique<RegionView>();
    view->add_bytes(format::npy_header(column->type(), column->rows()));
    view->add(column->rows() * column->type().value_width(),
              [column](uint64_t offset, MutableByteSpan into) { return fill_values(*column, offset, into); });
    return {std::move(view)};
  }
};

class ValidNpyForm final : public ColumnForm {
 public:
  const char* extension() const override { return ".valid.npy"; }
  Status supports(const DataType& type) const override { return require_numpy(type, extension()); }
  bool shows_name() const override { return false; }
  bool size_is_cheap(const DataType&) const override { return true; }

  Result<std::unique_ptr<View>> open_source(std::shared_ptr<const ColumnSource> column,
                                            std::optional<uint64_t>) const override {
    STELA_ASSIGN(ColumnTotals totals, column->totals());
    auto view = std::make_unique<RegionView>();
    view->add_bytes(format::npy_header(DataType::of(TypeKind::kBool), column->rows()));
    view->add(column->rows(), [column, all_valid = totals.nulls == 0](uint64_t offset, MutableByteSpan into) {
      if (!all_valid) return fill_valid_bytes(*column, offset, into);
      std::memset(into.data(), 1, into.size());
      return Status();
    });
    return {std::move(view)};
  }
};

}  // namespace

const ColumnForm& npy_form() {
  static const NpyForm form;
  return form;
}

const ColumnForm& valid_npy_form() {
  static const ValidNpyForm form;
  return form;
}

}  // namespace stela::fsd

// .table.csv: all columns in the order of their creation; a header line, then a line a row.
#include "fsd/views/column_form.h"
#include "fsd/views/csv_header.h"
#include "fsd/views/table_lines.h"

namespace stela::fsd {
namespace {

LineShape csv_shape(const std::vector<ColumnInfo>& columns) {
  LineShape shape{.style = FieldStyle::kCsv, .header = {}, .before = {}, .after = "\n"};
  for (const ColumnInfo& column : columns) {
    shape.before.emplace_back(shape.before.empty() ? "" : ",");
    if (!shape.header.empty()) shape.header.push_back(',');
    append_csv_header_field(column.name, shape.header.empty(), shape.header);
  }
  if (!columns.empty()) shape.header.push_back('\n');
  return shape;
}

class TableCsvForm final : public TableSourceForm {
 public:
  const char* name() const override { return ".table.csv"; }
  bool size_is_cheap() const override { return false; }
  Result<std::unique_ptr<View>> open_source(std::shared_ptr<const TableSource> table,
                                            std::optional<uint64_t> remembered_size) const override {
    STELA_ASSIGN(std::vector<ColumnInfo> columns, table->columns());
    for (const ColumnInfo& column : columns) STELA_TRY(csv_form().supports(column.type));
    auto lines = std::make_unique<TableLines>(*table, columns, csv_shape(columns));
    return {std::make_unique<TextView>(std::move(lines), remembered_size)};
  }
};

}  // namespace

const TableSourceForm& table_csv_form() {
  static const TableCsvForm form;
  return form;
}

}  // namespace stela::fsd

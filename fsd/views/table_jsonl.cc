// .table.jsonl: one JSON object a row, members in the order of the columns' creation, nulls as null.
#include "fsd/views/column_form.h"
#include "fsd/views/table_lines.h"
#include "fsd/views/text_format.h"
#include "fsd/views/utf8_text.h"

namespace stela::fsd {
namespace {

LineShape jsonl_shape(const std::vector<ColumnInfo>& columns) {
  LineShape shape{.style = FieldStyle::kJson, .header = {}, .before = {}, .after = "}\n"};
  for (const ColumnInfo& column : columns) {
    std::string before = shape.before.empty() ? "{" : ",";
    append_json_text(valid_utf8(column.name), before);
    before.push_back(':');
    shape.before.push_back(std::move(before));
  }
  return shape;
}

class TableJsonlForm final : public TableSourceForm {
 public:
  const char* name() const override { return ".table.jsonl"; }
  bool size_is_cheap() const override { return false; }
  Result<std::unique_ptr<View>> open_source(std::shared_ptr<const TableSource> table,
                                            std::optional<uint64_t> remembered_size) const override {
    STELA_ASSIGN(std::vector<ColumnInfo> columns, table->columns());
    for (const ColumnInfo& column : columns) STELA_TRY(csv_form().supports(column.type));
    auto lines = std::make_unique<TableLines>(*table, columns, jsonl_shape(columns));
    return {std::make_unique<TextView>(std::move(lines), remembered_size)};
  }
};

}  // namespace

const TableSourceForm& table_jsonl_form() {
  static const TableJsonlForm form;
  return form;
}

}  // namespace stela::fsd

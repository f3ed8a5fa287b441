// .table.csv: all columns in the order of their creation; a header line, then a line a row.
#include <algorithm>

#include "fsd/views/column_form.h"
#include "fsd/views/csv_header.h"
#include "fsd/views/text_format.h"
#include "fsd/views/text_view.h"

namespace stela::fsd {
namespace {

// Bytes of values decoded at once, for all columns together; small steps of many columns cost a lookup a
// column, so a step is larger here than elsewhere.
constexpr uint64_t kTableStepBytes = 8 << 20;
constexpr uint64_t kTableStepRows = 4096;

class TableLines final : public LineSource {
 public:
  TableLines(const TableSource& table, const std::vector<ColumnInfo>& columns) : rows_(table.version().rows) {
    columns_.reserve(columns.size());
    for (const ColumnInfo& info : columns) {
      columns_.push_back(table.column(info));
      fixed_row_bytes_ += info.type.is_variable() ? sizeof(uint64_t) : info.type.value_width();
    }
    if (columns_.empty()) rows_ = 0;  // rows without columns have no text
  }

  std::string header() const override {
    std::string line;
    for (const auto& column : columns_) {
      if (!line.empty()) line.push_back(',');
      append_csv_header_field(column->info().name, line.empty(), line);
    }
    if (!columns_.empty()) line.push_back('\n');
    return line;
  }

  uint64_t rows() const override { return rows_; }

  Result<uint64_t> append_lines(uint64_t first, uint64_t last, std::string& out) const override {
    STELA_ASSIGN(uint64_t count, rows_at_once(first, last - first));
    std::vector<ColumnData> data;
    data.reserve(columns_.size());
    for (const auto& column : columns_) {
      STELA_TRY(column->read(first, count, data.emplace_back(column->type())));
    }
    std::vector<ColumnView> views;
    views.reserve(data.size());
    for (const ColumnData& values : data) views.push_back(values.view());
    for (uint64_t row = 0; row < count; ++row) {
      for (size_t i = 0; i < views.size(); ++i) {
        if (i > 0) out.push_back(',');
        append_csv_field(views[i], row, out);
      }
      out.push_back('\n');
    }
    return count;
  }

 private:
  // As many rows as fit kTableStepBytes with the lengths they really have; at least one.
  Result<uint64_t> rows_at_once(uint64_t first, uint64_t limit) const {
    uint64_t fitting = kTableStepBytes / std::max<uint64_t>(fixed_row_bytes_, 1);
    uint64_t count = std::clamp<uint64_t>(std::min(limit, fitting), 1, kTableStepRows);
    while (count > 1) {
      uint64_t bytes = count * fixed_row_bytes_;
      for (const auto& column : columns_) {
        if (!column->type().is_variable()) continue;
        STELA_ASSIGN(uint64_t more, column->value_bytes(first, count));
        bytes += more;
        if (bytes > kTableStepBytes) break;
      }
      if (bytes <= kTableStepBytes) break;
      count /= 2;
    }
    return count;
  }

  uint64_t rows_;
  uint64_t fixed_row_bytes_ = 0;
  std::vector<std::shared_ptr<const ColumnSource>> columns_;
};

class TableCsvForm final : public TableSourceForm {
 public:
  const char* name() const override { return ".table.csv"; }
  bool size_is_cheap() const override { return false; }
  Result<std::unique_ptr<View>> open_source(std::shared_ptr<const TableSource> table,
                                            std::optional<uint64_t> remembered_size) const override {
    STELA_ASSIGN(std::vector<ColumnInfo> columns, table->columns());
    for (const ColumnInfo& column : columns) STELA_TRY(csv_form().supports(column.type));
    return {std::make_unique<TextView>(std::make_unique<TableLines>(*table, columns), remembered_size)};
  }
};

}  // namespace

const TableSourceForm& table_csv_form() {
  static const TableCsvForm form;
  return form;
}

}  // namespace stela::fsd

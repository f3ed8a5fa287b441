// TableLines: the rows of a whole dataset as lines of text, all columns in the order of their creation.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fsd/views/column_source.h"
#include "fsd/views/field_writer.h"
#include "fsd/views/text_view.h"

namespace stela::fsd {

// What stands around the fields of a line.
struct LineShape {
  FieldStyle style = FieldStyle::kCsv;
  std::string header;               // the first line, its end included; may be empty
  std::vector<std::string> before;  // before the field of each column
  std::string after;                // after the last field, the line's end included
};

class TableLines final : public LineSource {
 public:
  // `shape` has as many strings before fields as `columns`. Rows without columns have no text.
  TableLines(const TableSource& table, const std::vector<ColumnInfo>& columns, LineShape shape);

  std::string header() const override { return shape_.header; }
  uint64_t rows() const override { return rows_; }
  Result<uint64_t> rows_at_once(uint64_t first, uint64_t last) const override;
  Status append_lines(uint64_t first, uint64_t count, std::string& out) const override;

 private:
  const LineShape shape_;
  uint64_t rows_;
  uint64_t fixed_row_bytes_ = 0;
  std::vector<std::shared_ptr<const ColumnSource>> columns_;
};

}  // namespace stela::fsd

#include "fsd/views/table_lines.h"

#include <algorithm>

namespace stela::fsd {
namespace {

// Bytes of values decoded at once, for all columns together.
constexpr uint64_t kTableStepBytes = 4 << 20;
constexpr uint64_t kTableStepRows = 32 << 10;

}  // namespace

TableLines::TableLines(const TableSource& table, const std::vector<ColumnInfo>& columns, LineShape shape)
    : shape_(std::move(shape)), rows_(columns.empty() ? 0 : table.version().rows) {
  columns_.reserve(columns.size());
  for (const ColumnInfo& info : columns) {
    columns_.push_back(table.column(info));
    fixed_row_bytes_ += info.type.is_variable() ? sizeof(uint64_t) : info.type.value_width();
  }
}

// As many rows as fit kTableStepBytes with the lengths they really have; at least one.
Result<uint64_t> TableLines::rows_at_once(uint64_t first, uint64_t last) const {
  uint64_t fitting = kTableStepBytes / std::max<uint64_t>(fixed_row_bytes_, 1);
  uint64_t count = std::clamp<uint64_t>(std::min(last - first, fitting), 1, kTableStepRows);
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

Status TableLines::append_lines(uint64_t first, uint64_t count, std::string& out) const {
  std::vector<ColumnData> data;
  std::vector<ColumnView> views;
  std::vector<FieldWriter> writers;
  data.reserve(columns_.size());
  views.reserve(columns_.size());
  writers.reserve(columns_.size());
  for (const auto& column : columns_) {
    STELA_TRY(column->read(first, count, data.emplace_back(column->type())));
    views.push_back(data.back().view());
    writers.emplace_back(column->type(), shape_.style);
  }
  TextOut lines;
  for (uint64_t row = 0; row < count; ++row) {
    for (size_t i = 0; i < views.size(); ++i) {
      lines.append(shape_.before[i]);
      writers[i].write(views[i], row, lines);
    }
    lines.append(shape_.after);
  }
  out.append(lines.text());
  return {};
}

}  // namespace stela::fsd

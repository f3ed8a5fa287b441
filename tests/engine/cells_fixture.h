// Cells of integer columns, to write and as they are read.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "engine/store/store.h"

namespace stela::cells {

using Cells = std::vector<std::optional<int64_t>>;

inline ColumnData data_of(const Cells& cells) {
  ColumnData column(DataType::of(TypeKind::kInt64));
  for (const auto& cell : cells) {
    if (cell) {
      column.append_value<int64_t>(*cell);
    } else {
      column.append_nulls(1);
    }
  }
  return column;
}

inline Cells cells_of(const ColumnView& view) {
  Cells cells;
  for (uint64_t row = 0; row < view.rows; ++row) {
    cells.push_back(view.is_valid(row) ? std::optional(get_fixed<int64_t>(view.value(row).data())) : std::nullopt);
  }
  return cells;
}

inline Cells read(const Snapshot& snapshot, std::string_view column) {
  auto data = snapshot.read(column, 0, snapshot.rows());
  EXPECT_TRUE(data.ok()) << data.status().message();
  return data.ok() ? cells_of(data->view()) : Cells();
}

}  // namespace stela::cells

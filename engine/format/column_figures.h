// ColumnFigures: the figures of a column, its pages and its stretches of rows, in a sealed block of their own, so that
// who reads values does not read them. Layout: fragment_format.md.
#pragma once

#include <string>

#include "engine/format/entry_tree.h"
#include "engine/format/statistics.h"

namespace stela::format {

struct ColumnFigures {
  EntryTree pages;  // key: page ordinal; entry: figures; empty with fewer than two pages
  EntryTree fine;   // key: first row; likewise; empty when one entry would say what the column's say
};
inline constexpr uint32_t kColumnFiguresBytesMax = 1 << 20;

// Without the seal. Of all rows those of `statistics`.
std::string encode_column_figures(const Statistics& statistics, const ColumnFigures& figures);
// The column's into `statistics`, which has rows and nulls. kDamaged when malformed; unknown fields are passed over.
Status decode_column_figures(std::string_view bytes, Statistics* statistics, ColumnFigures* figures);

}  // namespace stela::format

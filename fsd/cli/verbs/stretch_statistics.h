// For `stela inspect`: what is known of each 8,192 rows of a column, as it is kept beside its pages.
#pragma once

#include <string>
#include <vector>

#include "engine/store/snapshot.h"

namespace stela::fsd {

struct Stretch {
  uint64_t first_row = 0, rows = 0;  // of the dataset
  bool whole = true;                 // else more rows were counted, which the version does not have
  format::Statistics statistics;     // of the rows as they are stored
};
struct Stretches {
  std::vector<Stretch> list;  // none of a tail, and where the column has no bytes
  std::string damage;         // why what is kept cannot be read; empty: it can
};

// Damage is told, not an error. O(rows / 8,192).
Result<Stretches> stretches_of(const Snapshot& snapshot, const ColumnInfo& column, const Snapshot::Piece& piece);
std::string stretches_as_json(const DataType& type, const Stretches& stretches);
// Lines of a table: rows, nulls, what is known of the values.
std::vector<std::vector<std::string>> stretches_as_rows(const DataType& type, const Stretches& stretches);

}  // namespace stela::fsd

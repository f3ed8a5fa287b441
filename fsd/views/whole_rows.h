// The rows of a version that can still be read where others are damaged.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fsd/views/column_source.h"

namespace stela::fsd {

// Rows [first, end) of a column that cannot be read.
struct MissingRows {
  uint64_t first = 0, end = 0;
  std::string column;
  std::string reason;
};

struct WholeRows {
  std::shared_ptr<const TableSource> table;  // of the rows that no column lacks, in their order
  std::vector<MissingRows> missing;          // column by column, ascending
};

// Reads everything once. Exact to the row at both ends of a damage; rows between two that lie within 1,024 of each
// other count as missing. Errors other than damage and failed reads are returned.
Result<WholeRows> whole_rows(std::shared_ptr<const TableSource> table);

}  // namespace stela::fsd

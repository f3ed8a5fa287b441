// Columns handed over by a script: FOLDER/NAME.column is a line "TYPE ROWS NULLS", then the values; of text first
// rows + 1 offsets u64, then the bytes; then, where NULLS is 1, validity, a bit a row, least significant first.
#pragma once

#include <string>
#include <vector>

#include "engine/types/column.h"

namespace stela::bench {

struct NamedColumn {
  std::string name;
  ColumnData values;
};

// In the order of their names. Ends the program where a file is not such.
std::vector<NamedColumn> raw_columns(const std::string& folder);

}  // namespace stela::bench

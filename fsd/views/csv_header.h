// A column's name in the header line of .csv and .table.csv.
#pragma once

#include <string>
#include <string_view>

#include "fsd/views/text_format.h"

namespace stela::fsd {

// `first`: it begins the file, where three bytes EF BB BF would be taken for a byte order mark; quotes
// before them make them part of the name.
inline void append_csv_header_field(std::string_view name, bool first, std::string& out) {
  if (!first || !name.starts_with("\xEF\xBB\xBF")) {
    append_csv_text(name, out);
    return;
  }
  out.push_back('"');
  for (char c : name) out.append(c == '"' ? 2 : 1, c);
  out.push_back('"');
}

}  // namespace stela::fsd

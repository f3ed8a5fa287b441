// For `stela inspect --svg`: where the bytes of columns are, as a picture.
#pragma once

#include <string>
#include <vector>

#include "engine/store/snapshot.h"

namespace stela::fsd {

struct ColumnPicture {
  ColumnInfo column;
  uint64_t value_bytes = 0, stored_bytes = 0;
  std::vector<Snapshot::Piece> pieces;
};

// A bar for each column, as long as its stored bytes, over one as long as its values; the parts of a bar are its pages,
// in the colour of their encoding. Neighbours are drawn as one where there are too many. O(pages).
std::string layout_svg(const std::string& title, const std::vector<ColumnPicture>& columns);

}  // namespace stela::fsd

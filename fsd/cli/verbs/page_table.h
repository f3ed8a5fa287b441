// For `stela inspect`: what every table of the pages of a column begins with.
#pragma once

#include <string>
#include <vector>

#include "engine/store/snapshot.h"
#include "fsd/cli/json_builder.h"

namespace stela::fsd {

// Rows of a piece that one page holds, or all of them in a plain file.
struct PlacedPage {
  uint64_t first = 0;                // of the piece
  uint64_t first_row = 0, rows = 0;  // of the dataset
  bool whole = true;                 // else the page has more rows, which the version does not
  format::PageInfo page;
  std::string damage;  // what was found to be wrong; empty: nothing, so far
};

std::vector<PlacedPage> placed_pages(const Snapshot::Piece& piece);
// Keeps the sentence where `status` is kDamaged; any other error is returned.
Status keep_damage(const Status& status, std::string* damage);

// By number when this program does not know it.
std::string encoding_name(format::EncodingId id);

// The members that all tables begin with: rows, bytes stored, damage if there is any.
JsonObject page_json(const PlacedPage& page);
// "nulls" and "statistics" of some rows; null where the version has only a part of these, of which nothing is known.
void add_known(const DataType& type, const format::Statistics& statistics, bool whole, JsonObject& object);
// "    rows 0 +8192".
std::string rows_cell(uint64_t first_row, uint64_t rows);

}  // namespace stela::fsd

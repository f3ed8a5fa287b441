// For `stela inspect --why`: the pages of a column, and what each encoding would have made of them.
#pragma once

#include <string>
#include <vector>

#include "engine/format/encoding_choice.h"
#include "engine/store/snapshot.h"

namespace stela::fsd {

// By number when this program does not know it.
std::string encoding_name(format::EncodingId id);

struct PageChoice {
  uint64_t first_row = 0, rows = 0;  // of the dataset
  uint64_t bytes = 0;                // stored, validity included
  format::EncodingId encoding = format::EncodingId::kPlain;
  std::vector<format::EncodingCandidate> candidates;  // cheapest first; none where all rows are null
};

// Reads and samples every page of the piece, which is in a fragment file; O(values).
Result<std::vector<PageChoice>> page_choices(const Snapshot& snapshot, const ColumnInfo& column,
                                             const Snapshot::Piece& piece);
std::string choices_as_json(const std::vector<PageChoice>& pages);
// Lines of a table: rows, encoding, bytes stored, estimates.
std::vector<std::vector<std::string>> choices_as_rows(const std::vector<PageChoice>& pages);

}  // namespace stela::fsd

// For `stela inspect --why`: the pages of a column, and what each encoding would have made of them.
#pragma once

#include <string>
#include <vector>

#include "engine/format/encoding_choice.h"
#include "fsd/cli/verbs/page_table.h"

namespace stela::fsd {

struct PageChoice : PlacedPage {
  std::vector<format::EncodingCandidate> candidates;  // cheapest first; none where all rows are null, or of damage
};

// Reads and samples every page of the piece; none of a plain file. Damage is told, not an error. O(values).
Result<std::vector<PageChoice>> page_choices(const Snapshot& snapshot, const ColumnInfo& column,
                                             const Snapshot::Piece& piece);
std::string choices_as_json(const std::vector<PageChoice>& pages);
// Lines of a table: rows, encoding, bytes stored, estimates or damage.
std::vector<std::vector<std::string>> choices_as_rows(const std::vector<PageChoice>& pages);

}  // namespace stela::fsd

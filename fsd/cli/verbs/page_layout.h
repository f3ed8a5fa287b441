// For `stela inspect`: the pages of a column as they lie in their file.
#pragma once

#include <string>
#include <vector>

#include "engine/format/encoded_form.h"
#include "fsd/cli/verbs/page_table.h"

namespace stela::fsd {

struct PageLayout : PlacedPage {
  uint64_t value_bytes = 0;
  std::string cascade;
};

// An encoding, what it holds and, in brackets, those of the columns inside of it: "dictionary of 16 (packed 4 bits,
// plain)". kDamaged where the bytes contradict themselves.
Result<std::string> cascade_text(const format::Encoding& encoding, const DataType& type,
                                 const format::EncodedForm& form);

// Reads and checks every page of the piece; a plain file is one page. Damage is told, not an error. O(bytes).
Result<std::vector<PageLayout>> page_layouts(const Snapshot& snapshot, const ColumnInfo& column,
                                             const Snapshot::Piece& piece);
std::string layouts_as_json(const DataType& type, const std::vector<PageLayout>& pages);
// Lines of a table: rows, cascade, bytes of values, bytes stored, checksums.
std::vector<std::vector<std::string>> layouts_as_rows(const std::vector<PageLayout>& pages);

}  // namespace stela::fsd

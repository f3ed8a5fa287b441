// Validity of a page, as bits or, where that is smaller, as runs: varints that count rows with a value, rows without,
// and so on by turns, until all rows are told.
#pragma once

#include "engine/base/status.h"
#include "engine/types/column.h"

namespace stela::format {

// Runs of the validity of `values`, which has some; empty when they are not at least a quarter smaller than bits.
std::string encode_validity_runs(const ColumnView& values);
// Bits of `rows` rows, padded to 8 bytes. Untrusted bytes: kDamaged.
Result<Buffer> decode_validity_runs(std::string_view runs, uint64_t rows);

}  // namespace stela::format

// Rows of a block into a pass, those that do not fit left out (on-error=skip).
#pragma once

#include <functional>

#include "fsd/ingest/csv_pass.h"

namespace stela::fsd {

// Takes all rows of the block that fit; `reject` gets each of the others, in order. `bytes` is the block's text. Work:
// the block twice, and about sixteen rows for each one rejected.
Status take_fitting_rows(CsvPass& pass, const CsvRecords& block, uint64_t bytes,
                         const std::function<Status(const CsvMisfit& misfit)>& reject);

}  // namespace stela::fsd

// Sums among statistics.
#pragma once

#include "engine/format/statistics.h"

namespace stela::format {

// Sets the sum, of rows whose nulls, bounds and NaN are there. O(rows); nothing for types that have no sum.
void compute_sum(const ColumnView& values, Statistics& statistics);

}  // namespace stela::format

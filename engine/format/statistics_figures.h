// The figures among statistics: order, sum, distinct values. Optional: files of before have none.
#pragma once

#include "engine/format/statistics.h"

namespace stela::format {

// Fills them in beside rows, nulls, bounds and NaN, which are there. O(rows); nothing for tensors.
void compute_figures(const ColumnView& values, Statistics& statistics);
// `into` has the figures of both; bounds, rows and nulls of `into` are still its own.
void merge_figures(const DataType& type, Statistics& into, const Statistics& other);

// Binary form: fragment_format.md. With or without the sketch, whose estimate is then written.
void encode_figures(std::string& out, const Statistics& statistics, bool with_sketch);
// Into statistics that were decoded before. False: malformed.
bool decode_figures(Decoder& in, Statistics* statistics);

}  // namespace stela::format

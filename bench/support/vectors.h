// Columns of float32 vectors, streamed in and out of a dataset.
#pragma once

#include <cstdint>

#include "engine/store/store.h"

namespace stela::bench {

// `rows` vectors of `width` floats under a new path, one commit. Seconds until it is durable.
double write_vectors(Store& store, const std::string& path, uint64_t rows, uint32_t width);
// All rows in batches; seconds.
double scan_column(const Table& table, const std::string& column);
// The batch that write_vectors repeats, as bytes: what a plain file of the same size is written from.
ColumnData vector_block(uint32_t width);

}  // namespace stela::bench

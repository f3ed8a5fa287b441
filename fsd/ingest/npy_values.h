// The values of a .npy array as rows of a column, streamed in bounded memory.
#pragma once

#include <functional>

#include "engine/types/column.h"
#include "fsd/ingest/npy_header.h"

namespace stela::fsd {

inline constexpr size_t kNpyBlockBytes = 4 << 20;  // of rows read at a time
inline constexpr size_t kNpyTileBytes = 16 << 20;  // of rows gathered at a time from Fortran order

// Calls `take` with views that follow each other and live until it returns. Big-endian is swapped, Fortran
// order transposed, U and S become utf8 and binary without their trailing zeros, NaT is null; all other
// bytes are kept as they are. kInvalid names the row.
Status for_each_npy_block(ByteSource& source, const NpyHeader& header,
                          const std::function<Status(const ColumnView&)>& take);

// The type a column keeps when a .npy file is written to it: numpy knows neither time zones nor times of
// day, so a file that looks the same as the column's own .npy keeps the column's type.
DataType npy_type_for_column(const DataType& in_file, const DataType& column);

}  // namespace stela::fsd

// The values of a .npy array as rows of a column, streamed in bounded memory.
#pragma once

#include <functional>

#include "engine/types/column.h"
#include "fsd/ingest/npy_header.h"

namespace stela::fsd {

inline constexpr size_t kNpyBlockBytes = 4 << 20;  // of rows read at a time
inline constexpr size_t kNpyTileBytes = 16 << 20;  // of rows gathered at a time from Fortran order

// Reads the array of a header in order. Big-endian is swapped, Fortran order transposed, U and S become utf8 and binary
// without their trailing zeros, NaT is null; all other bytes are kept as they are. One thread at a time; the source
// must outlive it.
class NpyReader {
 public:
  NpyReader(ByteSource& source, NpyHeader header);
  // How many rows make a block of kNpyBlockBytes, or of kNpyTileBytes from Fortran order.
  uint64_t rows_at_a_time() const;
  // The next rows, at most `rows_max`, none at the end; valid until the next call. kInvalid names the row.
  Result<ColumnView> next(uint64_t rows_max);

 private:
  uint32_t element_width() const;
  Status read(uint64_t offset, MutableByteSpan into);
  Status gather();
  uint64_t fortran_index(uint64_t c_index) const;
  Result<ColumnView> decode();
  Status at_row(uint64_t row, const std::string& why) const;
  Status check_bools() const;
  Status find_nats();
  Status decode_text();
  void decode_bytes();
  void start_decoding();

  ByteSource& source_;
  const NpyHeader header_;
  uint64_t first_ = 0, count_ = 0;
  Buffer rows_, strip_;
  std::vector<uint8_t> validity_;  // of the block at hand; empty: no nulls
  ColumnData decoded_;
  std::string text_;
};

// Calls `take` with views of the whole array that follow each other and live until it returns.
Status for_each_npy_block(ByteSource& source, const NpyHeader& header,
                          const std::function<Status(const ColumnView&)>& take);

// The type a column keeps when a .npy file is written to it: numpy knows neither time zones nor times of
// day, so a file that looks the same as the column's own .npy keeps the column's type.
DataType npy_type_for_column(const DataType& in_file, const DataType& column);

}  // namespace stela::fsd

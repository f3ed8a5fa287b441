// The plan of an Arrow IPC file: metadata bytes, and the buffers between them.
//
// Everything follows from the column's name, type and totals, so that the file's size costs no pass over
// values. Format: "Arrow Columnar Format", serialization and IPC; see fsd/arrow.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/store/snapshot.h"

namespace stela::fsd {

enum class ArrowBuffer : uint8_t {
  kValidity,  // bits
  kOffsets,   // int32, or int64 in a large layout
  kBytes,     // values of a variable-width type, back to back
  kFixed,     // values as they are stored
  kNarrowed,  // int64 stored, int32 in Arrow: date32, time32
  kBoolBits,
};

struct ArrowRegion {
  ArrowBuffer kind;
  uint64_t bytes;          // what Arrow is told
  uint64_t padding_bytes;  // zeros after it, up to a multiple of 64
};

struct ArrowLayout {
  std::string head;                  // magic, schema, the record batch's metadata; a multiple of 64 bytes
  std::vector<ArrowRegion> regions;  // the record batch's body, without empty buffers
  std::string tail;                  // end of stream, footer, magic
  bool large = false;                // 64-bit offsets
  const char* narrowed_type = "";    // of a kNarrowed region, for messages
};

// Of a file of one column and one record batch.
ArrowLayout arrow_layout(const ColumnInfo& column, const ColumnTotals& totals);

// Arrow's name of the type of a kNarrowed region, for messages.
const char* arrow_narrowed_type(const DataType& type);

// ---- of a file of several columns and record batches

struct ArrowColumn {
  ColumnInfo info;
  bool has_nulls = false;  // anywhere in the file: every batch then has the bits
  bool large = false;      // 64-bit offsets
};
// The schema message, after the magic; a multiple of 64 bytes.
std::string arrow_file_head(std::span<const ArrowColumn> columns);
// The buffers of one column in a batch, empty ones included.
std::vector<ArrowRegion> arrow_regions(const ArrowColumn& column, const ColumnTotals& totals);
// The metadata of a batch, which begins at a multiple of 64; its length does not depend on the numbers of nulls.
std::string arrow_batch_head(std::span<const ArrowColumn> columns, std::span<const ColumnTotals> totals);
struct ArrowBlock {
  uint64_t offset = 0;
  uint64_t head_bytes = 0;
  uint64_t body_bytes = 0;
};
// End of stream, footer, magic.
std::string arrow_file_tail(std::span<const ArrowColumn> columns, std::span<const ArrowBlock> batches);

// Arrow's own rule for "64-bit offsets": bytes that an int32 cannot count.
inline constexpr uint64_t kLargeValueBytes = uint64_t{1} << 31;

}  // namespace stela::fsd

// The plan of a one-column Arrow IPC file: metadata bytes, and the buffers between them.
//
// Everything follows from the column's name, type and totals, so that the file's size costs no pass over
// values. Format: "Arrow Columnar Format", serialization and IPC; see fsd/arrow.
#pragma once

#include <cstdint>
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

ArrowLayout arrow_layout(const ColumnInfo& column, const ColumnTotals& totals);

// Arrow's own rule for "64-bit offsets": bytes that an int32 cannot count.
inline constexpr uint64_t kLargeValueBytes = uint64_t{1} << 31;

}  // namespace stela::fsd

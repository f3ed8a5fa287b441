// The header of a .npy file (NEP 1; versions 1.0, 2.0, 3.0), from bytes that nobody vouches for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/types/data_type.h"
#include "fsd/ingest/ingest.h"

namespace stela::fsd {

inline constexpr uint32_t kNpyHeaderBytesMax = 1 << 20;
inline constexpr size_t kNpyDimensionsMax = 32;  // numpy's own limit up to 1.26

// What the dictionary in the header says.
struct NpyDict {
  std::string descr;
  bool fortran_order = false;
  std::vector<uint64_t> shape;
};
// Parses "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }": a literal, never evaluated. A descr
// that is a list (structured) is kUnsupported.
Result<NpyDict> parse_npy_dict(std::string_view text);

// How the elements lie in the file.
enum class NpyElement : uint8_t { kPlain, kBool, kNat, kText, kBytes };

struct NpyHeader {
  DataType type;  // of the column
  NpyElement element = NpyElement::kPlain;
  bool swapped = false;        // big-endian
  bool fortran_order = false;  // and more than one dimension
  uint64_t rows = 0;
  uint64_t row_bytes = 0;    // in the file
  uint64_t data_offset = 0;  // in the source
};
// Reads the header at `offset` of `source`, whatever follows it.
Result<NpyHeader> read_npy_prefix(ByteSource& source, uint64_t offset);
// Reads the header at `offset` of `source` and checks that exactly the array follows it. kInvalid with
// "incomplete" when the file ends too early. Messages do not name the file.
Result<NpyHeader> read_npy_header(ByteSource& source, uint64_t offset);

}  // namespace stela::fsd

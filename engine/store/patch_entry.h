// PatchEntry: the cells of one granule that one commit changed in place. Layout: patch_format.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/status.h"
#include "engine/types/data_type.h"

namespace stela::store {

inline constexpr uint64_t kGranuleRowsMax = 8192;
// Patches that lie over one granule before the next one repeats the cells of the earlier ones.
inline constexpr size_t kPatchesMax = 8;

// Rows of a granule of a column of that type: a power of two, plain bytes of at most 64 KiB; 1,024 of text.
uint64_t granule_rows(const DataType& type);

// Rows within a granule, ascending.
using GranuleRows = std::vector<uint16_t>;
// The shorter of runs and a bitmap.
std::string encode_rows(const GranuleRows& rows);
// kDamaged: malformed, or not ascending.
Result<GranuleRows> decode_rows(std::string_view bytes);

// (dataset, column, first row of the granule). Cells lie over those of every older birth.
struct PatchEntry {
  std::string written;  // encode_rows(): the rows this commit changed
  std::string carried;  // rows of older patches that it repeats, none of them written
  // Every older patch born at or before this is repeated, so that none of those need be read; 0: nothing is.
  Sequence carried_to;
  // Values of the written rows, then of the carried ones: here, or where `file` is not 0 from `first_cell` on in a
  // section of that file.
  std::string cells;  // encode_column()
  FileId file;
  uint64_t offset = 0;
  uint64_t length = 0;
  uint64_t first_cell = 0;

  std::string encode() const;
  static Result<PatchEntry> decode(std::string_view bytes);
};

}  // namespace stela::store

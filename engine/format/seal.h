// Seals: CRC32C of bytes and of the place they belong to, so that a block that was moved, swapped or left
// over from another store, file or column is as wrong as a block with a flipped bit.
#pragma once

#include <cstdint>

#include "engine/base/buffer.h"
#include "engine/base/ids.h"

namespace stela::format {

// Numbers are part of the format: append only.
enum class SealKind : uint64_t {
  kTrailer = 1,
  kColumnTable = 2,
  kColumnMetadata = 3,
  kPageFront = 4,
  kPageValues = 5,
  kPageTree = 6,
  kPageStatistics = 7,
  kFineStatistics = 8,
  kExtentTree = 9,
  kFlatExtent = 10,
  kPageChunk = 11,
  kPageFigures = 12,
  kFineFigures = 13,
  kColumnFigures = 14,
};

// The section that bytes belong to; for a flat file's extents, that file and section 0.
struct SealScope {
  uint64_t store = 0;
  uint64_t file = 0;
  uint64_t section = 0;  // offset of the section in its file
};

struct SealPlace {
  SealKind kind = SealKind::kTrailer;
  uint64_t column = 0;   // column id
  uint64_t level = 0;    // of a tree's node; number of a chunk of a page
  uint64_t ordinal = 0;  // page, extent, or first key of a node
};

// Of the place alone; continue with crc32c(bytes, seed).
uint32_t seal_seed(const SealScope& scope, const SealPlace& place);
uint32_t seal(const SealScope& scope, const SealPlace& place, ByteSpan bytes);
bool seal_matches(uint32_t expected, const SealScope& scope, const SealPlace& place, ByteSpan bytes);

}  // namespace stela::format

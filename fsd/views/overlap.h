// Copies the part of a piece that lies within a range: pieces and ranges are places in one long file.
#pragma once

#include <algorithm>
#include <cstring>

#include "engine/base/buffer.h"

namespace stela::fsd {

// `piece` lies at [begin, begin + piece.size()), `into` at [offset, offset + into.size()).
inline void copy_overlap(ByteSpan piece, uint64_t begin, uint64_t offset, MutableByteSpan into) {
  uint64_t from = std::max(begin, offset);
  uint64_t to = std::min(begin + piece.size(), offset + into.size());
  if (from < to) std::memcpy(into.data() + (from - offset), piece.data() + (from - begin), to - from);
}

}  // namespace stela::fsd

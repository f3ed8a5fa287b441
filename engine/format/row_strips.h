// Which bytes of an encoded page belong to which of its rows, so that pages may be divided into chunks of rows.
#pragma once

#include <vector>

#include "engine/base/buffer.h"

namespace stela::format {

// The rows before number `rows` need nothing of a strip from byte `end` of it on, the others nothing before it.
struct RowCut {
  uint64_t rows = 0;
  uint64_t end = 0;
  bool operator==(const RowCut&) const = default;
};

// Neighbouring bytes of an encoded page which its rows share out among themselves in their order.
struct RowStrip {
  const std::byte* begin = nullptr;
  std::vector<RowCut> cuts;  // ascending; the last is all rows and all bytes
  uint64_t bytes() const { return cuts.empty() ? 0 : cuts.back().end; }
};

// In the order of their bytes, apart from each other. Every row needs all bytes that lie in none.
using RowStrips = std::vector<RowStrip>;

}  // namespace stela::format

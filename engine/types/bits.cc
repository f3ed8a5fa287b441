#include <algorithm>
#include <bit>

#include "engine/types/column.h"

namespace stela {

uint64_t load_bits(const uint8_t* bits, uint64_t offset, uint64_t count) {
  const uint8_t* at = bits + (offset >> 3);
  auto shift = static_cast<unsigned>(offset & 7);
  uint64_t bytes = (shift + count + 7) / 8;
  uint64_t word = 0;
  if (bytes >= 8) {
    std::memcpy(&word, at, 8);
  } else {
    std::memcpy(&word, at, bytes);
  }
  word >>= shift;
  if (bytes > 8) word |= static_cast<uint64_t>(at[8]) << (64 - shift);
  return count >= 64 ? word : word & ((uint64_t{1} << count) - 1);
}

uint64_t count_zero_bits(const uint8_t* bits, uint64_t offset, uint64_t count) {
  uint64_t ones = 0;
  for (uint64_t done = 0; done < count; done += 64) {
    ones += static_cast<uint64_t>(std::popcount(load_bits(bits, offset + done, std::min<uint64_t>(64, count - done))));
  }
  return count - ones;
}

void copy_bits(const uint8_t* from, uint64_t from_offset, uint8_t* to, uint64_t to_offset, uint64_t count) {
  while (count > 0 && (to_offset & 7) != 0) {
    bit_set(to, to_offset++, bit_get(from, from_offset++));
    --count;
  }
  uint8_t* at = to + (to_offset >> 3);
  if ((from_offset & 7) == 0) {
    uint64_t whole = count / 8;
    if (whole > 0) std::memcpy(at, from + (from_offset >> 3), whole);
    at += whole;
    from_offset += whole * 8;
    count -= whole * 8;
  }
  for (; count >= 64; count -= 64, from_offset += 64, at += 8) {
    uint64_t word = load_bits(from, from_offset, 64);
    std::memcpy(at, &word, 8);
  }
  for (uint64_t i = 0; i < count; ++i) bit_set(at, i, bit_get(from, from_offset + i));
}

}  // namespace stela

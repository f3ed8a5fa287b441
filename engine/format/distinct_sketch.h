// DistinctSketch: how many different values there are, estimated in bounded memory, and merged.
//
// Up to 128 values their hashes, so that few values are counted exactly. Beyond, HyperLogLog (Flajolet et al., AofA
// 2007) of 2,048 registers, each the longest run of leading zeros among the hashes that fall to it, counted by Ertl's
// improved estimator (arXiv:1702.01284); the standard error is 2.3 %. Bytes: fragment_format.md.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/coding.h"

namespace stela::format {

// Not thread-safe. Memory: 2 KiB once there is a value.
class DistinctSketch {
 public:
  static constexpr unsigned kIndexBits = 11;
  static constexpr size_t kRegisters = size_t{1} << kIndexBits;
  static constexpr size_t kFewMax = 128;

  // Of a value whose bits are mixed; equal values have equal hashes.
  void add(uint64_t hash) {
    if (registers_.empty()) {
      add_few(hash);
    } else {
      raise(registers_.data(), hash);
    }
  }
  // For loops: all registers once there are more than few values, else null; and the same as add() of one of them.
  uint8_t* registers() { return registers_.empty() ? nullptr : registers_.data(); }
  static void raise(uint8_t* registers, uint64_t hash) {
    const uint8_t rank = rank_of(hash);
    uint8_t& chosen = registers[index_of(hash)];
    chosen = chosen < rank ? rank : chosen;  // whichever it is, no branch can tell
  }
  void merge(const DistinctSketch& other);
  uint64_t estimate() const;

  // At most 1,284 bytes.
  void encode(std::string& out) const;
  // False: malformed.
  bool decode(Decoder& in);
  bool operator==(const DistinctSketch& other) const { return encoded() == other.encoded(); }

 private:
  static constexpr uint8_t kRankMax = 31;
  static uint32_t index_of(uint64_t hash) { return static_cast<uint32_t>(hash >> (64 - kIndexBits)); }
  static uint8_t rank_of(uint64_t hash) {
    constexpr uint64_t kEnd = uint64_t{1} << (64 - kRankMax);  // where zeros are counted no further
    return static_cast<uint8_t>(__builtin_clzll(hash << kIndexBits | kEnd) + 1);
  }
  void add_few(uint64_t hash);
  void make_registers();
  std::array<double, kRankMax + 1> counts_of_ranks() const;
  std::vector<uint64_t> few_hashes() const;
  std::string encoded() const;

  size_t few_count_ = 0;
  std::vector<uint64_t> few_;       // a table of hashes, half full at most; 0: nothing
  std::vector<uint8_t> registers_;  // once there are more
};

// Bits of a number, mixed; best in the highest bits, which a sketch uses.
inline uint64_t distinct_hash(uint64_t bits) {
  // Both halves of a product: neither alone is told by all bits of numbers such as i << 40 and (i << 32) | i.
  const unsigned __int128 product = static_cast<unsigned __int128>(bits ^ 0x9e3779b97f4a7c15) * 0xd6e8feb86659fd93;
  return (static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64)) * 0x9e3779b97f4a7c15;
}

}  // namespace stela::format

// rANS: entropy coding of bytes by range asymmetric numeral systems (J. Duda, arXiv:1311.2540), which spends fractions
// of bits where Huffman's codes spend whole ones. Frequencies are told once for many blocks, each of which decodes by
// itself. Within a block two states take turns (F. Giesen, "Interleaved entropy coders", arXiv:1402.3392), and two
// blocks are decoded at once, so that a processor works on four symbols. Bytes: encoding_format.md, "rans".
#pragma once

#include <array>
#include <span>

#include "engine/base/buffer.h"
#include "engine/base/status.h"

namespace stela::format {

inline constexpr uint32_t kRansScaleBits = 12, kRansScale = 1 << kRansScaleBits;

// How often each symbol comes among 4,096; those that are not 0 add up to just that.
using RansFrequencies = std::array<uint16_t, 256>;
// Nearest to `counts`, of which one at least is not 0; every symbol that comes at all has 1 or more. O(256^2) at most.
RansFrequencies rans_frequencies(const std::array<uint64_t, 256>& counts);
// Bits that symbols take of which so many were counted, or a sample of them.
double rans_bits(const std::array<uint64_t, 256>& counts);

// Appends `symbols`, each below 1 << symbol_bits (4 or 8) and of a frequency that is not 0. O(symbols).
void rans_encode(const RansFrequencies& frequencies, uint32_t symbol_bits, std::span<const uint8_t> symbols,
                 Buffer& out);

// Immutable once made; thread-safe. Blocks are untrusted bytes: kDamaged. O(symbols).
class RansDecoder {
 public:
  // Untrusted: kDamaged unless they add up to 4,096.
  static Result<RansDecoder> open(const RansFrequencies& frequencies, uint32_t symbol_bits);
  // Fills `symbols` from a block that was made of as many.
  Status decode(ByteSpan block, std::span<uint8_t> symbols) const;
  // Of two blocks of as many symbols each, at the price of about one.
  Status decode_two(ByteSpan first, ByteSpan second, std::span<uint8_t> symbols) const;
  // One by one, for the tests and the bench.
  Status decode_simple(ByteSpan block, std::span<uint8_t> symbols) const;

 private:
  struct Block;
  struct Table;
  // What the lowest bits of a state stand for, besides their symbol: its frequency, and how many of such bits lie
  // below.
  struct Slot {
    uint16_t frequency = 0;
    uint16_t above = 0;
  };
  Status finish(Block& block, uint64_t first, std::span<uint8_t> symbols) const;
  uint32_t symbol_bits_ = 8;
  PooledVector<Slot> slots_;
  PooledVector<uint8_t> symbols_;
};

}  // namespace stela::format

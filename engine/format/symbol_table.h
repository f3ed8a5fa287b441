// FSST's symbol table (Boncz, Neumann and Leis, VLDB 2020): up to 255 strings of one to eight bytes, each written as a
// byte; 255 goes before a byte that no symbol begins with. Values stay apart, so any can be decoded by itself.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/buffer.h"

namespace stela::format {

inline constexpr uint32_t kSymbolsMax = 255;
inline constexpr uint32_t kSymbolBytesMax = 8;
inline constexpr uint8_t kEscape = 255;

struct Symbol {
  uint64_t bytes = 0;  // the first in the lowest byte, zeros behind the last
  uint32_t length = 0;
  bool operator==(const Symbol&) const = default;
};

// Compresses; immutable once trained.
class SymbolTable {
 public:
  // Learns symbols from pieces of text, in rounds that each look at more of them. O(rounds * bytes of the pieces). The
  // same pieces give the same table.
  static SymbolTable train(const std::vector<std::string_view>& pieces, int rounds = 5);
  const std::vector<Symbol>& symbols() const { return symbols_; }
  // Appends the codes of one value: at most twice its bytes.
  void compress(std::string_view value, Buffer& out) const;

 private:
  explicit SymbolTable(std::vector<Symbol> symbols);
  // The code of the longest symbol that `word`, of which `length` bytes are there, begins with; empty: none.
  std::optional<uint8_t> longest(uint64_t word, uint32_t length) const;
  struct Counts;
  void count(std::string_view piece, Counts& counts) const;
  static std::vector<Symbol> improved(const Counts& counts);

  static constexpr uint16_t kNone = 0xffff;
  std::vector<Symbol> symbols_;   // by their first two bytes, then the longest first
  std::vector<uint16_t> by_two_;  // the first symbol of two bytes or more with these two (the first is the low one)
  std::array<uint16_t, 256> single_{};  // symbols of one byte
};

// Decompresses; from untrusted bytes.
class SymbolReader {
 public:
  // Symbols as they lie in a page: number u8, lengths, bytes. Takes them from the front of `rest`; false when
  // they are malformed.
  bool open(ByteSpan& rest);
  uint32_t count() const { return static_cast<uint32_t>(256 - std::count(lengths_.begin(), lengths_.end(), 0)); }
  // Writes exactly `bytes` bytes to `to`, taking codes from the front of `codes`; false when these run out, or do not
  // end at that byte, or name no symbol.
  bool decompress(ByteSpan& codes, std::byte* to, uint64_t bytes) const;
  // The same without writing.
  bool skip(ByteSpan& codes, uint64_t bytes) const;

 private:
  std::array<uint64_t, 256> bytes_{};
  std::array<uint8_t, 256> lengths_{};  // 0: no symbol
};

}  // namespace stela::format

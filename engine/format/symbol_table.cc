#include "engine/format/symbol_table.h"

#include <algorithm>
#include <unordered_map>

namespace stela::format {
namespace {

constexpr int kRounds = 5;

uint64_t low_bytes(uint64_t word, uint32_t length) {
  return length >= 8 ? word : word & ((uint64_t{1} << (8 * length)) - 1);
}

uint64_t word_at(std::string_view text, size_t at, uint32_t* length) {
  uint64_t word = 0;
  *length = static_cast<uint32_t>(std::min<size_t>(kSymbolBytesMax, text.size() - at));
  std::memcpy(&word, text.data() + at, *length);
  return word;
}

Symbol joined(const Symbol& a, const Symbol& b) {
  Symbol both;
  both.length = std::min(a.length + b.length, kSymbolBytesMax);
  both.bytes = a.length >= 8 ? a.bytes : low_bytes(a.bytes | b.bytes << (8 * a.length), both.length);
  return both;
}

struct SymbolHash {
  size_t operator()(const Symbol& symbol) const { return (symbol.bytes ^ symbol.length) * 0x9e3779b97f4a7c15 >> 20; }
};

}  // namespace

// How often each symbol came, and each pair of neighbours; number 256 + b stands for an escaped byte b.
struct SymbolTable::Counts {
  std::vector<Symbol> symbols;  // of the numbers
  std::vector<uint32_t> single = std::vector<uint32_t>(512);
  std::unordered_map<uint32_t, uint32_t> pairs;
};

SymbolTable::SymbolTable(std::vector<Symbol> symbols) : symbols_(std::move(symbols)) {
  std::sort(symbols_.begin(), symbols_.end(), [](const Symbol& a, const Symbol& b) {
    if ((a.bytes & 255) != (b.bytes & 255)) return (a.bytes & 255) < (b.bytes & 255);
    return a.length != b.length ? a.length > b.length : a.bytes < b.bytes;
  });
  size_t at = 0;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    first_[byte] = static_cast<uint8_t>(at);
    while (at < symbols_.size() && (symbols_[at].bytes & 255) == byte) ++at;
  }
  first_[256] = static_cast<uint8_t>(at);
}

std::optional<uint8_t> SymbolTable::longest(uint64_t word, uint32_t length) const {
  for (uint32_t code = first_[word & 255]; code < first_[(word & 255) + 1]; ++code) {
    const Symbol& symbol = symbols_[code];
    if (symbol.length <= length && low_bytes(word, symbol.length) == symbol.bytes) return static_cast<uint8_t>(code);
  }
  return std::nullopt;
}

void SymbolTable::compress(std::string_view value, Buffer& out) const {
  const size_t before = out.size();
  out.resize(before + 2 * value.size());
  uint8_t* to = out.as<uint8_t>() + before;
  for (size_t at = 0; at < value.size();) {
    uint32_t length = 0;
    const uint64_t word = word_at(value, at, &length);
    if (const std::optional<uint8_t> code = longest(word, length)) {
      *to++ = *code;
      at += symbols_[*code].length;
    } else {
      *to++ = kEscape;
      *to++ = static_cast<uint8_t>(word);
      ++at;
    }
  }
  out.resize(static_cast<size_t>(to - out.as<uint8_t>()));
}

void SymbolTable::count(std::string_view piece, Counts& counts) const {
  uint32_t before = ~uint32_t{0};
  for (size_t at = 0; at < piece.size();) {
    uint32_t length = 0;
    const uint64_t word = word_at(piece, at, &length);
    const std::optional<uint8_t> code = longest(word, length);
    const uint32_t number = code ? *code : 256 + static_cast<uint32_t>(word & 255);
    ++counts.single[number];
    if (before != ~uint32_t{0}) ++counts.pairs[before << 9 | number];
    before = number;
    at += counts.symbols[number].length;
  }
}

// The 255 that would save most: symbols of the last round, and their pairs as one.
std::vector<Symbol> SymbolTable::improved(const Counts& counts) {
  std::unordered_map<Symbol, uint64_t, SymbolHash> gains;
  for (uint32_t number = 0; number < counts.single.size(); ++number) {
    const Symbol& symbol = counts.symbols[number];
    if (counts.single[number] > 1) gains[symbol] += uint64_t{counts.single[number]} * symbol.length;
  }
  for (const auto& [pair, times] : counts.pairs) {
    const Symbol symbol = joined(counts.symbols[pair >> 9], counts.symbols[pair & 511]);
    if (times > 1) gains[symbol] += uint64_t{times} * symbol.length;
  }
  std::vector<std::pair<uint64_t, Symbol>> best;
  for (const auto& [symbol, gain] : gains) best.emplace_back(gain, symbol);
  const size_t kept = std::min<size_t>(kSymbolsMax, best.size());
  // Ties go by bytes, so that the order of a hash table has no say.
  std::partial_sort(
      best.begin(), best.begin() + static_cast<std::ptrdiff_t>(kept), best.end(), [](const auto& a, const auto& b) {
        if (a.first != b.first) return a.first > b.first;
        return a.second.bytes != b.second.bytes ? a.second.bytes < b.second.bytes : a.second.length < b.second.length;
      });
  std::vector<Symbol> symbols;
  for (size_t i = 0; i < kept; ++i) symbols.push_back(best[i].second);
  return symbols;
}

SymbolTable SymbolTable::train(const std::vector<std::string_view>& pieces) {
  SymbolTable table({});
  for (int round = 0; round < kRounds; ++round) {
    Counts counts;
    counts.symbols.assign(512, {});
    std::copy(table.symbols_.begin(), table.symbols_.end(), counts.symbols.begin());
    for (uint32_t byte = 0; byte < 256; ++byte) counts.symbols[256 + byte] = {byte, 1};
    for (std::string_view piece : pieces) table.count(piece, counts);
    table = SymbolTable(improved(counts));
  }
  return table;
}

bool SymbolReader::open(ByteSpan& rest) {
  if (rest.empty()) return false;
  const auto count = static_cast<uint32_t>(rest[0]);
  if (count > kSymbolsMax || count > rest.size() - 1) return false;
  size_t at = 1 + count;
  for (uint32_t code = 0; code < count; ++code) {
    const auto length = static_cast<uint32_t>(rest[1 + code]);
    if (length == 0 || length > kSymbolBytesMax || length > rest.size() - at) return false;
    std::memcpy(&bytes_[code], rest.data() + at, length);
    lengths_[code] = static_cast<uint8_t>(length);
    at += length;
  }
  rest = rest.subspan(at);
  return true;
}

bool SymbolReader::decompress(ByteSpan& codes, std::byte* to, uint64_t bytes) const {
  const std::byte* from = codes.data();
  const std::byte* const end = from + codes.size();
  std::byte* const to_end = to + bytes;
  // While there is room for any symbol, eight bytes are written for each.
  while (to_end - to >= std::ptrdiff_t{kSymbolBytesMax} && from != end) {
    const auto code = static_cast<uint8_t>(*from);
    if (code != kEscape) {
      if (lengths_[code] == 0) return false;
      std::memcpy(to, &bytes_[code], kSymbolBytesMax);
      to += lengths_[code];
      ++from;
      continue;
    }
    if (end - from < 2) return false;
    *to++ = from[1];
    from += 2;
  }
  while (to != to_end) {
    if (from == end) return false;
    const auto code = static_cast<uint8_t>(*from++);
    if (code == kEscape) {
      if (from == end) return false;
      *to++ = *from++;
      continue;
    }
    if (lengths_[code] == 0 || lengths_[code] > to_end - to) return false;
    std::memcpy(to, &bytes_[code], lengths_[code]);
    to += lengths_[code];
  }
  codes = codes.subspan(static_cast<size_t>(from - codes.data()));
  return true;
}

bool SymbolReader::skip(ByteSpan& codes, uint64_t bytes) const {
  size_t at = 0;
  for (uint64_t done = 0; done < bytes;) {
    if (at >= codes.size()) return false;
    const auto code = static_cast<uint8_t>(codes[at]);
    const uint64_t length = code == kEscape ? 1 : lengths_[code];
    if (length == 0 || length > bytes - done) return false;
    done += length;
    at += code == kEscape ? 2 : 1;
  }
  if (at > codes.size()) return false;
  codes = codes.subspan(at);
  return true;
}

}  // namespace stela::format

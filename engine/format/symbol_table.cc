#include "engine/format/symbol_table.h"

#include <algorithm>

#include "engine/base/coding.h"

namespace stela::format {
namespace {

uint64_t low_bytes(uint64_t word, uint32_t length) {
  return length >= 8 ? word : word & ((uint64_t{1} << (8 * length)) - 1);
}

// Up to eight bytes, zeros behind the end.
uint64_t word_at(std::string_view text, size_t at, uint32_t* length) {
  const char* from = text.data() + at;
  const size_t left = text.size() - at;
  if (left >= kSymbolBytesMax) {
    *length = kSymbolBytesMax;
    return get_fixed<uint64_t>(from);
  }
  const auto count = static_cast<uint32_t>(left);
  *length = count;
  if (count >= 4) {
    const uint64_t high = get_fixed<uint32_t>(from + count - 4);
    return get_fixed<uint32_t>(from) | high << (8 * (count - 4));
  }
  auto byte = [&](uint32_t i) { return uint64_t{static_cast<uint8_t>(from[i])} << (8 * i); };
  return byte(0) | byte(count / 2) | byte(count - 1);
}

Symbol joined(const Symbol& a, const Symbol& b) {
  Symbol both;
  both.length = std::min(a.length + b.length, kSymbolBytesMax);
  both.bytes = a.length >= 8 ? a.bytes : low_bytes(a.bytes | b.bytes << (8 * a.length), both.length);
  return both;
}

// Counts by small keys, in a table of fixed size; what comes when it is full is not counted.
class PairCounts {
 public:
  void add(uint32_t pair) {
    for (uint32_t slot = pair * 0x9e3779b1u >> (32 - kBits), tries = 0; tries < 32; ++tries) {
      Entry& entry = entries_[(slot + tries) & (kSlots - 1)];
      if (entry.times == 0) entry.pair = pair;
      if (entry.pair != pair) continue;
      ++entry.times;
      return;
    }
  }
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const Entry& entry : entries_) {
      if (entry.times > 0) visit(entry.pair, entry.times);
    }
  }

 private:
  static constexpr uint32_t kBits = 13, kSlots = 1 << kBits;
  struct Entry {
    uint32_t pair = 0, times = 0;
  };
  std::vector<Entry> entries_ = std::vector<Entry>(kSlots);
};

struct Gain {
  Symbol symbol;
  uint64_t bytes = 0;
};

bool comes_first(const Symbol& a, const Symbol& b) {
  return a.bytes != b.bytes ? a.bytes < b.bytes : a.length < b.length;
}

}  // namespace

// How often each symbol came, and each pair of neighbours; number 256 + b stands for an escaped byte b.
struct SymbolTable::Counts {
  std::vector<Symbol> symbols;  // of the numbers
  std::vector<uint32_t> single = std::vector<uint32_t>(512);
  PairCounts pairs;
};

SymbolTable::SymbolTable(std::vector<Symbol> symbols) : symbols_(std::move(symbols)), by_two_(65536, kNone) {
  std::sort(symbols_.begin(), symbols_.end(), [](const Symbol& a, const Symbol& b) {
    if ((a.bytes & 0xffff) != (b.bytes & 0xffff)) return (a.bytes & 0xffff) < (b.bytes & 0xffff);
    return a.length != b.length ? a.length > b.length : a.bytes < b.bytes;
  });
  single_.fill(kNone);
  for (size_t code = symbols_.size(); code-- > 0;) {
    const Symbol& symbol = symbols_[code];
    if (symbol.length == 1) {
      single_[symbol.bytes & 0xff] = static_cast<uint16_t>(code);
    } else {
      by_two_[symbol.bytes & 0xffff] = static_cast<uint16_t>(code);
    }
  }
}

std::optional<uint8_t> SymbolTable::longest(uint64_t word, uint32_t length) const {
  for (size_t code = by_two_[word & 0xffff]; code < symbols_.size(); ++code) {
    const Symbol& symbol = symbols_[code];
    if ((symbol.bytes & 0xffff) != (word & 0xffff)) break;
    if (symbol.length > 1 && symbol.length <= length && low_bytes(word, symbol.length) == symbol.bytes) {
      return static_cast<uint8_t>(code);
    }
  }
  if (const uint16_t code = single_[word & 0xff]; code != kNone) return static_cast<uint8_t>(code);
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
    if (before != ~uint32_t{0}) counts.pairs.add(before << 9 | number);
    before = number;
    at += counts.symbols[number].length;
  }
}

// The 255 that would save most: symbols of the last round, and their pairs as one.
std::vector<Symbol> SymbolTable::improved(const Counts& counts) {
  std::vector<Gain> gains;
  for (uint32_t number = 0; number < counts.single.size(); ++number) {
    const Symbol& symbol = counts.symbols[number];
    if (counts.single[number] > 1) gains.push_back({symbol, uint64_t{counts.single[number]} * symbol.length});
  }
  counts.pairs.for_each([&](uint32_t pair, uint32_t times) {
    const Symbol symbol = joined(counts.symbols[pair >> 9], counts.symbols[pair & 511]);
    if (times > 1) gains.push_back({symbol, uint64_t{times} * symbol.length});
  });
  // The same string may come about in several ways.
  std::sort(gains.begin(), gains.end(), [](const Gain& a, const Gain& b) { return comes_first(a.symbol, b.symbol); });
  std::vector<Gain> best;
  for (const Gain& gain : gains) {
    if (!best.empty() && best.back().symbol == gain.symbol) {
      best.back().bytes += gain.bytes;
    } else {
      best.push_back(gain);
    }
  }
  const size_t kept = std::min<size_t>(kSymbolsMax, best.size());
  std::partial_sort(best.begin(), best.begin() + static_cast<std::ptrdiff_t>(kept), best.end(),
                    [](const Gain& a, const Gain& b) {
                      return a.bytes != b.bytes ? a.bytes > b.bytes : comes_first(a.symbol, b.symbol);
                    });
  std::vector<Symbol> symbols;
  for (size_t i = 0; i < kept; ++i) symbols.push_back(best[i].symbol);
  return symbols;
}

SymbolTable SymbolTable::train(const std::vector<std::string_view>& pieces, int rounds) {
  SymbolTable table({});
  for (int round = 0; round < rounds; ++round) {
    Counts counts;
    counts.symbols.assign(512, {});
    std::copy(table.symbols_.begin(), table.symbols_.end(), counts.symbols.begin());
    for (uint32_t byte = 0; byte < 256; ++byte) counts.symbols[256 + byte] = {byte, 1};
    const auto step = static_cast<size_t>(rounds - round);
    for (size_t i = 0; i < pieces.size(); i += step) table.count(pieces[i], counts);
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

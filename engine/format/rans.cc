#include "engine/format/rans.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "engine/base/coding.h"

namespace stela::format {
namespace {

// Between two pairs of symbols a state is at least this and less than 2^32 times as much; 32 bits move at a time, so
// that a pair, which takes up to 24 bits, needs at most one word.
constexpr uint64_t kStateMin = 1 << 24;
constexpr uint32_t kLanes = 2;
constexpr uint64_t kStateBytes = 7, kWordBytes = sizeof(uint32_t);
constexpr uint32_t kStartBits = 24;

// The last symbols of a block are in what its states begin with, which would tell nothing otherwise.
uint64_t start_symbols(uint32_t symbol_bits) { return kStartBits / symbol_bits; }
uint64_t coded_symbols(uint64_t symbols, uint32_t symbol_bits) {
  return symbols - std::min(symbols, kLanes * start_symbols(symbol_bits));
}
uint32_t lane_of(uint64_t symbol) { return static_cast<uint32_t>(symbol / 2 % kLanes); }

Status bad_block() { return damaged("a block of entropy codes does not give its values"); }

}  // namespace

RansFrequencies rans_frequencies(const std::array<uint64_t, 256>& counts) {
  uint64_t total = 0, given = 0;
  for (uint64_t count : counts) total += count;
  STELA_CHECK(total > 0 && total < (uint64_t{1} << 32), "frequencies are of some symbols");
  RansFrequencies frequencies{};
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    frequencies[i] = static_cast<uint16_t>(std::max<uint64_t>(1, (counts[i] * kRansScale + total / 2) / total));
    given += frequencies[i];
  }
  // A step more for a symbol saves about count / (frequency + 1/2), one less costs count / (frequency - 1/2).
  while (given != kRansScale) {
    const bool adds = given < kRansScale;
    size_t best = counts.size();
    for (size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] == 0 || (!adds && frequencies[i] == 1)) continue;
      if (best == counts.size()) best = i;
      const uint64_t here = 2 * uint64_t{frequencies[i]} + 1 - (adds ? 0 : 2);
      const uint64_t there = 2 * uint64_t{frequencies[best]} + 1 - (adds ? 0 : 2);
      const bool more = counts[i] * there > counts[best] * here, less = counts[i] * there < counts[best] * here;
      if (adds ? more : less) best = i;
    }
    frequencies[best] = static_cast<uint16_t>(frequencies[best] + (adds ? 1 : -1));
    given = adds ? given + 1 : given - 1;
  }
  return frequencies;
}

// The entropy of counts is less than that of what they were counted of: G. Miller, "Note on the bias of information
// estimates", 1955.
double rans_bits(const std::array<uint64_t, 256>& counts) {
  constexpr double kBiasBits = 0.7213;  // 1 / (2 ln 2), for each symbol but one
  double total = 0, bits = 0;
  for (uint64_t count : counts) total += static_cast<double>(count);
  for (uint64_t count : counts) {
    if (count == 0) continue;
    bits -= static_cast<double>(count) * std::log2(static_cast<double>(count) / total);
    bits += kBiasBits;
  }
  return std::max(0.0, bits - kBiasBits);
}

void rans_encode(const RansFrequencies& frequencies, uint32_t symbol_bits, std::span<const uint8_t> symbols,
                 Buffer& out) {
  uint32_t first_of[256], sum = 0;
  for (size_t i = 0; i < frequencies.size(); ++i) {
    first_of[i] = sum;
    sum += frequencies[i];
  }
  const uint64_t coded = coded_symbols(symbols.size(), symbol_bits), each = start_symbols(symbol_bits);
  uint64_t states[kLanes];
  for (uint32_t lane = 0; lane < kLanes; ++lane) {
    states[lane] = kStateMin;
    for (uint64_t i = 0, at = coded + lane * each; i < each && at < symbols.size(); ++i, ++at) {
      states[lane] |= uint64_t{symbols[at]} << (i * symbol_bits);
    }
  }
  // Backwards: what is put in last comes out first.
  std::vector<uint32_t> words;
  for (uint64_t end = coded; end > 0;) {
    const uint64_t begin = (end - 1) / 2 * 2;
    uint64_t& state = states[lane_of(begin)];
    uint64_t share = uint64_t{1} << (2 * kRansScaleBits);  // of the pair
    for (uint64_t i = begin; i < end; ++i) share = share / kRansScale * frequencies[symbols[i]];
    if (state >> 32 >= share) {
      words.push_back(static_cast<uint32_t>(state));
      state >>= 32;
    }
    while (end > begin) {
      const uint8_t symbol = symbols[--end];
      state = ((state / frequencies[symbol]) << kRansScaleBits) + state % frequencies[symbol] + first_of[symbol];
    }
  }
  for (uint64_t state : states) out.append({reinterpret_cast<const std::byte*>(&state), kStateBytes});
  for (auto word = words.rbegin(); word != words.rend(); ++word) out.append_value(*word);
}

struct RansDecoder::Table {
  const Slot* slots;
  const uint8_t* symbols;
  [[gnu::always_inline]] uint64_t pop(uint64_t state, uint8_t* symbol) const {
    const uint64_t at = state % kRansScale;
    const Slot slot = slots[at];
    *symbol = symbols[at];
    return slot.frequency * (state >> kRansScaleBits) + slot.above;
  }
};

struct RansDecoder::Block {
  uint64_t states[kLanes] = {};
  const std::byte* word = nullptr;
  const std::byte* end = nullptr;

  static Result<Block> open(ByteSpan bytes) {
    if (bytes.size() < kLanes * kStateBytes) return bad_block();
    Block block;
    for (uint32_t lane = 0; lane < kLanes; ++lane) {
      std::memcpy(&block.states[lane], bytes.data() + lane * kStateBytes, kStateBytes);
    }
    block.word = bytes.data() + kLanes * kStateBytes;
    block.end = bytes.data() + bytes.size();
    return block;
  }
  bool has_words(uint64_t count) const { return static_cast<uint64_t>(end - word) >= count * kWordBytes; }
  // Without a branch: whether a word is taken is as good as random. Reads one in any case.
  [[gnu::always_inline]] uint64_t filled(uint64_t state) {
    const uint64_t takes = (state - kStateMin) >> 63;
    const uint64_t with_word = state << 32 | get_fixed<uint32_t>(word);
    word += takes * kWordBytes;
    return state ^ ((with_word ^ state) & (0 - takes));
  }
};

Result<RansDecoder> RansDecoder::open(const RansFrequencies& frequencies, uint32_t symbol_bits) {
  RansDecoder decoder;
  decoder.symbol_bits_ = symbol_bits;
  decoder.slots_.resize(kRansScale);
  decoder.symbols_.resize(kRansScale);
  uint32_t sum = 0;
  for (uint32_t symbol = 0; symbol < frequencies.size(); ++symbol) {
    const uint32_t frequency = frequencies[symbol];
    if (frequency > kRansScale - sum) return damaged("frequencies of entropy codes do not add up");
    for (uint32_t i = 0; i < frequency; ++i) {
      decoder.slots_[sum + i] = {static_cast<uint16_t>(frequency), static_cast<uint16_t>(i)};
      decoder.symbols_[sum + i] = static_cast<uint8_t>(symbol);
    }
    sum += frequency;
  }
  if (sum != kRansScale) return damaged("frequencies of entropy codes do not add up");
  return decoder;
}

// Symbols from `first` on, which begins a pair, one by one.
Status RansDecoder::finish(Block& block, uint64_t first, std::span<uint8_t> symbols) const {
  const uint64_t coded = coded_symbols(symbols.size(), symbol_bits_), each = start_symbols(symbol_bits_);
  const Table table{slots_.data(), symbols_.data()};
  for (uint64_t i = first; i < coded; ++i) {
    uint64_t& state = block.states[lane_of(i)];
    state = table.pop(state, &symbols[i]);
    if ((i % 2 == 0 && i + 1 < coded) || state >= kStateMin) continue;
    if (!block.has_words(1)) return bad_block();
    state = block.filled(state);
  }
  if (block.word != block.end) return bad_block();
  for (uint32_t lane = 0; lane < kLanes; ++lane) {
    const uint64_t state = block.states[lane];
    if (state >> kStartBits != 1) return bad_block();
    for (uint64_t i = 0, at = coded + lane * each; i < each && at < symbols.size(); ++i, ++at) {
      symbols[at] = static_cast<uint8_t>((state >> (i * symbol_bits_)) & ((1u << symbol_bits_) - 1));
    }
  }
  return {};
}

// Decoding turns about copies of what it needs, which writing symbols cannot change.
Status RansDecoder::decode(ByteSpan bytes, std::span<uint8_t> symbols) const {
  STELA_ASSIGN(Block whole, Block::open(bytes));
  const Table table{slots_.data(), symbols_.data()};
  const uint64_t coded = coded_symbols(symbols.size(), symbol_bits_);
  uint64_t i = 0;
  Block block = whole;
  for (; i + 4 <= coded && block.has_words(2); i += 4) {
    uint8_t* to = symbols.data() + i;
    block.states[0] = block.filled(table.pop(table.pop(block.states[0], to), to + 1));
    block.states[1] = block.filled(table.pop(table.pop(block.states[1], to + 2), to + 3));
  }
  whole = block;
  return finish(whole, i, symbols);
}

Status RansDecoder::decode_two(ByteSpan first, ByteSpan second, std::span<uint8_t> symbols) const {
  STELA_ASSIGN(Block whole_first, Block::open(first));
  STELA_ASSIGN(Block whole_second, Block::open(second));
  const Table table{slots_.data(), symbols_.data()};
  const uint64_t half = symbols.size() / 2, coded = coded_symbols(half, symbol_bits_);
  uint64_t i = 0;
  Block a = whole_first, b = whole_second;
  for (; i + 4 <= coded && a.has_words(2) && b.has_words(2); i += 4) {
    uint8_t* to = symbols.data() + i;
    uint8_t* to_second = to + half;
    a.states[0] = a.filled(table.pop(table.pop(a.states[0], to), to + 1));
    b.states[0] = b.filled(table.pop(table.pop(b.states[0], to_second), to_second + 1));
    a.states[1] = a.filled(table.pop(table.pop(a.states[1], to + 2), to + 3));
    b.states[1] = b.filled(table.pop(table.pop(b.states[1], to_second + 2), to_second + 3));
  }
  whole_first = a, whole_second = b;
  STELA_TRY(finish(whole_first, i, symbols.first(half)));
  return finish(whole_second, i, symbols.subspan(half));
}

Status RansDecoder::decode_simple(ByteSpan bytes, std::span<uint8_t> symbols) const {
  STELA_ASSIGN(Block block, Block::open(bytes));
  return finish(block, 0, symbols);
}

}  // namespace stela::format

#include "engine/format/lane_packing.h"

#include <algorithm>
#include <vector>

namespace stela::format {
namespace {

constexpr uint32_t kReversed[8] = {0, 4, 2, 6, 1, 5, 3, 7};  // three bits, the last first; its own inverse

constexpr uint32_t first_of_row(uint32_t row) { return kReversed[row / 8] * 16 + row % 8 * 128; }

// The same word at any alignment.
template <typename T>
struct [[gnu::packed, gnu::may_alias]] LooseWord {
  T bits;
};

template <typename T>
constexpr T low_bits(uint32_t bits) {
  return bits >= 8 * sizeof(T) ? static_cast<T>(~T{0}) : static_cast<T>((T{1} << bits) - 1);
}

template <typename T>
[[gnu::always_inline]] inline void pack_with(const T* values, T reference, uint32_t bits, std::byte* packed) {
  constexpr uint32_t kWordBits = 8 * sizeof(T), kLanes = kVectorRows / kWordBits;
  auto* words = reinterpret_cast<LooseWord<T>*>(packed);
  std::memset(packed, 0, packed_vector_bytes(bits));
  if (bits == 0) return;
  const T mask = low_bits<T>(bits);
  for (uint32_t row = 0; row < kWordBits; ++row) {
    const uint32_t shift = row * bits % kWordBits;
    const T* __restrict from = values + first_of_row(row);
    LooseWord<T>* __restrict to = words + size_t{row * bits / kWordBits} * kLanes;
    for (uint32_t lane = 0; lane < kLanes; ++lane) {
      to[lane].bits =
          static_cast<T>(to[lane].bits | static_cast<T>(static_cast<T>((from[lane] - reference) & mask) << shift));
    }
    if (shift + bits <= kWordBits) continue;
    const uint32_t rest = kWordBits - shift;
    for (uint32_t lane = 0; lane < kLanes; ++lane) {
      to[kLanes + lane].bits = static_cast<T>(static_cast<T>((from[lane] - reference) & mask) >> rest);
    }
  }
}

// Words of 32 bytes at once, through the compiler's vectors: a shift by a width known at run time only is otherwise
// done in words of 32 bits at least, one by one.
template <typename T>
using Words [[gnu::vector_size(32)]] = T;
constexpr uint32_t kWordsBytes = sizeof(Words<uint64_t>);

template <typename T>
[[gnu::always_inline]] inline void shift_right(Words<T>& words, uint32_t shift) {
  if constexpr (sizeof(T) == 1) {  // there is no shift of single bytes
    auto pairs = reinterpret_cast<Words<uint16_t>>(words) >> static_cast<uint16_t>(shift);
    words = reinterpret_cast<Words<T>>(pairs) & static_cast<T>(0xff >> shift);
  } else {
    words >>= static_cast<T>(shift);
  }
}

template <typename T>
[[gnu::always_inline]] inline void shift_left(Words<T>& words, uint32_t shift) {
  if constexpr (sizeof(T) == 1) {
    auto pairs = reinterpret_cast<Words<uint16_t>>(words) << static_cast<uint16_t>(shift);
    words = reinterpret_cast<Words<T>>(pairs) & static_cast<T>(0xff << shift);
  } else {
    words <<= static_cast<T>(shift);
  }
}

template <typename T>
[[gnu::always_inline]] inline void unpack_with(const std::byte* packed, T reference, uint32_t bits, T* values) {
  constexpr uint32_t kWordBits = 8 * sizeof(T), kRowBytes = kVectorRows / 8;
  if (bits == 0) {
    std::fill_n(values, kVectorRows, reference);
    return;
  }
  const T mask = low_bits<T>(bits);
  for (uint32_t row = 0; row < kWordBits; ++row) {
    const uint32_t shift = row * bits % kWordBits;
    const std::byte* from = packed + size_t{row * bits / kWordBits} * kRowBytes;
    auto* to = reinterpret_cast<std::byte*>(values + first_of_row(row));
    const bool crosses = shift + bits > kWordBits;
    for (uint32_t at = 0; at < kRowBytes; at += kWordsBytes) {
      Words<T> words;
      std::memcpy(&words, from + at, kWordsBytes);
      shift_right<T>(words, shift);
      if (crosses) {
        Words<T> rest;
        std::memcpy(&rest, from + kRowBytes + at, kWordsBytes);
        shift_left<T>(rest, kWordBits - shift);
        words |= rest;
      }
      words = (words & mask) + reference;
      std::memcpy(to + at, &words, kWordsBytes);
    }
  }
}

template <typename T>
void portable_pack(const T* values, T reference, uint32_t bits, std::byte* packed) {
  pack_with<T>(values, reference, bits, packed);
}

template <typename T>
void portable_unpack(const std::byte* packed, T reference, uint32_t bits, T* values) {
  unpack_with<T>(packed, reference, bits, values);
}

#if defined(__x86_64__)

template <typename T>
__attribute__((target("avx2"))) void avx2_pack(const T* values, T reference, uint32_t bits, std::byte* packed) {
  pack_with<T>(values, reference, bits, packed);
}

template <typename T>
__attribute__((target("avx2"))) void avx2_unpack(const std::byte* packed, T reference, uint32_t bits, T* values) {
  unpack_with<T>(packed, reference, bits, values);
}

#endif

template <typename T>
std::vector<LaneKernel<T>> choose_lane_kernels() {
  std::vector<LaneKernel<T>> kernels = {{"portable", portable_pack<T>, portable_unpack<T>}};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) kernels.push_back({"avx2", avx2_pack<T>, avx2_unpack<T>});
#endif
  return kernels;
}

// Up to 64 bits from bit `at` on; bits behind the end are 0.
uint64_t tail_bits(ByteSpan packed, uint64_t at) {
  uint64_t byte = at / 8;
  uint64_t word = 0;
  if (byte >= packed.size()) return 0;
  std::memcpy(&word, packed.data() + byte, std::min<uint64_t>(8, packed.size() - byte));
  word >>= at % 8;
  if (at % 8 != 0 && byte + 8 < packed.size()) word |= static_cast<uint64_t>(packed[byte + 8]) << (64 - at % 8);
  return word;
}

}  // namespace

template <typename T>
std::span<const LaneKernel<T>> lane_kernels() {
  static const std::vector<LaneKernel<T>> kernels = choose_lane_kernels<T>();
  return kernels;
}

template <typename T>
void pack_lanes(const T* values, T reference, uint32_t bits, std::byte* packed) {
  static const auto widest = lane_kernels<T>().back().pack;
  widest(values, reference, bits, packed);
}

template <typename T>
void unpack_lanes(const std::byte* packed, T reference, uint32_t bits, T* values) {
  static const auto widest = lane_kernels<T>().back().unpack;
  widest(packed, reference, bits, values);
}

template <typename T>
T unpack_lane(const std::byte* packed, T reference, uint32_t bits, uint32_t index) {
  constexpr uint32_t kWordBits = 8 * sizeof(T), kLanes = kVectorRows / kWordBits;
  if (bits == 0) return reference;
  const auto* words = reinterpret_cast<const LooseWord<T>*>(packed);
  const uint32_t within = index % 128;
  const uint32_t row = kReversed[within / kLanes * kLanes / 16] * 8 + index / 128;
  const uint32_t lane = within % kLanes;
  const uint32_t word = row * bits / kWordBits, shift = row * bits % kWordBits;
  T joined = static_cast<T>(words[word * kLanes + lane].bits >> shift);
  if (shift + bits > kWordBits) {
    joined = static_cast<T>(joined | static_cast<T>(words[(word + 1) * kLanes + lane].bits << (kWordBits - shift)));
  }
  return static_cast<T>(static_cast<T>(joined & low_bits<T>(bits)) + reference);
}

template <typename T>
void pack_tail(const T* values, uint64_t count, T reference, uint32_t bits, MutableByteSpan to) {
  if (to.empty()) return;
  std::memset(to.data(), 0, to.size());
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t value = static_cast<T>(static_cast<T>(values[i] - reference) & low_bits<T>(bits));
    uint64_t at = i * bits;
    for (uint32_t left = bits; left > 0;) {
      uint32_t room = std::min<uint32_t>(8 - static_cast<uint32_t>(at % 8), left);
      to[at / 8] |= static_cast<std::byte>((value & low_bits<uint64_t>(room)) << (at % 8));
      value >>= room;
      at += room;
      left -= room;
    }
  }
}

template <typename T>
T unpack_tail(ByteSpan packed, T reference, uint32_t bits, uint64_t index) {
  return static_cast<T>(static_cast<T>(tail_bits(packed, index * bits) & low_bits<uint64_t>(bits)) + reference);
}

#define STELA_LANES_OF(T)                                                       \
  template std::span<const LaneKernel<T>> lane_kernels<T>();                    \
  template void pack_lanes<T>(const T*, T, uint32_t, std::byte*);               \
  template void unpack_lanes<T>(const std::byte*, T, uint32_t, T*);             \
  template T unpack_lane<T>(const std::byte*, T, uint32_t, uint32_t);           \
  template void pack_tail<T>(const T*, uint64_t, T, uint32_t, MutableByteSpan); \
  template T unpack_tail<T>(ByteSpan, T, uint32_t, uint64_t)
STELA_LANES_OF(uint8_t);
STELA_LANES_OF(uint16_t);
STELA_LANES_OF(uint32_t);
STELA_LANES_OF(uint64_t);
#undef STELA_LANES_OF

}  // namespace stela::format

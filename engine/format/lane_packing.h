// Lane packing: 1,024 integers of one width as `bits` bits each, in the transposed order of FastLanes (Afroozeh and
// Boncz, VLDB 2023), so that plain loops over neighbouring lanes pack and unpack with any width of vector. A frame of
// reference is taken off and added in the same pass.
//
// T has W bits; there are 1024 / W lanes. Bits [r * bits, (r + 1) * bits) of lane l, counted over the words
// packed[k * lanes + l], are value ((r / 8) reversed in three bits) * 16 + (r % 8) * 128 + l.
#pragma once

#include <cstdint>
#include <span>

#include "engine/base/buffer.h"

namespace stela::format {

inline constexpr uint32_t kVectorRows = 1024;
// Of one packed vector.
constexpr uint64_t packed_vector_bytes(uint32_t bits) { return uint64_t{bits} * (kVectorRows / 8); }

// T is uint8_t, uint16_t, uint32_t or uint64_t. `bits` is at most the bits of T. Pointers may have any alignment but
// that of the values. Higher bits of a difference are dropped by pack.
template <typename T>
struct LaneKernel {
  const char* name;
  void (*pack)(const T* values, T reference, uint32_t bits, std::byte* packed);
  void (*unpack)(const std::byte* packed, T reference, uint32_t bits, T* values);
};
// Those this processor runs, from the portable twin to the widest.
template <typename T>
std::span<const LaneKernel<T>> lane_kernels();

// By the widest.
template <typename T>
void pack_lanes(const T* values, T reference, uint32_t bits, std::byte* packed);
template <typename T>
void unpack_lanes(const std::byte* packed, T reference, uint32_t bits, T* values);
// Value `index` of a packed vector, in constant time.
template <typename T>
T unpack_lane(const std::byte* packed, T reference, uint32_t bits, uint32_t index);

// Fewer than 1,024 values lie one behind the other instead, least significant bit first.
constexpr uint64_t packed_tail_bytes(uint64_t count, uint32_t bits) { return (count * bits + 7) / 8; }
// `to` has packed_tail_bytes.
template <typename T>
void pack_tail(const T* values, uint64_t count, T reference, uint32_t bits, MutableByteSpan to);
template <typename T>
T unpack_tail(ByteSpan packed, T reference, uint32_t bits, uint64_t index);

}  // namespace stela::format

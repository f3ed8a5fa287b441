// Packed vectors: integers of one width, 1,024 at a time, each vector with its own frame of reference, width in bits
// and patches (values that are wider). Bytes: encoding_format.md, "packed".
#pragma once

#include "engine/base/status.h"
#include "engine/format/word_vectors.h"

namespace stela::format {

template <typename T>
struct PackedPlan {
  T reference = 0;
  uint32_t bits = 0;
  uint32_t patches = 0;
  uint64_t bytes = 0;
};

// The cheapest way to pack up to 1,024 values. `is_signed` says how they are ordered.
template <typename T>
PackedPlan<T> plan_vector(const T* values, uint32_t count, bool is_signed);

// What is said of each vector, its width, number of patches and reference: as it is, or as bits above the least.
enum class PackedHeads : uint8_t { kPlain, kTight };

// Appends all of `values`, which must not be in `out`.
template <typename T>
void append_packed(const T* values, uint64_t rows, bool is_signed, PackedHeads heads, Buffer& out);

// Numbers as bits above their least, one behind the other.
template <typename T>
struct HeadColumn {
  T least = 0;
  uint32_t bits = 8 * sizeof(T);
  ByteSpan packed;
  T at(uint64_t index) const { return unpack_tail(packed, least, bits, index); }
};

// A vector as it lies in a page: word i is `reference` plus `bits` bits, in lanes where there are 1,024 rows
// (lane_packing.h) and one behind the other where there are fewer; where there is a patch for it, that is its word.
template <typename T>
struct PackedVector {
  uint32_t rows = 0;
  T reference = 0;
  uint32_t bits = 0;
  ByteSpan packed;
  uint32_t patches = 0;
  const std::byte* positions = nullptr;  // uint16 each, untrusted
  const std::byte* values = nullptr;     // T each
};

// Untrusted bytes. Vectors are found by adding up widths, so ascending access costs one pass.
template <typename T>
class PackedReader {
 public:
  static Result<PackedReader> open(ByteSpan bytes, uint64_t rows, PackedHeads heads = PackedHeads::kPlain);
  // All rows of a vector; `to` has room for them. kDamaged.
  Status vector(uint64_t vector, T* to);
  Result<T> one(uint64_t row);
  uint64_t vectors() const { return vectors_; }
  // Not decoded; `vector` < vectors().
  PackedVector<T> encoded(uint64_t vector);
  // Vector by vector: bits, and of patches positions and values.
  void append_strips(RowStrips& out) const;

 private:
  void seek(uint64_t vector);
  Status take_heads(ByteSpan& rest, PackedHeads heads);
  uint32_t width(uint64_t vector) const { return widths_.at(vector); }
  uint32_t patches(uint64_t vector) const { return patch_counts_.at(vector); }
  T reference(uint64_t vector) const { return references_.at(vector); }
  ByteSpan packed_of(uint64_t vector) const;
  uint32_t patch_position(uint64_t patch) const {
    return get_fixed<uint16_t>(bytes_.data() + positions_ + patch * sizeof(uint16_t));
  }
  T patch_value(uint64_t patch) const { return get_fixed<T>(bytes_.data() + patches_ + patch * sizeof(T)); }

  ByteSpan bytes_;
  uint64_t rows_ = 0;
  uint64_t vectors_ = 0;
  HeadColumn<uint8_t> widths_, patch_counts_;
  HeadColumn<T> references_;
  uint64_t bits_ = 0;       // where those of all vectors begin
  uint64_t positions_ = 0;  // where they begin
  uint64_t patches_ = 0;
  // Of the vector found last.
  uint64_t at_ = 0;
  uint64_t packed_ = 0;
  uint64_t first_patch_ = 0;
};

// Of trusted bytes.
template <typename T>
void append_packed_strips(ByteSpan bytes, uint64_t rows, PackedHeads heads, RowStrips& out) {
  trusted(PackedReader<T>::open(bytes, rows, heads)).append_strips(out);
}

}  // namespace stela::format

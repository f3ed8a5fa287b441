#include "engine/format/packed_vectors.h"

#include <bit>

namespace stela::format {
namespace {

constexpr uint32_t kPatchesMax = 255;

template <typename T>
constexpr uint64_t kPatchBytes = sizeof(uint16_t) + sizeof(T);

uint64_t packed_bytes(uint32_t count, uint32_t bits) {
  return count == kVectorRows ? packed_vector_bytes(bits) : packed_tail_bytes(count, bits);
}

// Signed order is that of unsigned words with the sign turned round.
template <typename T>
T turned(T value, bool is_signed) {
  return is_signed ? static_cast<T>(value ^ static_cast<T>(T{1} << (8 * sizeof(T) - 1))) : value;
}

template <typename T>
T least_of(const T* values, uint32_t count, bool is_signed) {
  const T turn = turned(T{0}, is_signed);
  T least = static_cast<T>(~T{0});
  for (uint32_t i = 0; i < count; ++i) least = std::min(least, static_cast<T>(values[i] ^ turn));
  return static_cast<T>(least ^ turn);
}

// The cheapest width above `reference`; values below it wrap round and are the widest.
template <typename T>
PackedPlan<T> plan_above(const T* values, uint32_t count, T reference) {
  constexpr uint32_t kWordBits = 8 * sizeof(T);
  PackedPlan<T> plan;
  plan.reference = reference;
  plan.bytes = ~uint64_t{0};
  uint32_t with_bits[kWordBits + 1] = {};
  for (uint32_t i = 0; i < count; ++i) {
    ++with_bits[static_cast<uint32_t>(std::bit_width(static_cast<T>(values[i] - reference)))];
  }
  uint32_t wider = 0;
  for (uint32_t bits = kWordBits;; --bits) {
    const uint64_t bytes = packed_bytes(count, bits) + wider * kPatchBytes<T>;
    if (bytes <= plan.bytes) {
      plan.bits = bits;
      plan.patches = wider;
      plan.bytes = bytes;
    }
    wider += with_bits[bits];
    if (bits == 0 || wider > kPatchesMax) break;
  }
  plan.bytes += 2 + sizeof(T);
  return plan;
}

// The least value that is not far below most: of those within four times the spread of some about their middle.
template <typename T>
T low_of_most(const T* values, uint32_t count, bool is_signed, uint32_t* spread_bits) {
  constexpr uint32_t kLooked = 15;
  T some[kLooked];
  for (uint32_t i = 0; i < kLooked; ++i) some[i] = turned(values[uint64_t{i} * count / kLooked], is_signed);
  std::sort(some, some + kLooked);
  const T spread = static_cast<T>(some[kLooked - 3] - some[2]);
  *spread_bits = static_cast<uint32_t>(std::bit_width(spread));
  const T middle = some[kLooked / 2];
  const T reach = spread > static_cast<T>(~T{0}) / 4 ? static_cast<T>(~T{0}) : static_cast<T>(spread * 4);
  const T bottom = middle < reach ? T{0} : static_cast<T>(middle - reach);
  T least = middle;
  for (uint32_t i = 0; i < count; ++i) {
    const T value = turned(values[i], is_signed);
    if (value >= bottom) least = std::min(least, value);
  }
  return turned(least, is_signed);
}

}  // namespace

template <typename T>
PackedPlan<T> plan_vector(const T* values, uint32_t count, bool is_signed) {
  PackedPlan<T> plan = plan_above(values, count, least_of(values, count, is_signed));
  if (plan.bits < 4) return plan;
  uint32_t spread_bits = 0;
  const T low = low_of_most(values, count, is_signed, &spread_bits);
  if (spread_bits + 2 >= plan.bits || low == plan.reference) return plan;
  const PackedPlan<T> other = plan_above(values, count, low);
  return other.bytes < plan.bytes ? other : plan;
}

template <typename T>
void append_packed(const T* values, uint64_t rows, bool is_signed, Buffer& out) {
  const uint64_t vectors = vectors_of(rows);
  const size_t head = out.size();
  out.resize(head + vectors * (2 + sizeof(T)));
  Buffer positions, patches;
  for (uint64_t vector = 0; vector < vectors; ++vector) {
    const T* from = values + vector * kVectorRows;
    const uint32_t count = rows_of_vector(rows, vector);
    const PackedPlan<T> plan = plan_vector(from, count, is_signed);
    out.data()[head + vector] = static_cast<std::byte>(plan.bits);
    out.data()[head + vectors + vector] = static_cast<std::byte>(plan.patches);
    std::memcpy(out.data() + head + 2 * vectors + vector * sizeof(T), &plan.reference, sizeof(T));
    const size_t at = out.size();
    out.resize(at + packed_bytes(count, plan.bits));
    if (count == kVectorRows) {
      pack_lanes(from, plan.reference, plan.bits, out.data() + at);
    } else {
      pack_tail(from, count, plan.reference, plan.bits, out.span().subspan(at));
    }
    if (plan.patches == 0) continue;
    for (uint32_t i = 0; i < count; ++i) {
      auto over = static_cast<T>(from[i] - plan.reference);
      if (static_cast<uint32_t>(std::bit_width(over)) <= plan.bits) continue;
      positions.append_value(static_cast<uint16_t>(i));
      patches.append_value(from[i]);
    }
  }
  out.append(positions.span());
  out.append(patches.span());
}

template <typename T>
Result<PackedReader<T>> PackedReader<T>::open(ByteSpan bytes, uint64_t rows) {
  PackedReader reader;
  reader.bytes_ = bytes;
  reader.rows_ = rows;
  reader.vectors_ = vectors_of(rows);
  if (reader.vectors_ > bytes.size() / (2 + sizeof(T)))
    return damaged("a packed page is shorter than its vectors' heads");
  uint64_t end = reader.vectors_ * (2 + sizeof(T));
  reader.packed_ = end;
  uint64_t patches = 0;
  for (uint64_t vector = 0; vector < reader.vectors_; ++vector) {
    if (reader.width(vector) > 8 * sizeof(T)) return damaged("a packed vector is wider than its type");
    end += packed_bytes(rows_of_vector(rows, vector), reader.width(vector));
    patches += reader.patches(vector);
  }
  reader.positions_ = end;
  reader.patches_ = end + patches * sizeof(uint16_t);
  if (end + patches * kPatchBytes<T> != bytes.size())
    return damaged("a packed page does not have the size of its vectors");
  return reader;
}

template <typename T>
void PackedReader<T>::seek(uint64_t vector) {
  if (vector < at_) {
    at_ = first_patch_ = 0;
    packed_ = vectors_ * (2 + sizeof(T));
  }
  for (; at_ < vector; ++at_) {
    packed_ += packed_bytes(kVectorRows, width(at_));
    first_patch_ += patches(at_);
  }
}

template <typename T>
ByteSpan PackedReader<T>::packed_of(uint64_t vector) const {
  return bytes_.subspan(packed_, packed_bytes(rows_of_vector(rows_, vector), width(vector)));
}

template <typename T>
Status PackedReader<T>::vector(uint64_t vector, T* to) {
  seek(vector);
  const uint32_t count = rows_of_vector(rows_, vector);
  const ByteSpan packed = packed_of(vector);
  if (count == kVectorRows) {
    unpack_lanes(packed.data(), reference(vector), width(vector), to);
  } else {
    for (uint32_t i = 0; i < count; ++i) to[i] = unpack_tail(packed, reference(vector), width(vector), i);
  }
  for (uint32_t i = 0; i < patches(vector); ++i) {
    const uint32_t position = patch_position(first_patch_ + i);
    if (position >= count) return damaged("a patch of a packed vector lies behind its end");
    to[position] = patch_value(first_patch_ + i);
  }
  return {};
}

template <typename T>
Result<T> PackedReader<T>::one(uint64_t row) {
  if (row >= rows_) return damaged("rows beyond the end of a packed page");
  const uint64_t vector = row / kVectorRows;
  const auto index = static_cast<uint32_t>(row % kVectorRows);
  seek(vector);
  for (uint32_t i = 0; i < patches(vector); ++i) {
    if (patch_position(first_patch_ + i) == index) return patch_value(first_patch_ + i);
  }
  const ByteSpan packed = packed_of(vector);
  if (rows_of_vector(rows_, vector) < kVectorRows) return unpack_tail(packed, reference(vector), width(vector), index);
  return unpack_lane(packed.data(), reference(vector), width(vector), index);
}

template <typename T>
void PackedReader<T>::append_strips(RowStrips& out) const {
  RowStrip bits{bytes_.data() + vectors_ * (2 + sizeof(T)), {}};
  RowStrip positions{bytes_.data() + positions_, {}}, values{bytes_.data() + patches_, {}};
  uint64_t end = 0, patched = 0;
  for (uint64_t vector = 0; vector < vectors_; ++vector) {
    const uint32_t count = rows_of_vector(rows_, vector);
    const uint64_t until = vector * kVectorRows + count;
    bits.cuts.push_back({until, end += packed_bytes(count, width(vector))});
    patched += patches(vector);
    positions.cuts.push_back({until, patched * sizeof(uint16_t)});
    values.cuts.push_back({until, patched * sizeof(T)});
  }
  out.push_back(std::move(bits));
  if (patched == 0) return;
  out.push_back(std::move(positions));
  out.push_back(std::move(values));
}

#define STELA_PACKED_OF(T)                                           \
  template PackedPlan<T> plan_vector<T>(const T*, uint32_t, bool);   \
  template void append_packed<T>(const T*, uint64_t, bool, Buffer&); \
  template class PackedReader<T>
STELA_PACKED_OF(uint8_t);
STELA_PACKED_OF(uint16_t);
STELA_PACKED_OF(uint32_t);
STELA_PACKED_OF(uint64_t);
#undef STELA_PACKED_OF

}  // namespace stela::format

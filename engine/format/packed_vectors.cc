#include "engine/format/packed_vectors.h"

#include <bit>
#include <vector>

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

namespace {

// Least u8 or T, bits u8, the bits.
template <typename T>
void append_head_column(const std::vector<T>& numbers, bool is_signed, Buffer& out) {
  const auto count = static_cast<uint32_t>(numbers.size());
  const T least = least_of(numbers.data(), count, is_signed);
  T widest = 0;
  for (T number : numbers) widest |= static_cast<T>(number - least);
  const auto bits = static_cast<uint32_t>(std::bit_width(widest));
  out.append_value(least);
  out.append_value(static_cast<uint8_t>(bits));
  const size_t at = out.size();
  out.resize(at + packed_tail_bytes(count, bits));
  pack_tail(numbers.data(), count, least, bits, out.span().subspan(at));
}

template <typename T>
bool take_head_column(ByteSpan& rest, uint64_t count, PackedHeads heads, HeadColumn<T>* column) {
  if (heads == PackedHeads::kTight) {
    if (rest.size() < sizeof(T) + 1) return false;
    column->least = get_fixed<T>(rest.data());
    column->bits = static_cast<uint32_t>(rest[sizeof(T)]);
    rest = rest.subspan(sizeof(T) + 1);
    if (column->bits > 8 * sizeof(T)) return false;
  }
  const uint64_t bytes = packed_tail_bytes(count, column->bits);
  if (bytes > rest.size()) return false;
  column->packed = rest.first(bytes);
  rest = rest.subspan(bytes);
  return true;
}

template <typename T>
void append_heads(const std::vector<PackedPlan<T>>& plans, bool is_signed, PackedHeads heads, Buffer& out) {
  std::vector<uint8_t> widths, patches;
  std::vector<T> references;
  for (const PackedPlan<T>& plan : plans) {
    widths.push_back(static_cast<uint8_t>(plan.bits));
    patches.push_back(static_cast<uint8_t>(plan.patches));
    references.push_back(plan.reference);
  }
  if (heads == PackedHeads::kPlain) {
    out.append(std::as_bytes(std::span(widths)));
    out.append(std::as_bytes(std::span(patches)));
    out.append(std::as_bytes(std::span(references)));
    return;
  }
  append_head_column(widths, false, out);
  append_head_column(patches, false, out);
  append_head_column(references, is_signed, out);
}

}  // namespace

template <typename T>
void append_packed(const T* values, uint64_t rows, bool is_signed, PackedHeads heads, Buffer& out) {
  std::vector<PackedPlan<T>> plans;
  for (uint64_t vector = 0; vector < vectors_of(rows); ++vector) {
    plans.push_back(plan_vector(values + vector * kVectorRows, rows_of_vector(rows, vector), is_signed));
  }
  append_heads(plans, is_signed, heads, out);
  Buffer positions, patches;
  for (uint64_t vector = 0; vector < plans.size(); ++vector) {
    const T* from = values + vector * kVectorRows;
    const uint32_t count = rows_of_vector(rows, vector);
    const PackedPlan<T>& plan = plans[vector];
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
Status PackedReader<T>::take_heads(ByteSpan& rest, PackedHeads heads) {
  if (!take_head_column(rest, vectors_, heads, &widths_) || !take_head_column(rest, vectors_, heads, &patch_counts_) ||
      !take_head_column(rest, vectors_, heads, &references_)) {
    return damaged("a packed page is shorter than its vectors' heads");
  }
  return {};
}

template <typename T>
Result<PackedReader<T>> PackedReader<T>::open(ByteSpan bytes, uint64_t rows, PackedHeads heads) {
  PackedReader reader;
  reader.bytes_ = bytes;
  reader.rows_ = rows;
  reader.vectors_ = vectors_of(rows);
  ByteSpan rest = bytes;
  STELA_TRY(reader.take_heads(rest, heads));
  uint64_t end = bytes.size() - rest.size();
  reader.bits_ = reader.packed_ = end;
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
    packed_ = bits_;
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
PackedVector<T> PackedReader<T>::encoded(uint64_t vector) {
  seek(vector);
  return {rows_of_vector(rows_, vector),
          reference(vector),
          width(vector),
          packed_of(vector),
          patches(vector),
          bytes_.data() + positions_ + first_patch_ * sizeof(uint16_t),
          bytes_.data() + patches_ + first_patch_ * sizeof(T)};
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
  RowStrip bits{bytes_.data() + bits_, {}};
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

#define STELA_PACKED_OF(T)                                                        \
  template PackedPlan<T> plan_vector<T>(const T*, uint32_t, bool);                \
  template void append_packed<T>(const T*, uint64_t, bool, PackedHeads, Buffer&); \
  template class PackedReader<T>
STELA_PACKED_OF(uint8_t);
STELA_PACKED_OF(uint16_t);
STELA_PACKED_OF(uint32_t);
STELA_PACKED_OF(uint64_t);
#undef STELA_PACKED_OF

}  // namespace stela::format

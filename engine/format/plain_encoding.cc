#include "engine/format/plain_encoding.h"

#include <limits>

#include "engine/format/encoding_choice.h"

namespace stela::format {
namespace {

constexpr uint64_t kStoredLengthBytes = sizeof(uint32_t);
constexpr uint64_t kCutBytes = 256;  // of values between which the page may be divided

uint32_t length_at(ByteSpan encoded, uint64_t row) {
  return get_fixed<uint32_t>(encoded.data() + row * kStoredLengthBytes);
}

uint64_t sum_lengths(ByteSpan encoded, uint64_t first, uint64_t count) {
  uint64_t sum = 0;
  for (uint64_t row = first; row < first + count; ++row) sum += length_at(encoded, row);
  return sum;
}

Status check_fixed_size(ByteSpan encoded, const DataType& type, uint64_t rows) {
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(rows, type.value_width(), &bytes) || bytes != encoded.size()) {
    return damaged("a plain page of " + std::to_string(rows) + " values of " + type.name() + " does not have " +
                   std::to_string(encoded.size()) + " bytes");
  }
  return {};
}

Status check_lengths_size(ByteSpan encoded, uint64_t rows) {
  if (rows > encoded.size() / kStoredLengthBytes)
    return damaged("a plain page is shorter than the lengths of its values");
  return {};
}

}  // namespace

bool PlainEncoding::supports(const DataType&) const { return true; }

std::optional<uint64_t> PlainEncoding::estimate(const ValueSample& sample, EncodingMode) const {
  const ColumnView& all = sample.all();
  return all.value_bytes() + (all.type->is_variable() ? all.rows * kStoredLengthBytes : 0);
}

Status PlainEncoding::encode(const ColumnView& values, EncodingMode, Buffer& out) const {
  if (!values.type->is_variable()) {
    out.append({values.values, static_cast<size_t>(values.value_bytes())});
    return {};
  }
  size_t at = out.size();
  uint64_t bytes = values.value_bytes();
  out.resize(at + values.rows * kStoredLengthBytes + bytes);
  std::byte* to = out.data() + at;
  for (uint64_t row = 0; row < values.rows; ++row) {
    uint64_t length = values.offsets[row + 1] - values.offsets[row];
    if (length > std::numeric_limits<uint32_t>::max()) return {Code::kLimit, "one value is larger than 4 GiB"};
    auto stored = static_cast<uint32_t>(length);
    std::memcpy(to + row * kStoredLengthBytes, &stored, kStoredLengthBytes);
  }
  if (bytes > 0) std::memcpy(to + values.rows * kStoredLengthBytes, values.values + values.offsets[0], bytes);
  return {};
}

uint64_t PlainEncoding::lengths_bytes(ByteSpan, const DataType& type, uint64_t rows) const {
  return type.is_variable() ? rows * kStoredLengthBytes : 0;
}

Status PlainEncoding::decode_range(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first,
                                   uint64_t count, ColumnData& out) const {
  STELA_TRY(check_page_range(rows, first, count));
  if (count == 0) return {};
  if (!type.is_variable()) {
    STELA_TRY(check_fixed_size(encoded, type, rows));
    uint64_t width = type.value_width();
    std::memcpy(out.grow_fixed(count), encoded.data() + first * width, count * width);
    return {};
  }
  STELA_TRY(check_lengths_size(encoded, rows));
  uint64_t available = encoded.size() - rows * kStoredLengthBytes;
  uint64_t skipped = sum_lengths(encoded, 0, first);
  uint64_t bytes = sum_lengths(encoded, first, count);
  if (skipped > available || bytes > available - skipped) return damaged("lengths of a plain page exceed its bytes");
  PooledVector<uint32_t> lengths(count);
  std::memcpy(lengths.data(), encoded.data() + first * kStoredLengthBytes, count * kStoredLengthBytes);
  std::byte* to = out.grow_variable(lengths.data(), count);
  if (bytes > 0) std::memcpy(to, encoded.data() + rows * kStoredLengthBytes + skipped, bytes);
  return {};
}

Status PlainEncoding::decode_rows(ByteSpan encoded, const DataType& type, uint64_t rows,
                                  std::span<const uint32_t> wanted, ColumnData& out) const {
  STELA_TRY(check_page_rows(rows, wanted));
  if (!type.is_variable()) STELA_TRY(check_fixed_size(encoded, type, rows));
  if (type.is_variable()) STELA_TRY(check_lengths_size(encoded, rows));
  uint64_t width = type.value_width();
  uint64_t row = 0;
  uint64_t at = rows * kStoredLengthBytes;  // where the bytes of `row` begin
  for (uint32_t want : wanted) {
    if (!type.is_variable()) {
      row = want;
      out.append(encoded.subspan(want * width, width));
      continue;
    }
    at += sum_lengths(encoded, row, want - row);
    row = want;
    uint32_t length = length_at(encoded, row);
    if (at > encoded.size() || length > encoded.size() - at) return damaged("lengths of a plain page exceed its bytes");
    out.append(encoded.subspan(at, length));
  }
  return {};
}

Result<uint64_t> PlainEncoding::value_bytes(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first,
                                            uint64_t count) const {
  STELA_TRY(check_page_range(rows, first, count));
  if (!type.is_variable()) return count * type.value_width();
  STELA_TRY(check_lengths_size(encoded, rows));
  return sum_lengths(encoded, first, count);
}

void PlainEncoding::append_strips(ByteSpan encoded, const DataType& type, uint64_t rows, RowStrips& out) const {
  RowStrip strip{encoded.data(), {}};
  if (!type.is_variable()) {
    const uint64_t width = type.value_width();
    const uint64_t step = width <= sizeof(uint64_t) ? kVectorRows : std::max<uint64_t>(1, kCutBytes / width);
    for (uint64_t row = 0; row < rows;) {
      row = std::min(rows, row + step);
      strip.cuts.push_back({row, row * width});
    }
    out.push_back(std::move(strip));
    return;
  }
  strip.begin += rows * kStoredLengthBytes;
  uint64_t bytes = 0, cut = 0;
  for (uint64_t row = 0; row < rows; ++row) {
    bytes += length_at(encoded, row);
    if (bytes - cut < kCutBytes && row + 1 < rows) continue;
    strip.cuts.push_back({row + 1, bytes});
    cut = bytes;
  }
  out.push_back(std::move(strip));
}

}  // namespace stela::format

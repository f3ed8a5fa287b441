#include "engine/format/constant_encoding.h"

#include "engine/format/encoded_form.h"
#include "engine/format/encoding_choice.h"

namespace stela::format {
namespace {

constexpr uint64_t kConstantLengthBytes = sizeof(uint32_t);  // before a value of a variable type

// Every value is the first.
bool all_equal(const ColumnView& values) {
  const uint64_t width = values.value(0).size();
  if (values.type->is_variable()) {
    for (uint64_t row = 1; row < values.rows; ++row) {
      if (values.offsets[row + 1] - values.offsets[row] != width) return false;
    }
  }
  const std::byte* first = values.value(0).data();
  const uint64_t rest = (values.rows - 1) * width;
  return rest == 0 || std::memcmp(first, first + width, rest) == 0;
}

// The value, once the size of the page is as it must be.
Result<ByteSpan> constant_value(ByteSpan encoded, const DataType& type) {
  if (!type.is_variable()) {
    if (encoded.size() != type.value_width()) return damaged("a constant page does not have the size of its value");
    return encoded;
  }
  if (encoded.size() < kConstantLengthBytes ||
      encoded.size() - kConstantLengthBytes != get_fixed<uint32_t>(encoded.data())) {
    return damaged("a constant page does not have the size of its value");
  }
  return encoded.subspan(kConstantLengthBytes);
}

Status append_repeated(ByteSpan value, const DataType& type, uint64_t count, ColumnData& out) {
  if (count == 0) return {};
  std::byte* to = nullptr;
  if (type.is_variable()) {
    if (value.size() > kPageValueBytesMax / count) return damaged("the values of a constant page exceed 1 GiB");
    PooledVector<uint32_t> lengths(count, static_cast<uint32_t>(value.size()));
    to = out.grow_variable(lengths.data(), count);
  } else {
    to = out.grow_fixed(count);
  }
  if (value.empty()) return {};
  // What is there doubles until all is.
  const uint64_t bytes = value.size() * count;
  std::memcpy(to, value.data(), value.size());
  for (uint64_t done = value.size(); done < bytes;) {
    const uint64_t step = std::min(done, bytes - done);
    std::memcpy(to + done, to, step);
    done += step;
  }
  return {};
}

}  // namespace

bool ConstantEncoding::supports(const DataType&) const { return true; }

std::optional<uint64_t> ConstantEncoding::estimate(const ValueSample& sample, EncodingMode) const {
  const ColumnView& all = sample.all();
  if (all.rows == 0 || !all_equal(all)) return std::nullopt;
  return all.value(0).size() + (all.type->is_variable() ? kConstantLengthBytes : 0);
}

Status ConstantEncoding::encode(const ColumnView& values, EncodingMode, Buffer& out) const {
  if (values.rows == 0 || !all_equal(values)) return unsupported("the values of a constant page differ");
  const ByteSpan value = values.value(0);
  if (values.type->is_variable()) out.append_value(static_cast<uint32_t>(value.size()));
  out.append(value);
  return {};
}

uint64_t ConstantEncoding::lengths_bytes(ByteSpan, const DataType& type, uint64_t) const {
  return type.is_variable() ? kConstantLengthBytes : 0;
}

Status ConstantEncoding::decode_range(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first,
                                      uint64_t count, ColumnData& out) const {
  STELA_TRY(check_page_range(rows, first, count));
  STELA_ASSIGN(ByteSpan value, constant_value(encoded, type));
  return append_repeated(value, type, count, out);
}

Status ConstantEncoding::decode_rows(ByteSpan encoded, const DataType& type, uint64_t rows,
                                     std::span<const uint32_t> wanted, ColumnData& out) const {
  STELA_TRY(check_page_rows(rows, wanted));
  STELA_ASSIGN(ByteSpan value, constant_value(encoded, type));
  return append_repeated(value, type, wanted.size(), out);
}

Result<uint64_t> ConstantEncoding::value_bytes(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first,
                                               uint64_t count) const {
  STELA_TRY(check_page_range(rows, first, count));
  if (!type.is_variable()) return count * type.value_width();
  if (encoded.size() < kConstantLengthBytes) return damaged("a constant page has no length");
  return count * get_fixed<uint32_t>(encoded.data());
}

Result<EncodedForm> ConstantEncoding::form(ByteSpan encoded, const DataType& type, uint64_t) const {
  STELA_ASSIGN(const ByteSpan value, constant_value(encoded, type));
  return EncodedForm{ConstantForm{value}};
}

}  // namespace stela::format

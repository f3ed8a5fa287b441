// Types that are rare in text files, and the sentence for a value that does not fit its column.
#include <array>
#include <cmath>
#include <cstring>

#include "fsd/ingest/base64.h"
#include "fsd/ingest/csv_cells.h"
#include "fsd/ingest/half.h"
#include "fsd/ingest/iso_time.h"
#include "fsd/ingest/text_value.h"
#include "fsd/ingest/utf8_text.h"

namespace stela::fsd {
namespace {

__extension__ using Int128 = __int128;

template <typename T>
bool put(T value, std::string* bytes) {
  bytes->append(reinterpret_cast<const char*>(&value), sizeof(T));
  return true;
}

// "-12.340" with no more digits behind the point than the scale has, zeros aside.
bool parse_decimal(const DataType& type, std::string_view text, std::string* bytes) {
  bool negative = !text.empty() && text[0] == '-';
  text.remove_prefix(negative ? 1 : 0);
  size_t point = std::min(text.find('.'), text.size());
  std::string_view whole = text.substr(0, point), fraction = text.substr(std::min(point + 1, text.size()));
  if (whole.empty() || (point < text.size() && fraction.empty())) return false;
  if (whole.size() > 1 && whole[0] == '0') return false;
  while (fraction.size() > type.scale && fraction.back() == '0') fraction.remove_suffix(1);
  if (fraction.size() > type.scale || whole.size() > 38) return false;
  Int128 value = 0;
  int digits = 0;  // significant ones; 38 of them fit 128 bits
  auto take = [&](char c) {
    if (!is_digit(c)) return false;
    if (digits > 0 || c != '0') ++digits;
    value = value * 10 + (c - '0');
    return digits <= type.precision;
  };
  for (char c : whole) {
    if (!take(c)) return false;
  }
  for (char c : fraction) {
    if (!take(c)) return false;
  }
  for (size_t i = fraction.size(); i < type.scale; ++i) {
    if (!take('0')) return false;
  }
  return put(negative ? -value : value, bytes);
}

bool parse_half(std::string_view text, uint16_t* out) {
  double value = 0;
  if (!parse_float(text, &value)) return false;
  *out = half_from_double(value);
  if (std::isinf(value) || std::isnan(value)) return true;
  if ((*out & 0x7fff) == 0x7c00) return false;
  return !is_integer_text(text) || double_from_half(*out) == value;
}

template <typename T>
bool put_integer(std::string_view text, std::string* bytes) {
  int64_t value = 0;
  if (!parse_int64(text, &value)) return false;
  auto narrow = static_cast<T>(value);
  return static_cast<int64_t>(narrow) == value && put(narrow, bytes);
}

// One number of a vector; null is not one. Words for floats may stand in quotes, as JSON needs.
bool put_element(TypeKind kind, std::string_view text, std::string* bytes) {
  bool is_float = kind >= TypeKind::kFloat16 && kind <= TypeKind::kFloat64;
  if (is_float && text.size() > 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  bool truth = false;
  uint64_t number = 0;
  uint16_t half = 0;
  float single = 0;
  double value = 0;
  switch (kind) {
    case TypeKind::kBool: return parse_bool(text, &truth) && put(static_cast<uint8_t>(truth), bytes);
    case TypeKind::kInt8: return put_integer<int8_t>(text, bytes);
    case TypeKind::kInt16: return put_integer<int16_t>(text, bytes);
    case TypeKind::kInt32: return put_integer<int32_t>(text, bytes);
    case TypeKind::kInt64: return put_integer<int64_t>(text, bytes);
    case TypeKind::kUInt8: return put_integer<uint8_t>(text, bytes);
    case TypeKind::kUInt16: return put_integer<uint16_t>(text, bytes);
    case TypeKind::kUInt32: return put_integer<uint32_t>(text, bytes);
    case TypeKind::kUInt64: return parse_uint64(text, &number) && put(number, bytes);
    case TypeKind::kFloat16: return parse_half(text, &half) && put(half, bytes);
    case TypeKind::kFloat32: return parse_float(text, &single) && put(single, bytes);
    case TypeKind::kFloat64: return parse_float(text, &value) && put(value, bytes);
    default: return false;
  }
}

// Walks a JSON array of known shape without recursion: before element `i` as many brackets close and open
// as there are inner blocks that begin there.
class TensorText {
 public:
  TensorText(const DataType& type, std::string_view text) : type_(type), text_(text) {}

  bool parse(std::string* bytes) {
    uint64_t elements = type_.elements();
    for (uint64_t i = 0; i < elements; ++i) {
      size_t blocks = blocks_at(i);
      if (i > 0 && (!repeat(']', blocks) || !take(','))) return false;
      if (!repeat('[', blocks) || !put_element(type_.kind, token(), bytes)) return false;
    }
    return repeat(']', type_.shape.size()) && (skip_spaces(), at_ == text_.size());
  }

 private:
  size_t blocks_at(uint64_t element) const {
    size_t blocks = 0;
    uint64_t size = 1;
    for (size_t d = type_.shape.size(); d-- > 0;) {
      size *= type_.shape[d];
      if (element % size != 0) break;
      ++blocks;
    }
    return blocks;
  }
  void skip_spaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  bool take(char c) {
    skip_spaces();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool repeat(char c, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      if (!take(c)) return false;
    }
    return true;
  }
  std::string_view token() {
    skip_spaces();
    size_t begin = at_;
    while (at_ < text_.size() && std::string_view(",] \n\t").find(text_[at_]) == std::string_view::npos) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  const DataType& type_;
  std::string_view text_;
  size_t at_ = 0;
};

// Why `text` cannot be a `type`, beyond "is not one"; empty when there is nothing to add.
std::string misfit_hint(const DataType& type, std::string_view text) {
  IsoTimestamp time;
  if (!text.empty() && (text.front() == ' ' || text.back() == ' ')) return "it has a space around it";
  if (type.is_integer() && is_integer_text(text)) {
    bool leading_zero = text.size() > 1 && (text[0] == '0' || text.substr(0, 2) == "-0");
    return leading_zero ? "digits with a leading zero are text" : "it is out of range";
  }
  if (type.is_float() && is_integer_text(text))
    return "a float cannot hold this integer exactly, or it has a leading zero";
  if (type.is_float() && !text.empty() && is_digit(text.back())) return "it is not a number, or too large for one";
  if (type.kind == TypeKind::kTimestamp && parse_iso_timestamp(text, &time)) {
    if (time.zoned && type.zone.empty()) return "it has a time zone and the column has none";
    if (!time.zoned && !type.zone.empty()) return "it has no time zone and the column has one";
    return "it has more digits than the column keeps, or is out of its range";
  }
  if (type.kind == TypeKind::kDate) return "dates are written YYYY-MM-DD";
  if (type.kind == TypeKind::kTimestamp) return "timestamps are written YYYY-MM-DDTHH:MM:SS";
  if (text.empty()) return "\"\" is the empty text; leave the field empty for a null";
  return {};
}

}  // namespace

bool parse_rare_cell(const DataType& type, std::string_view text, std::string* bytes) {
  bytes->clear();
  if (type.is_tensor()) return TensorText(type, text).parse(bytes);
  uint16_t half = 0;
  int64_t count = 0;
  switch (type.kind) {
    case TypeKind::kFloat16: return parse_half(text, &half) && put(half, bytes);
    case TypeKind::kDuration: return parse_iso_duration(text, type.unit, &count) && put(count, bytes);
    case TypeKind::kDecimal128: return parse_decimal(type, text, bytes);
    case TypeKind::kBinary: return decode_base64(text, bytes);
    case TypeKind::kFixedBinary: return decode_base64(text, bytes) && bytes->size() == type.width;
    default: return false;
  }
}

const char* const kMayNotBeNull = "it may not be null (the schema says so), and this row has no value for it";

std::string why_misfit(const DataType& type, std::string_view text) {
  std::string sentence = quoted_for_message(text) + " does not fit " + type.name();
  std::string hint = misfit_hint(type, text);
  return hint.empty() ? sentence : sentence + ": " + hint;
}

}  // namespace stela::fsd

#include "fsd/views/text_format.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "engine/base/coding.h"
#include "fsd/views/float_text.h"
#include "fsd/views/time_text.h"

namespace stela::fsd {
namespace {

template <typename Integer>
void append_integer(const std::byte* value, std::string& out) {
  char text[24];
  auto end = std::to_chars(text, text + sizeof text, get_fixed<Integer>(value)).ptr;
  out.append(text, end);
}

void append_decimal(ByteSpan value, uint8_t scale, std::string& out) {
  auto number = get_fixed<__int128>(value.data());
  unsigned __int128 rest =
      number < 0 ? -static_cast<unsigned __int128>(number) : static_cast<unsigned __int128>(number);
  char digits[64];
  char* begin = digits + sizeof digits;
  for (int count = 0; rest > 0 || count <= scale; ++count) {
    if (count == scale && scale > 0) *--begin = '.';
    *--begin = static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  }
  if (number < 0) *--begin = '-';
  out.append(begin, digits + sizeof digits);
}

void append_scalar(const DataType& type, TypeKind kind, ByteSpan value, std::string& out) {
  const std::byte* at = value.data();
  switch (kind) {
    case TypeKind::kBool: out.append(*at != std::byte{0} ? "true" : "false"); return;
    case TypeKind::kInt8: append_integer<int8_t>(at, out); return;
    case TypeKind::kInt16: append_integer<int16_t>(at, out); return;
    case TypeKind::kInt32: append_integer<int32_t>(at, out); return;
    case TypeKind::kInt64: append_integer<int64_t>(at, out); return;
    case TypeKind::kUInt8: append_integer<uint8_t>(at, out); return;
    case TypeKind::kUInt16: append_integer<uint16_t>(at, out); return;
    case TypeKind::kUInt32: append_integer<uint32_t>(at, out); return;
    case TypeKind::kUInt64: append_integer<uint64_t>(at, out); return;
    case TypeKind::kFloat16: append_float16(get_fixed<uint16_t>(at), out); return;
    case TypeKind::kFloat32: append_float32(get_fixed<float>(at), out); return;
    case TypeKind::kFloat64: append_float64(get_fixed<double>(at), out); return;
    case TypeKind::kDate: append_date(get_fixed<int64_t>(at), out); return;
    case TypeKind::kTimestamp: append_timestamp(get_fixed<int64_t>(at), type.unit, !type.zone.empty(), out); return;
    case TypeKind::kTime: append_time_of_day(get_fixed<int64_t>(at), type.unit, out); return;
    case TypeKind::kDuration: append_duration(get_fixed<int64_t>(at), type.unit, out); return;
    case TypeKind::kDecimal128: append_decimal(value, type.scale, out); return;
    case TypeKind::kUtf8: out.append(as_text(value)); return;
    case TypeKind::kBinary:
    case TypeKind::kFixedBinary: append_base64(value, out); return;
    case TypeKind::kList:
    case TypeKind::kStruct: return;  // no column has them
  }
}

bool is_finite(TypeKind kind, const std::byte* value) {
  switch (kind) {
    case TypeKind::kFloat16: return (get_fixed<uint16_t>(value) & 0x7C00) != 0x7C00;
    case TypeKind::kFloat32: return (get_fixed<uint32_t>(value) & 0x7F800000) != 0x7F800000;
    case TypeKind::kFloat64: return (get_fixed<uint64_t>(value) >> 52 & 0x7FF) != 0x7FF;
    default: return true;
  }
}

// JSON: nested arrays, outermost extent first; NaN and infinities as strings, since JSON has no other way.
void append_tensor(const DataType& type, ByteSpan value, std::string& out) {
  uint64_t width = type.element_width();
  uint64_t elements = type.elements();
  for (uint64_t i = 0; i < elements; ++i) {
    if (i > 0) out.push_back(',');
    // As many brackets as inner arrays begin (and, below, end) with this element.
    uint64_t block = 1;
    for (auto extent = type.shape.rbegin(); extent != type.shape.rend(); ++extent) {
      block *= *extent;
      if (i % block == 0) out.push_back('[');
    }
    const std::byte* at = value.data() + i * width;
    bool quoted = !is_finite(type.kind, at);
    if (quoted) out.push_back('"');
    append_scalar(type, type.kind, {at, width}, out);
    if (quoted) out.push_back('"');
    block = 1;
    for (auto extent = type.shape.rbegin(); extent != type.shape.rend(); ++extent) {
      block *= *extent;
      if ((i + 1) % block == 0) out.push_back(']');
    }
  }
}

constexpr std::array<bool, 256> flags(std::string_view members, bool controls) {
  std::array<bool, 256> is{};
  for (char c : members) is[static_cast<unsigned char>(c)] = true;
  for (size_t i = 0; controls && i < 32; ++i) is[i] = true;
  if (controls) is[127] = true;
  return is;
}
constexpr auto kCsvSpecial = flags(",\"\r\n", false);
constexpr auto kTxtSpecial = flags("\\", true);

size_t find_flagged(std::string_view text, size_t from, const std::array<bool, 256>& is) {
  while (from < text.size() && !is[static_cast<unsigned char>(text[from])]) ++from;
  return from;
}

void append_escape(char c, std::string& out) {
  static constexpr std::string_view kNamed = "\b\t\n\v\f\r\\";
  static constexpr std::string_view kLetters = "btnvfr\\";
  out.push_back('\\');
  size_t named = kNamed.find(c);
  if (named != std::string_view::npos) {
    out.push_back(kLetters[named]);
    return;
  }
  // Three octal digits always: a digit that follows in the text is not taken in.
  auto byte = static_cast<unsigned char>(c);
  out.push_back(static_cast<char>('0' + (byte >> 6)));
  out.push_back(static_cast<char>('0' + (byte >> 3 & 7)));
  out.push_back(static_cast<char>('0' + (byte & 7)));
}

}  // namespace

void append_value_text(const DataType& type, ByteSpan value, std::string& out) {
  if (type.is_tensor()) {
    append_tensor(type, value, out);
  } else {
    append_scalar(type, type.kind, value, out);
  }
}

void append_csv_text(std::string_view text, std::string& out) {
  if (!text.empty() && find_flagged(text, 0, kCsvSpecial) == text.size()) {
    out.append(text);
    return;
  }
  out.push_back('"');
  for (size_t at = 0; at < text.size();) {
    size_t quote = std::min(text.find('"', at), text.size());
    out.append(text.substr(at, quote - at));
    if (quote < text.size()) out.append("\"\"");
    at = quote + 1;
  }
  out.push_back('"');
}

void append_csv_field(const ColumnView& view, uint64_t row, std::string& out) {
  if (!view.is_valid(row)) return;
  const DataType& type = *view.type;
  ByteSpan value = view.value(row);
  if (type.kind == TypeKind::kUtf8 || value.empty()) {
    append_csv_text(as_text(value), out);
  } else if (type.is_tensor()) {
    std::string json;
    append_tensor(type, value, json);
    append_csv_text(json, out);
  } else {
    append_scalar(type, type.kind, value, out);
  }
}

void append_json_text(std::string_view text, std::string& out) {
  static constexpr auto kSpecial = flags("\"\\", true);
  static constexpr char kDigits[] = "0123456789abcdef";
  out.push_back('"');
  for (size_t at = 0; at < text.size();) {
    size_t special = find_flagged(text, at, kSpecial);
    out.append(text.substr(at, special - at));
    at = special + 1;
    if (special == text.size()) break;
    char c = text[special];
    switch (c) {
      case '"': out.append("\\\""); break;
      case '\\': out.append("\\\\"); break;
      case '\b': out.append("\\b"); break;
      case '\t': out.append("\\t"); break;
      case '\n': out.append("\\n"); break;
      case '\f': out.append("\\f"); break;
      case '\r': out.append("\\r"); break;
      default:
        out.append("\\u00");
        out.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
        out.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
    }
  }
  out.push_back('"');
}

void append_json_value(const ColumnView& view, uint64_t row, std::string& out) {
  if (!view.is_valid(row)) {
    out.append("null");
    return;
  }
  const DataType& type = *view.type;
  ByteSpan value = view.value(row);
  if (type.is_tensor()) {
    append_tensor(type, value, out);
    return;
  }
  if (type.kind == TypeKind::kUtf8) {
    append_json_text(as_text(value), out);
    return;
  }
  bool bare = type.kind <= TypeKind::kFloat64 && is_finite(type.kind, value.data());
  if (!bare) out.push_back('"');
  append_scalar(type, type.kind, value, out);
  if (!bare) out.push_back('"');
}

void append_txt_value(const ColumnView& view, uint64_t row, std::string& out) {
  if (!view.is_valid(row)) {
    out.append("\\N");
    return;
  }
  if (view.type->kind != TypeKind::kUtf8) {
    append_value_text(*view.type, view.value(row), out);
    return;
  }
  std::string_view text = as_text(view.value(row));
  for (size_t at = 0; at < text.size();) {
    size_t special = find_flagged(text, at, kTxtSpecial);
    out.append(text.substr(at, special - at));
    if (special < text.size()) append_escape(text[special], out);
    at = special + 1;
  }
}

void append_base64(ByteSpan bytes, std::string& out) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  auto byte = [&](size_t i) { return i < bytes.size() ? static_cast<uint32_t>(bytes[i]) : 0; };
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    size_t given = std::min<size_t>(bytes.size() - i, 3);
    for (size_t digit = 0; digit < 4; ++digit) {
      out.push_back(digit <= given ? kDigits[group >> (18 - 6 * digit) & 63] : '=');
    }
  }
}

}  // namespace stela::fsd

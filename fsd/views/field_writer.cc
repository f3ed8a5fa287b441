#include "fsd/views/field_writer.h"

#include <array>
#include <charconv>

#include "engine/base/coding.h"
#include "fsd/views/float_text.h"
#include "fsd/views/text_format.h"
#include "fsd/views/time_text.h"

namespace stela::fsd {
namespace {

constexpr size_t kNumberBytesMax = 48;  // of any integer or float, quotes included
constexpr int64_t kDaySeconds = 86400;

constexpr std::array<bool, 256> bytes_to_quote() {
  std::array<bool, 256> is{};
  for (unsigned char c : {',', '"', '\r', '\n'}) is[c] = true;
  return is;
}
constexpr std::array<bool, 256> kMustQuote = bytes_to_quote();

bool has_csv_special(std::string_view text) {
  for (char c : text) {
    if (kMustQuote[static_cast<unsigned char>(c)]) return true;
  }
  return false;
}

char* write_two_digits(uint64_t value, char* out) {
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
  return out + 2;
}

}  // namespace

struct FieldWriter::Writers {
  template <typename Integer>
  static void integer(FieldWriter&, const ColumnView& view, uint64_t row, TextOut& out) {
    auto value = get_fixed<Integer>(view.values + row * sizeof(Integer));
    char* at = out.room(kNumberBytesMax);
    out.advance(std::to_chars(at, at + kNumberBytesMax, value).ptr);
  }

  template <typename Float>
  static void floating(FieldWriter& self, const ColumnView& view, uint64_t row, TextOut& out) {
    auto value = get_fixed<Float>(view.values + row * sizeof(Float));
    bool quoted = self.style_ == FieldStyle::kJson && value - value != 0;  // NaN or infinite
    char* at = out.room(kNumberBytesMax);
    if (quoted) *at++ = '"';
    at = write_float(value, at);
    if (quoted) *at++ = '"';
    out.advance(at);
  }

  static void boolean(FieldWriter&, const ColumnView& view, uint64_t row, TextOut& out) {
    out.append(view.values[row] != std::byte{0} ? "true" : "false");
  }

  static void csv_text(FieldWriter& self, const ColumnView& view, uint64_t row, TextOut& out) {
    std::string_view text = as_text(view.value(row));
    if (!text.empty() && !has_csv_special(text)) {
      out.append(text);
    } else {
      other(self, view, row, out);
    }
  }

  // "2026-11-22" of the days since 1970; false outside the years that have four digits.
  bool static date(FieldWriter& self, int64_t days, char* out) {
    if (!self.has_date_ || self.date_ != days) {
      self.scratch_.clear();
      append_date(days, self.scratch_);
      self.has_date_ = self.scratch_.size() == sizeof(self.date_text_);
      if (!self.has_date_) return false;
      self.date_ = days;
      std::memcpy(self.date_text_, self.scratch_.data(), sizeof(self.date_text_));
    }
    std::memcpy(out, self.date_text_, sizeof(self.date_text_));
    return true;
  }

  static void date_field(FieldWriter& self, const ColumnView& view, uint64_t row, TextOut& out) {
    char* at = out.room(16);
    bool quoted = self.style_ == FieldStyle::kJson;
    if (quoted) *at++ = '"';
    if (!date(self, get_fixed<int64_t>(view.values + row * 8), at)) return other(self, view, row, out);
    at += sizeof(self.date_text_);
    if (quoted) *at++ = '"';
    out.advance(at);
  }

  // Whole seconds of years with four digits; the rest goes the long way.
  static void timestamp_field(FieldWriter& self, const ColumnView& view, uint64_t row, TextOut& out) {
    auto value = get_fixed<int64_t>(view.values + row * 8);
    int64_t per_second = units_per_second(view.type->unit);
    if (value % per_second != 0) return other(self, view, row, out);
    int64_t seconds = value / per_second;
    int64_t days = seconds / kDaySeconds;
    int64_t in_day = seconds % kDaySeconds;
    if (in_day < 0) {
      in_day += kDaySeconds;
      --days;
    }
    char* at = out.room(32);
    bool quoted = self.style_ == FieldStyle::kJson;
    if (quoted) *at++ = '"';
    if (!date(self, days, at)) return other(self, view, row, out);
    at += sizeof(self.date_text_);
    auto second = static_cast<uint64_t>(in_day);
    *at++ = 'T';
    at = write_two_digits(second / 3600, at);
    *at++ = ':';
    at = write_two_digits(second / 60 % 60, at);
    *at++ = ':';
    at = write_two_digits(second % 60, at);
    if (!view.type->zone.empty()) *at++ = 'Z';
    if (quoted) *at++ = '"';
    out.advance(at);
  }

  static void other(FieldWriter& self, const ColumnView& view, uint64_t row, TextOut& out) {
    self.scratch_.clear();
    if (self.style_ == FieldStyle::kJson) {
      append_json_value(view, row, self.scratch_);
    } else {
      append_csv_field(view, row, self.scratch_);
    }
    out.append(self.scratch_);
  }

  static Write of(const DataType& type, FieldStyle style) {
    if (type.is_tensor()) return other;
    switch (type.kind) {
      case TypeKind::kBool: return boolean;
      case TypeKind::kInt8: return integer<int8_t>;
      case TypeKind::kInt16: return integer<int16_t>;
      case TypeKind::kInt32: return integer<int32_t>;
      case TypeKind::kInt64: return integer<int64_t>;
      case TypeKind::kUInt8: return integer<uint8_t>;
      case TypeKind::kUInt16: return integer<uint16_t>;
      case TypeKind::kUInt32: return integer<uint32_t>;
      case TypeKind::kUInt64: return integer<uint64_t>;
      case TypeKind::kFloat32: return floating<float>;
      case TypeKind::kFloat64: return floating<double>;
      case TypeKind::kDate: return date_field;
      case TypeKind::kTimestamp: return timestamp_field;
      case TypeKind::kUtf8: return style == FieldStyle::kCsv ? csv_text : other;
      default: return other;
    }
  }
};

FieldWriter::FieldWriter(const DataType& type, FieldStyle style) : style_(style), write_(Writers::of(type, style)) {}

}  // namespace stela::fsd

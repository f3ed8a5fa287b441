#include "fsd/views/float_text.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>
#include <system_error>

namespace stela::fsd {
namespace {

constexpr int kFixedExponentMin = -4;
constexpr int kFixedExponentMax = 15;

char* copy(std::string_view text, char* out) { return std::copy(text.begin(), text.end(), out); }

// "d.ddde[+-]XX", as to_chars gives it, to the form of float_text.h. At most kFloatTextBytesMax bytes.
char* write_from_scientific(std::string_view text, char* out) {
  size_t mark = text.find('e');
  std::string_view mantissa = text.substr(0, mark);
  std::string_view exponent_text = text.substr(mark + 1);
  int exponent = 0;
  std::from_chars(exponent_text.data() + 1, exponent_text.data() + exponent_text.size(), exponent);
  if (exponent_text.front() == '-') exponent = -exponent;
  if (exponent < kFixedExponentMin || exponent > kFixedExponentMax) return copy(text, out);
  char digits[24];
  size_t count = 0;
  for (char c : mantissa) {
    if (c != '.') digits[count++] = c;
  }
  std::string_view all(digits, count);
  if (exponent < 0) {
    out = copy("0.", out);
    out = std::fill_n(out, -exponent - 1, '0');
    return copy(all, out);
  }
  auto whole = static_cast<size_t>(exponent) + 1;  // digits before the point
  if (whole >= all.size()) {
    out = copy(all, out);
    out = std::fill_n(out, whole - all.size(), '0');
    return copy(".0", out);
  }
  out = copy(all.substr(0, whole), out);
  *out++ = '.';
  return copy(all.substr(whole), out);
}

// Null when `value` is a finite number other than zero.
char* write_special(double value, char* out) {
  if (std::isnan(value)) return copy("NaN", out);
  if (std::isinf(value)) return copy(value < 0 ? "-inf" : "inf", out);
  if (value == 0) return copy(std::signbit(value) ? "-0.0" : "0.0", out);
  return nullptr;
}

template <typename Float>
char* write_shortest(Float value, char* out) {
  if (char* end = write_special(value, out)) return end;
  if (value < 0) {
    *out++ = '-';
    value = -value;
  }
  // Most columns of fractions hold whole numbers too: those need no search for the shortest digits.
  constexpr Float kExact = 1 << std::min(std::numeric_limits<Float>::digits, 30);
  if (value < kExact && value >= 1 && value == std::floor(value)) {
    out = std::to_chars(out, out + kFloatTextBytesMax, static_cast<uint32_t>(value)).ptr;
    return copy(".0", out);
  }
  char text[40];
  auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
  return write_from_scientific({text, static_cast<size_t>(end - text)}, out);
}

template <typename Float>
void append_shortest(Float value, std::string& out) {
  char text[kFloatTextBytesMax];
  out.append(text, write_shortest(value, text));
}

}  // namespace

char* write_float(double value, char* out) { return write_shortest(value, out); }
char* write_float(float value, char* out) { return write_shortest(value, out); }
void append_float64(double value, std::string& out) { append_shortest(value, out); }
void append_float32(float value, std::string& out) { append_shortest(value, out); }

void append_float16(uint16_t bits, std::string& out) {
  auto value = static_cast<double>(float16_to_float(bits));
  char written[kFloatTextBytesMax];
  if (char* end = write_special(value, written)) {
    out.append(written, end);
    return;
  }
  if (value < 0) {
    out.push_back('-');
    value = -value;
    bits = static_cast<uint16_t>(bits & 0x7FFF);
  }
  // Five digits tell any two 11-bit fractions apart; fewer are taken when they still read back the same.
  char text[40];
  char* end = text;
  for (int digits = 0; digits < 5; ++digits) {
    end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific, digits).ptr;
    double back = 0;
    std::from_chars(text, end, back);
    if (float16_from_double(back) == bits) break;
  }
  out.append(written, write_from_scientific({text, static_cast<size_t>(end - text)}, written));
}

float float16_to_float(uint16_t bits) {
  uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  uint32_t exponent = (bits >> 10) & 0x1F;
  uint32_t fraction = bits & 0x3FF;
  if (exponent == 0x1F) return std::bit_cast<float>(sign | 0x7F800000 | fraction << 13);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
  float magnitude = std::ldexp(static_cast<float>(fraction), -24);
  return sign != 0 ? -magnitude : magnitude;
}

uint16_t float16_from_double(double value) {
  auto sign = static_cast<uint16_t>(std::signbit(value) ? 0x8000 : 0);
  double magnitude = std::fabs(value);
  if (std::isnan(value)) return static_cast<uint16_t>(sign | 0x7E00);
  if (magnitude >= 65520) return static_cast<uint16_t>(sign | 0x7C00);
  int exponent = magnitude == 0 ? -14 : std::ilogb(magnitude);
  if (exponent < -14) exponent = -14;
  // The fraction in units of its last place; nearbyint rounds ties to even.
  double units = std::nearbyint(std::ldexp(magnitude, 10 - exponent));
  auto whole = static_cast<uint32_t>(units);
  if (whole < 0x400) return static_cast<uint16_t>(sign | whole);
  // A carry out of the fraction moves into the exponent by itself.
  return static_cast<uint16_t>(sign | ((static_cast<uint32_t>(exponent + 15) << 10) + (whole - 0x400)));
}

}  // namespace stela::fsd

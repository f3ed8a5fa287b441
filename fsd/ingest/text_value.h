// Single values from their text: what is a bool, an integer or a float in a file of rows. Header only,
// because these run once a field.
//
// Strict by design, so that no text turns into a value that would print as another: no spaces around,
// no plus sign, no leading zeros, no thousands separators.
#pragma once

#include <fast_float/fast_float.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>

#include "engine/base/coding.h"

namespace stela::fsd {

inline bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

// Equal to `lower` (lower-case ASCII letters) in any case.
inline bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

inline bool parse_bool(std::string_view text, bool* out) {
  *out = text.size() == 4;
  return *out ? equals_ignoring_case(text, "true") : equals_ignoring_case(text, "false");
}

// Digits only, no leading zero but "0" itself, at most UINT64_MAX.
inline bool parse_magnitude(const char* p, size_t size, uint64_t* out) {
  if (size == 0 || size > 20 || (p[0] == '0' && size > 1)) return false;
  uint64_t value = 0;
  size_t safe = size < 19 ? size : 19;
  for (size_t i = 0; i < safe; ++i) {
    unsigned digit = static_cast<unsigned char>(p[i]) - unsigned{'0'};
    if (digit > 9) return false;
    value = value * 10 + digit;
  }
  if (size == 20) {
    unsigned digit = static_cast<unsigned char>(p[19]) - unsigned{'0'};
    if (digit > 9 || __builtin_mul_overflow(value, uint64_t{10}, &value) ||
        __builtin_add_overflow(value, uint64_t{digit}, &value)) {
      return false;
    }
  }
  *out = value;
  return true;
}

inline bool parse_uint64(std::string_view text, uint64_t* out) {
  return parse_magnitude(text.data(), text.size(), out);
}

// "-0" is not an integer: it would lose its sign.
inline bool parse_int64(std::string_view text, int64_t* out) {
  bool negative = !text.empty() && text[0] == '-';
  uint64_t magnitude = 0;
  if (!parse_magnitude(text.data() + negative, text.size() - negative, &magnitude)) return false;
  if (magnitude > (uint64_t{1} << 63) - 1 + negative || (negative && magnitude == 0)) return false;
  *out = static_cast<int64_t>(negative ? 0 - magnitude : magnitude);
  return true;
}

// One to eight digits at `p`, behind which eight bytes in all may be read; false for anything else. Without a
// branch that depends on the length: in text files lengths are the part that cannot be predicted.
// Method: D. Lemire, "Quickly parsing eight digits" (2018), shorter numbers filled with zeros in front.
inline bool parse_short_magnitude(const char* p, size_t size, uint64_t* out) {
  if (size - 1 > 7) return false;
  auto word = get_fixed<uint64_t>(p);
  constexpr uint64_t kZeros = 0x3030303030303030u;
  // Two shifts, since a shift by 64 is undefined.
  word = word << (64 - 8 * size) | kZeros >> (8 * size - 8) >> 8;
  if ((word & (word + 0x0606060606060606u) & 0xF0F0F0F0F0F0F0F0u) != kZeros) return false;
  if (p[0] == '0' && size > 1) return false;
  word = (word & 0x0F0F0F0F0F0F0F0Fu) * 2561 >> 8;
  word = (word & 0x00FF00FF00FF00FFu) * 6553601 >> 16;
  *out = (word & 0x0000FFFF0000FFFFu) * 42949672960001u >> 32;
  return true;
}

// parse_int64 for text behind whose first byte nine bytes may be read.
inline bool parse_padded_int64(std::string_view text, int64_t* out) {
  bool negative = !text.empty() && text[0] == '-';
  uint64_t magnitude = 0;
  if (!parse_short_magnitude(text.data() + negative, text.size() - negative, &magnitude)) {
    return parse_int64(text, out);
  }
  *out = static_cast<int64_t>(negative ? 0 - magnitude : magnitude);
  return !negative || magnitude != 0;
}

// An optional minus and digits, however many.
inline bool is_integer_text(std::string_view text) {
  size_t at = !text.empty() && text[0] == '-' ? 1 : 0;
  if (at == text.size()) return false;
  for (; at < text.size(); ++at) {
    if (!is_digit(text[at])) return false;
  }
  return true;
}

// Can a float of `Bits` bits of precision hold it exactly?
template <int Bits>
inline bool is_exact_in_float(uint64_t magnitude) {
  return magnitude == 0 || std::bit_width(magnitude) - std::countr_zero(magnitude) <= Bits;
}

// "-" or "" and then nan, inf or infinity in any case (no sign before nan).
inline bool parse_float_word(std::string_view text, double* out) {
  bool negative = !text.empty() && text[0] == '-';
  std::string_view word = text.substr(negative ? 1 : 0);
  if (!negative && equals_ignoring_case(word, "nan")) {
    *out = std::numeric_limits<double>::quiet_NaN();
    return true;
  }
  if (!equals_ignoring_case(word, "inf") && !equals_ignoring_case(word, "infinity")) return false;
  *out = negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  return true;
}

// True when the exact value of an integer written in digits is `value` (out of line: rare, large ones).
bool integer_text_equals(std::string_view text, double value);

// The nearest T (float or double). False when it is not a number, when it is beyond the largest finite one,
// and when it is an integer that T cannot hold exactly.
template <typename T>
inline bool parse_float(std::string_view text, T* out) {
  const char* begin = text.data();
  const char* end = begin + text.size();
  const char* first = begin + (begin != end && *begin == '-');
  if (first == end) return false;
  if (!is_digit(*first) && *first != '.') {
    double word = 0;
    if (!parse_float_word(text, &word)) return false;
    *out = static_cast<T>(word);
    return true;
  }
  if (*first == '0' && first + 1 != end && is_digit(first[1])) return false;
  auto result = fast_float::from_chars(begin, end, *out);
  if (result.ptr != end || std::isinf(*out)) return false;
  constexpr T kExactBelow = sizeof(T) == 8 ? T(9007199254740992.0) : T(16777216.0f);
  if (std::abs(*out) < kExactBelow) [[likely]]
    return true;
  return !is_integer_text(text) || integer_text_equals(text, static_cast<double>(*out));
}

}  // namespace stela::fsd

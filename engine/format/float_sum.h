// FloatSum, ExactFloat: sums of floats without any error, in whatever order they come.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string>

#include "engine/base/coding.h"

namespace stela::format {

// A sum of doubles as it is kept: an integer times a power of 256. Equal sums have equal members.
class ExactFloat {
 public:
  // The double next to it, ties to even; infinite beyond the greatest.
  double nearest() const;
  // At most 275 bytes; some twelve of values that are of about one size. Bytes: fragment_format.md.
  void encode(std::string& out) const;
  // False: malformed.
  bool decode(Decoder& in);
  bool operator==(const ExactFloat&) const = default;

 private:
  friend class FloatSum;
  uint64_t place_ = 0;  // the integer's unit is 256 to the power of this, times the least double
  std::string bytes_;   // of its two's complement, the fewest, little-endian; the first is not zero; none: zero
};

// Fixed point: digits of 32 bits, kept in 64, from the least double's place to 2^64 times the greatest. A value costs
// two additions, and carries are due once in a thousand values (R. Neal, "Fast exact summation using small and large
// superaccumulators", arXiv:1505.05571). Not thread-safe.
class FloatSum {
 public:
  // Of a finite value.
  void add(double value) {
    if (++added_ > kAddedMax) carry();
    const auto bits = std::bit_cast<uint64_t>(value);
    const uint64_t exponent = bits >> 52 & 0x7ff;
    const uint64_t normal = exponent != 0 ? 1 : 0;
    const uint64_t mantissa = (bits & ((uint64_t{1} << 52) - 1)) | normal << 52;
    const uint64_t place = exponent - normal, shift = place % 32;
    const int64_t sign = static_cast<int64_t>(bits) >> 63;
    int64_t* digit = digits_.data() + place / 32;
    digit[0] += (static_cast<int64_t>(mantissa << shift & UINT32_MAX) ^ sign) - sign;
    digit[1] += (static_cast<int64_t>(mantissa >> (32 - shift)) ^ sign) - sign;
  }
  void add(const ExactFloat& other);
  // So many times what it is.
  void multiply(uint64_t count);
  ExactFloat value() const;

 private:
  static constexpr size_t kDigits = 68, kBytes = 4 * kDigits;
  friend class ExactFloat;
  static constexpr uint64_t kAddedMax = 1000;  // of up to 2^52 to a digit
  void carry();

  uint64_t added_ = 0;  // since carries
  std::array<int64_t, kDigits> digits_{};
};

}  // namespace stela::format

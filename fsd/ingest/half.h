// IEEE 754 binary16 to and from double, in one rounding (to nearest, ties to even).
#pragma once

#include <cmath>
#include <cstdint>

namespace stela::fsd {

inline uint16_t half_from_double(double value) {
  auto sign = static_cast<uint16_t>(std::signbit(value) ? 0x8000 : 0);
  if (std::isnan(value)) return 0x7e00;
  double magnitude = std::fabs(value);
  // 65520 is half-way between the largest finite half and the next power of two.
  if (magnitude >= 65520.0) return sign | 0x7c00;
  if (magnitude == 0) return sign;  // has no exponent
  int exponent = 0;
  std::frexp(magnitude, &exponent);
  // The spacing of halves here: 2^-24 below 2^-14, else 2^(exponent - 11).
  int spacing = exponent < -13 ? -24 : exponent - 11;
  auto steps = static_cast<uint32_t>(std::nearbyint(std::ldexp(magnitude, -spacing)));
  if (spacing == -24) return static_cast<uint16_t>(sign | steps);
  // steps is 1024 .. 2048; 2048 carries into the exponent by itself.
  return static_cast<uint16_t>(sign | ((static_cast<uint32_t>(spacing + 24) << 10) + steps));
}

inline double double_from_half(uint16_t half) {
  uint32_t exponent = (half >> 10) & 31, fraction = half & 1023;
  double magnitude = exponent == 31  ? (fraction == 0 ? INFINITY : NAN)
                     : exponent == 0 ? std::ldexp(fraction, -24)
                                     : std::ldexp(fraction + 1024, static_cast<int>(exponent) - 25);
  return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

}  // namespace stela::fsd

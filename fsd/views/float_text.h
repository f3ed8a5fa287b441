// Floats as text: the shortest digits that read back as the same value, with a point or an exponent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace stela::fsd {

// "1.0", "0.1", "1e-05", "1.5e+16", "-0.0", "NaN", "inf", "-inf". An exponent below 1e-4 and from 1e16 on.
void append_float64(double value, std::string& out);
void append_float32(float value, std::string& out);
// The same, written at `out`, where there is room for kFloatTextBytesMax; returns the end.
inline constexpr size_t kFloatTextBytesMax = 40;
char* write_float(double value, char* out);
char* write_float(float value, char* out);
// `bits`: IEEE 754 binary16.
void append_float16(uint16_t bits, std::string& out);

// Exact.
float float16_to_float(uint16_t bits);
// Nearest, ties to even; infinity beyond the range.
uint16_t float16_from_double(double value);

}  // namespace stela::fsd

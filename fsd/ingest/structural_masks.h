// Where delimiters and line ends are: a bit for each byte of 64. One kernel for each width of vector; the widest
// that this processor has is chosen once, at run time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace stela::fsd {

// Bit i of masks[b] is set where p[64 * b + i] is `delimiter` or '\n'. Reads exactly 64 * blocks bytes, at any
// alignment.
using StructuralMasks = void (*)(const char* p, size_t blocks, char delimiter, uint64_t* masks);

struct StructuralKernel {
  const char* name;
  StructuralMasks masks;
};

// Those this processor runs, from the portable twin to the widest.
std::span<const StructuralKernel> structural_kernels();
// The widest.
void structural_masks(const char* p, size_t blocks, char delimiter, uint64_t* masks);

}  // namespace stela::fsd

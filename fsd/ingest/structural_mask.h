// Where delimiters and line ends are: a bit for each byte of 64.
#pragma once

#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace stela::fsd {

// Bit i is set where p[i] is `delimiter` or '\n'. Reads exactly 64 bytes.
inline uint64_t structural_mask_portable(const char* p, char delimiter) {
  uint64_t mask = 0;
  for (unsigned i = 0; i < 64; ++i) {
    mask |= uint64_t{p[i] == delimiter || p[i] == '\n'} << i;
  }
  return mask;
}

#if defined(__SSE2__)
inline uint64_t structural_mask(const char* p, char delimiter) {
  const __m128i wanted = _mm_set1_epi8(delimiter);
  const __m128i newline = _mm_set1_epi8('\n');
  uint64_t mask = 0;
  for (unsigned i = 0; i < 4; ++i) {
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * i));
    __m128i hits = _mm_or_si128(_mm_cmpeq_epi8(bytes, wanted), _mm_cmpeq_epi8(bytes, newline));
    mask |= static_cast<uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(hits))) << (16 * i);
  }
  return mask;
}
#else
inline uint64_t structural_mask(const char* p, char delimiter) { return structural_mask_portable(p, delimiter); }
#endif

}  // namespace stela::fsd

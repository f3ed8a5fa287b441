#include "fsd/ingest/structural_masks.h"

#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace stela::fsd {
namespace {

void portable_masks(const char* p, size_t blocks, char delimiter, uint64_t* masks) {
  for (size_t block = 0; block < blocks; ++block, p += 64) {
    uint64_t mask = 0;
    for (unsigned i = 0; i < 64; ++i) mask |= uint64_t{p[i] == delimiter || p[i] == '\n'} << i;
    masks[block] = mask;
  }
}

#if defined(__x86_64__)

void sse2_masks(const char* p, size_t blocks, char delimiter, uint64_t* masks) {
  const __m128i wanted = _mm_set1_epi8(delimiter), newline = _mm_set1_epi8('\n');
  for (size_t block = 0; block < blocks; ++block, p += 64) {
    uint64_t mask = 0;
    for (unsigned i = 0; i < 4; ++i) {
      __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * i));
      __m128i hits = _mm_or_si128(_mm_cmpeq_epi8(bytes, wanted), _mm_cmpeq_epi8(bytes, newline));
      mask |= static_cast<uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(hits))) << (16 * i);
    }
    masks[block] = mask;
  }
}

__attribute__((target("avx2"))) void avx2_masks(const char* p, size_t blocks, char delimiter, uint64_t* masks) {
  const __m256i wanted = _mm256_set1_epi8(delimiter), newline = _mm256_set1_epi8('\n');
  for (size_t block = 0; block < blocks; ++block, p += 64) {
    uint64_t mask = 0;
    for (unsigned i = 0; i < 2; ++i) {
      __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32 * i));
      __m256i hits = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, wanted), _mm256_cmpeq_epi8(bytes, newline));
      mask |= static_cast<uint64_t>(static_cast<unsigned>(_mm256_movemask_epi8(hits))) << (32 * i);
    }
    masks[block] = mask;
  }
}

__attribute__((target("avx512f,avx512bw"))) void avx512_masks(const char* p, size_t blocks, char delimiter,
                                                              uint64_t* masks) {
  const __m512i wanted = _mm512_set1_epi8(delimiter), newline = _mm512_set1_epi8('\n');
  for (size_t block = 0; block < blocks; ++block, p += 64) {
    __m512i bytes = _mm512_loadu_si512(p);
    masks[block] = _mm512_cmpeq_epi8_mask(bytes, wanted) | _mm512_cmpeq_epi8_mask(bytes, newline);
  }
}

#endif

std::vector<StructuralKernel> choose() {
  std::vector<StructuralKernel> kernels = {{"portable", portable_masks}};
#if defined(__x86_64__)
  kernels.push_back({"sse2", sse2_masks});
  if (__builtin_cpu_supports("avx2")) kernels.push_back({"avx2", avx2_masks});
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")) {
    kernels.push_back({"avx512", avx512_masks});
  }
#endif
  return kernels;
}

}  // namespace

std::span<const StructuralKernel> structural_kernels() {
  static const std::vector<StructuralKernel> kernels = choose();
  return kernels;
}

void structural_masks(const char* p, size_t blocks, char delimiter, uint64_t* masks) {
  static const StructuralMasks widest = structural_kernels().back().masks;
  widest(p, blocks, delimiter, masks);
}

}  // namespace stela::fsd

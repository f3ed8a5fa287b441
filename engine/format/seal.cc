#include "engine/format/seal.h"

#include "engine/base/canary.h"
#include "engine/base/coding.h"

namespace stela::format {

uint32_t seal_seed(const SealScope& scope, const SealPlace& place) {
  uint64_t identity[7] = {scope.store,  scope.file,  scope.section, static_cast<uint64_t>(place.kind),
                          place.column, place.level, place.ordinal};
  return crc32c(std::as_bytes(std::span(identity)));
}

uint32_t seal(const SealScope& scope, const SealPlace& place, ByteSpan bytes) {
  return crc32c(bytes, seal_seed(scope, place));
}

bool seal_matches(uint32_t expected, const SealScope& scope, const SealPlace& place, ByteSpan bytes) {
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  // Fuzzers must reach what lies behind the checksums.
  (void)expected, (void)scope, (void)place, (void)bytes;
  return true;
#else
  if (planted(Canary::kSkipChecksum)) return true;
  return seal(scope, place, bytes) == expected;
#endif
}

}  // namespace stela::format

// SectionTrailer: the last 64 bytes of a section, from which everything else of it is found.
#pragma once

#include <cstdint>
#include <string>

#include "engine/format/entry_tree.h"

namespace stela::format {

inline constexpr uint32_t kTrailerBytes = 64;
inline constexpr uint16_t kSectionVersion = 1;

// The root of the column table lies right before the trailer, sealed like any node.
struct SectionTrailer {
  uint64_t section_bytes = 0;  // with the trailer
  uint64_t rows = 0;
  uint64_t columns = 0;
  uint32_t root_bytes = 0;  // with the seal
  uint32_t root_count = 0;
  uint8_t levels = 0;
};
// Entries of the column table: key column id; offset u64, bytes u32 with the seal, zero u32.
inline constexpr uint32_t kTableEntryBytes = 24;

std::string encode_trailer(const SectionTrailer& trailer, const SealScope& scope);
// kDamaged, or kUnsupported for a newer version.
Result<SectionTrailer> decode_trailer(ByteSpan bytes, const SealScope& scope, uint64_t section_bytes);

}  // namespace stela::format

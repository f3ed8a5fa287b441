#include "engine/format/section_trailer.h"

namespace stela::format {
namespace {

constexpr std::string_view kMagic = "STELAFRG";
constexpr size_t kReservedBytes = 15;
constexpr size_t kSealAt = kTrailerBytes - sizeof(uint32_t);

}  // namespace

std::string encode_trailer(const SectionTrailer& trailer, const SealScope& scope) {
  std::string out;
  put_fixed(out, trailer.section_bytes);
  put_fixed(out, trailer.rows);
  put_fixed(out, trailer.columns);
  put_fixed(out, trailer.root_bytes);
  put_fixed(out, trailer.root_count);
  put_fixed(out, trailer.levels);
  out.append(kReservedBytes, '\0');
  put_fixed(out, kSectionVersion);
  put_fixed(out, uint16_t{0});
  out += kMagic;
  put_fixed(out, seal(scope, {SealKind::kTrailer, 0, 0, 0}, as_bytes(out)));
  STELA_CHECK(out.size() == kTrailerBytes, std::to_string(out.size()));
  return out;
}

Result<SectionTrailer> decode_trailer(ByteSpan bytes, const SealScope& scope, uint64_t section_bytes) {
  if (bytes.size() != kTrailerBytes) return damaged("the trailer is cut short");
  Decoder in(bytes);
  SectionTrailer trailer;
  uint16_t version = 0, reserved = 0;
  std::string_view magic;
  uint32_t crc = 0;
  in.fixed(&trailer.section_bytes);
  in.fixed(&trailer.rows);
  in.fixed(&trailer.columns);
  in.fixed(&trailer.root_bytes);
  in.fixed(&trailer.root_count);
  in.fixed(&trailer.levels);
  in.skip(kReservedBytes);
  in.fixed(&version);
  in.fixed(&reserved);
  in.bytes(kMagic.size(), &magic);
  in.fixed(&crc);
  if (magic != kMagic) return damaged("there is no fragment here (its magic is missing)");
  if (!seal_matches(crc, scope, {SealKind::kTrailer, 0, 0, 0}, bytes.first(kSealAt))) {
    return damaged("the checksum of the trailer is wrong");
  }
  if (version != kSectionVersion) {
    return unsupported("fragment version " + std::to_string(version) + " is of a newer Stela");
  }
  if (trailer.section_bytes != section_bytes || trailer.root_bytes > section_bytes - kTrailerBytes ||
      trailer.levels > kTreeLevelsMax) {
    return damaged("the trailer contradicts the length of its part of the file");
  }
  return trailer;
}

}  // namespace stela::format

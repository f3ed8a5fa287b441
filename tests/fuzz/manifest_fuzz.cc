// Manifests and store headers from hostile bytes. Where the first byte of an input is even the rest is a file as it is,
// else the body of one, framed as a writer does: what lies behind a right checksum.
#include <cstdlib>

#include "engine/base/coding.h"
#include "engine/store/manifest.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

// What decodes comes back the same from its own bytes.
template <typename File>
void round_trip(std::string_view bytes) {
  auto file = File::decode(bytes);
  if (!file.ok()) return require(!file.status().message().empty());
  const std::string again = file->encode();
  auto back = File::decode(again);
  require(back.ok() && back->encode() == again);
}

// Magic, major version, length, checksum (manifest_format.md).
std::string framed(std::string_view body) {
  std::string out;
  stela::put_fixed(out, uint32_t{0x314e4d53});
  stela::put_fixed(out, uint32_t{1});
  stela::put_fixed(out, static_cast<uint32_t>(body.size()));
  stela::put_fixed(out, stela::crc32c(body, stela::crc32c(out)));
  return out.append(body);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 1) {
    round_trip<stela::store::Manifest>(framed(rest));
  } else {
    round_trip<stela::store::Manifest>(rest);
    round_trip<stela::store::StoreHeader>(rest);
  }
  return 0;
}

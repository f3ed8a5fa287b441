#include "engine/format/snappy_encoding.h"

#include <snappy-c.h>

namespace stela::format {
namespace {

const char* chars_of(ByteSpan bytes) { return reinterpret_cast<const char*>(bytes.data()); }

class SnappyCompressor final : public ChunkCompressor {
 public:
  bool uses_prefix() const override { return false; }
  Status compress(ByteSpan raw, ByteSpan, Buffer& out) override {
    const size_t at = out.size();
    size_t size = snappy_max_compressed_length(raw.size());
    out.resize(at + size);
    char* to = reinterpret_cast<char*>(out.data() + at);
    if (snappy_compress(chars_of(raw), raw.size(), to, &size) != SNAPPY_OK) {
      return {Code::kLimit, "snappy refuses a chunk of a page"};
    }
    out.resize(at + size);
    return {};
  }
};

}  // namespace

std::unique_ptr<ChunkCompressor> SnappyEncoding::compressor(ByteSpan, ByteSpan) const {
  return std::make_unique<SnappyCompressor>();
}

uint64_t SnappyEncoding::sampled_bytes(ByteSpan raw) const {
  Buffer compressed;
  return SnappyCompressor().compress(raw, {}, compressed).ok() ? compressed.size() : raw.size();
}

Status SnappyEncoding::decompress(ByteSpan stored, ByteSpan, MutableByteSpan to) const {
  size_t size = 0;
  if (snappy_uncompressed_length(chars_of(stored), stored.size(), &size) != SNAPPY_OK || size != to.size() ||
      snappy_uncompress(chars_of(stored), stored.size(), reinterpret_cast<char*>(to.data()), &size) != SNAPPY_OK) {
    return damaged("a chunk of a snappy page does not give its values");
  }
  return {};
}

}  // namespace stela::format

// Snappy over chunks of the plain bytes: for pages that are seldom read, where Zstandard would hardly save more.
#pragma once

#include "engine/format/chunked_encoding.h"

namespace stela::format {

class SnappyEncoding final : public ChunkedEncoding {
 public:
  EncodingId id() const override { return EncodingId::kSnappy; }
  const char* name() const override { return "snappy"; }

 protected:
  std::unique_ptr<ChunkCompressor> compressor(ByteSpan first, ByteSpan second) const override;
  uint64_t sampled_bytes(ByteSpan raw) const override;
  Status decompress(ByteSpan stored, ByteSpan prefix, MutableByteSpan to) const override;
  // No element holds more than 64 bytes, none is shorter than two.
  uint64_t ratio_max() const override { return 64; }
};

}  // namespace stela::format

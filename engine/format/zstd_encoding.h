// Zstandard over chunks of the plain bytes: for pages that are seldom read.
#pragma once

#include "engine/format/chunked_encoding.h"

namespace stela::format {

class ZstdEncoding final : public ChunkedEncoding {
 public:
  EncodingId id() const override { return EncodingId::kZstd; }
  const char* name() const override { return "zstd"; }

 protected:
  std::unique_ptr<ChunkCompressor> compressor(ByteSpan first, ByteSpan second) const override;
  uint64_t sampled_bytes(ByteSpan raw) const override;
  Status decompress(ByteSpan stored, ByteSpan prefix, MutableByteSpan to) const override;
  // A block of at least four bytes holds at most 128 KiB (RFC 8878, 3.1.1.2).
  uint64_t ratio_max() const override { return 32 << 10; }
};

}  // namespace stela::format

// What general compressors have in common: the plain bytes of a page in chunks of at most 4,096 values under 32 KiB,
// each decoded by itself or, where that is smaller, with the first chunk as known text. So one value costs one chunk,
// or two.
#pragma once

#include <memory>

#include "engine/format/encoding.h"

namespace stela::format {

// Of one page while it is written.
class ChunkCompressor {
 public:
  virtual ~ChunkCompressor() = default;
  // Whether chunks behind the first are compressed with the first as known text.
  virtual bool uses_prefix() const = 0;
  // Appends to `out`. Whatever it takes: chunks that do not shrink are stored as they are.
  virtual Status compress(ByteSpan raw, ByteSpan prefix, Buffer& out) = 0;
};

class ChunkedEncoding : public Encoding {
 public:
  unsigned rank() const override { return 0; }
  bool supports(const DataType&) const override { return true; }
  bool is_identity(const DataType&) const override { return false; }
  std::optional<uint64_t> estimate(const ValueSample& sample, EncodingMode mode) const override;
  Status encode(const ColumnView& values, EncodingMode mode, Buffer& out) const override;
  uint64_t lengths_bytes(ByteSpan encoded, const DataType& type, uint64_t rows) const override;
  Status decode_range(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first, uint64_t count,
                      ColumnData& out) const override;
  Status decode_rows(ByteSpan encoded, const DataType& type, uint64_t rows, std::span<const uint32_t> wanted,
                     ColumnData& out) const override;
  Result<uint64_t> value_bytes(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first,
                               uint64_t count) const override;
  void append_strips(ByteSpan encoded, const DataType& type, uint64_t rows, RowStrips& out) const override;

 protected:
  // For a page that begins with these two chunks; the second is empty where there is none.
  virtual std::unique_ptr<ChunkCompressor> compressor(ByteSpan first, ByteSpan second) const = 0;
  // Bytes that some neighbouring values take, to tell the others' from.
  virtual uint64_t sampled_bytes(ByteSpan raw) const = 0;
  // Untrusted bytes: kDamaged unless they give exactly those of `to`.
  virtual Status decompress(ByteSpan stored, ByteSpan prefix, MutableByteSpan to) const = 0;
  // A stored byte stands for at most so many.
  virtual uint64_t ratio_max() const = 0;
};

}  // namespace stela::format

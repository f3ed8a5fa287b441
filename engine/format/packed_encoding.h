// Packed: integers as bits above a frame of reference, 1,024 at a time, with patches for outliers.
#pragma once

#include "engine/format/packed_vectors.h"

namespace stela::format {

class PackedEncoding final : public FixedEncoding {
 public:
  // Tight: what is said of each vector is packed, too, which pays from the third vector on.
  explicit PackedEncoding(PackedHeads heads) : heads_(heads) {}
  EncodingId id() const override { return is_tight() ? EncodingId::kPackedTight : EncodingId::kPacked; }
  const char* name() const override { return is_tight() ? "packed_tight" : "packed"; }
  unsigned rank() const override { return 0; }
  bool supports(const DataType& type) const override;
  std::optional<uint64_t> estimate(const ValueSample& sample, EncodingMode mode) const override;
  Status encode(const ColumnView& values, EncodingMode mode, Buffer& out) const override;
  Status decode_range(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first, uint64_t count,
                      ColumnData& out) const override;
  Status decode_rows(ByteSpan encoded, const DataType& type, uint64_t rows, std::span<const uint32_t> wanted,
                     ColumnData& out) const override;
  void append_strips(ByteSpan encoded, const DataType& type, uint64_t rows, RowStrips& out) const override;

  Result<EncodedForm> form(ByteSpan encoded, const DataType& type, uint64_t rows) const override;
 private:
  bool is_tight() const { return heads_ == PackedHeads::kTight; }
  PackedHeads heads_;
};

}  // namespace stela::format

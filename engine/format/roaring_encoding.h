// Roaring: booleans of which few are true, or few are false, as the positions of these.
#pragma once

#include "engine/format/encoding.h"

namespace stela::format {

class RoaringEncoding final : public FixedEncoding {
 public:
  // Indexed: where the positions of each 4,096 rows begin is told. Others are of earlier releases, and only read.
  explicit RoaringEncoding(bool is_indexed) : is_indexed_(is_indexed) {}
  EncodingId id() const override { return is_indexed_ ? EncodingId::kRoaringIndexed : EncodingId::kRoaring; }
  const char* name() const override { return is_indexed_ ? "roaring_indexed" : "roaring"; }
  unsigned rank() const override { return 0; }
  bool supports(const DataType& type) const override { return type.kind == TypeKind::kBool && !type.is_tensor(); }
  std::optional<uint64_t> estimate(const ValueSample& sample, EncodingMode mode) const override;
  Status encode(const ColumnView& values, EncodingMode mode, Buffer& out) const override;
  Status decode_range(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first, uint64_t count,
                      ColumnData& out) const override;
  Status decode_rows(ByteSpan encoded, const DataType& type, uint64_t rows, std::span<const uint32_t> wanted,
                     ColumnData& out) const override;
  void append_strips(ByteSpan encoded, const DataType& type, uint64_t rows, RowStrips& out) const override;

 private:
  bool is_indexed_;
};

}  // namespace stela::format

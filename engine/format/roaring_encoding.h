// Roaring: booleans of which few are true, or few are false, as the positions of these.
#pragma once

#include "engine/format/encoding.h"

namespace stela::format {

class RoaringEncoding final : public FixedEncoding {
 public:
  EncodingId id() const override { return EncodingId::kRoaring; }
  const char* name() const override { return "roaring"; }
  unsigned rank() const override { return 0; }
  bool supports(const DataType& type) const override { return type.kind == TypeKind::kBool && !type.is_tensor(); }
  std::optional<uint64_t> estimate(const ValueSample& sample, EncodingMode mode) const override;
  Status encode(const ColumnView& values, EncodingMode mode, Buffer& out) const override;
  Status decode_range(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first, uint64_t count,
                      ColumnData& out) const override;
  Status decode_rows(ByteSpan encoded, const DataType& type, uint64_t rows, std::span<const uint32_t> wanted,
                     ColumnData& out) const override;
  void append_strips(ByteSpan encoded, const DataType& type, uint64_t rows, RowStrips& out) const override;
};

}  // namespace stela::format

// Bytes and booleans by their frequencies: one table of these for the page, and chunks of 4,096 rows in rANS codes.
#pragma once

#include "engine/format/encoding.h"

namespace stela::format {

class RansEncoding final : public FixedEncoding {
 public:
  EncodingId id() const override { return EncodingId::kRans; }
  const char* name() const override { return "rans"; }
  unsigned rank() const override { return 0; }
  bool supports(const DataType& type) const override;
  std::optional<uint64_t> estimate(const ValueSample& sample, EncodingMode mode) const override;
  Status encode(const ColumnView& values, EncodingMode mode, Buffer& out) const override;
  Status decode_range(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first, uint64_t count,
                      ColumnData& out) const override;
  Status decode_rows(ByteSpan encoded, const DataType& type, uint64_t rows, std::span<const uint32_t> wanted,
                     ColumnData& out) const override;
  void append_strips(ByteSpan encoded, const DataType& type, uint64_t rows, RowStrips& out) const override;
};

}  // namespace stela::format

// ALP-RD, for floating-point numbers that never were decimals (Afroozeh, Kuffo and Boncz, SIGMOD 2024): the first bits
// of each, sign, exponent and a little more, are one of a few; the others are noise and stay as they are.
#pragma once

#include "engine/format/encoding.h"

namespace stela::format {

class AlpRdEncoding final : public FixedEncoding {
 public:
  EncodingId id() const override { return EncodingId::kAlpRd; }
  const char* name() const override { return "alp_rd"; }
  unsigned rank() const override { return 2; }
  bool supports(const DataType& type) const override;
  std::optional<uint64_t> estimate(const ValueSample& sample, EncodingMode mode) const override;
  Status encode(const ColumnView& values, EncodingMode mode, Buffer& out) const override;
  Status decode_range(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first, uint64_t count,
                      ColumnData& out) const override;
  Status decode_rows(ByteSpan encoded, const DataType& type, uint64_t rows, std::span<const uint32_t> wanted,
                     ColumnData& out) const override;
  Result<EncodedForm> form(ByteSpan encoded, const DataType& type, uint64_t rows) const override;
  void append_strips(ByteSpan encoded, const DataType& type, uint64_t rows, RowStrips& out) const override;
};

}  // namespace stela::format

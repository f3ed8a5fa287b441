// Constant: one value for all rows; of any type.
#pragma once

#include "engine/format/encoding.h"

namespace stela::format {

class ConstantEncoding final : public Encoding {
 public:
  EncodingId id() const override { return EncodingId::kConstant; }
  const char* name() const override { return "constant"; }
  unsigned rank() const override { return 0; }
  bool supports(const DataType& type) const override;
  std::optional<uint64_t> estimate(const ValueSample& sample, EncodingMode mode) const override;
  Status encode(const ColumnView& values, EncodingMode mode, Buffer& out) const override;
  bool is_identity(const DataType&) const override { return false; }
  uint64_t lengths_bytes(ByteSpan encoded, const DataType& type, uint64_t rows) const override;
  Status decode_range(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first, uint64_t count,
                      ColumnData& out) const override;
  Status decode_rows(ByteSpan encoded, const DataType& type, uint64_t rows, std::span<const uint32_t> wanted,
                     ColumnData& out) const override;
  Result<uint64_t> value_bytes(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first,
                               uint64_t count) const override;
  Result<EncodedForm> form(ByteSpan encoded, const DataType& type, uint64_t rows) const override;
};

}  // namespace stela::format

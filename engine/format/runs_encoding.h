// Runs: equal neighbours once, with how many there are; runs end with their vector of 1,024.
#pragma once

#include "engine/format/encoding.h"

namespace stela::format {

class RunsEncoding final : public FixedEncoding {
 public:
  EncodingId id() const override { return EncodingId::kRuns; }
  const char* name() const override { return "runs"; }
  unsigned rank() const override { return 2; }
  bool supports(const DataType& type) const override;
  std::optional<uint64_t> estimate(const ValueSample& sample, EncodingMode mode) const override;
  Status encode(const ColumnView& values, EncodingMode mode, Buffer& out) const override;
  Status decode_range(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first, uint64_t count,
                      ColumnData& out) const override;
  Status decode_rows(ByteSpan encoded, const DataType& type, uint64_t rows, std::span<const uint32_t> wanted,
                     ColumnData& out) const override;
  Result<EncodedForm> form(ByteSpan encoded, const DataType& type, uint64_t rows) const override;
};

}  // namespace stela::format

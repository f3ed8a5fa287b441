// FSST: text by a table of symbols; lengths are a column inside.
#pragma once

#include "engine/format/encoding.h"

namespace stela::format {

class FsstEncoding final : public Encoding {
 public:
  // `large`: for values of some hundred bytes or more, of which each is found at once, or a few.
  explicit FsstEncoding(bool large) : large_(large) {}
  EncodingId id() const override { return large_ ? EncodingId::kFsstLarge : EncodingId::kFsst; }
  const char* name() const override { return large_ ? "fsst_large" : "fsst"; }
  unsigned rank() const override { return 2; }
  bool supports(const DataType& type) const override { return type.is_variable(); }
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

  Result<EncodedForm> form(ByteSpan encoded, const DataType& type, uint64_t rows) const override;
 private:
  bool large_;
};

}  // namespace stela::format

// A column inside of an encoded page (codes, runs, dictionary values): encoding u16, bytes u32, then its bytes.
#pragma once

#include "engine/format/encoding.h"

namespace stela::format {

// Appends `values`, which have no nulls, by the cheapest encoding below `below_rank`.
Status append_inner(const ColumnView& values, unsigned below_rank, EncodingMode mode, Buffer& out);

// Untrusted bytes. Points into them.
class InnerColumn {
 public:
  // Takes it from the front of `rest`. kUnsupported for an encoding this program does not know. Where `may_be_cut`, the
  // bytes behind those that tell its values' lengths may be missing.
  static Result<InnerColumn> take(ByteSpan& rest, unsigned below_rank, DataType type, uint64_t rows,
                                  bool may_be_cut = false);
  const DataType& type() const { return type_; }
  uint64_t rows() const { return rows_; }
  const Encoding& encoding() const { return *encoding_; }
  // Bytes at the start of its page that tell its values' lengths; of trusted bytes only.
  uint64_t lengths_bytes() const { return encoding_->lengths_bytes(bytes_, type_, rows_); }
  // What it holds; encoded_form.h.
  Result<EncodedForm> form() const;
  // Each gives a fresh column.
  Result<ColumnData> all() const { return range(0, rows_); }
  Result<ColumnData> range(uint64_t first, uint64_t count) const;
  Result<ColumnData> at(std::span<const uint32_t> wanted) const;
  // Of trusted bytes only.
  void append_strips(RowStrips& out) const { encoding_->append_strips(bytes_, type_, rows_, out); }
  // Of each value.
  Result<PooledVector<uint32_t>> lengths() const;

 private:
  const Encoding* encoding_ = nullptr;
  ByteSpan bytes_;
  DataType type_;
  uint64_t rows_ = 0;
};
inline constexpr uint64_t kInnerHeadBytes = sizeof(uint16_t) + sizeof(uint32_t);

}  // namespace stela::format

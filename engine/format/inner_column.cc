#include "engine/format/inner_column.h"

#include <limits>

#include "engine/format/encoded_form.h"
#include "engine/format/encoding_choice.h"

namespace stela::format {

Status append_inner(const ColumnView& values, unsigned below_rank, EncodingMode mode, Buffer& out) {
  STELA_ASSIGN(EncodedValues encoded, encode_cheapest(values, below_rank, mode, 1.0));
  ByteSpan bytes = encoded.bytes.span();
  if (encoded.encoding->is_identity(*values.type)) bytes = {values.values, static_cast<size_t>(values.value_bytes())};
  if (bytes.size() > std::numeric_limits<uint32_t>::max()) return {Code::kLimit, "a page has more than 4 GiB"};
  out.append_value(static_cast<uint16_t>(encoded.encoding->id()));
  out.append_value(static_cast<uint32_t>(bytes.size()));
  out.append(bytes);
  return {};
}

Result<InnerColumn> InnerColumn::take(ByteSpan& rest, unsigned below_rank, DataType type, uint64_t rows,
                                      bool may_be_cut) {
  if (rest.size() < kInnerHeadBytes) return damaged("a column inside of a page is cut short");
  const auto id = get_fixed<uint16_t>(rest.data());
  uint64_t bytes = get_fixed<uint32_t>(rest.data() + sizeof(uint16_t));
  rest = rest.subspan(kInnerHeadBytes);
  if (bytes > rest.size()) {
    if (!may_be_cut) return damaged("a column inside of a page is cut short");
    bytes = rest.size();
  }
  InnerColumn column;
  column.encoding_ = find_encoding(EncodingId{id});
  if (column.encoding_ == nullptr) {
    return unsupported("encoding " + std::to_string(id) + " inside of a page is of a newer Stela");
  }
  if (column.encoding_->rank() >= below_rank || !column.encoding_->supports(type)) {
    return damaged(std::string("encoding ") + column.encoding_->name() + " is not possible at its place in a page");
  }
  column.bytes_ = rest.first(bytes);
  column.type_ = std::move(type);
  column.rows_ = rows;
  rest = rest.subspan(bytes);
  return column;
}

Result<EncodedForm> InnerColumn::form() const { return encoding_->form(bytes_, type_, rows_); }

Result<ColumnData> InnerColumn::range(uint64_t first, uint64_t count) const {
  ColumnData out(type_);
  STELA_TRY(encoding_->decode_range(bytes_, type_, rows_, first, count, out));
  return out;
}

Result<ColumnData> InnerColumn::at(std::span<const uint32_t> wanted) const {
  ColumnData out(type_);
  STELA_TRY(encoding_->decode_rows(bytes_, type_, rows_, wanted, out));
  return out;
}

Result<PooledVector<uint32_t>> InnerColumn::lengths() const {
  PooledVector<uint32_t> lengths(rows_);
  for (uint64_t row = 0; row < rows_; ++row) {
    STELA_ASSIGN(uint64_t bytes, encoding_->value_bytes(bytes_, type_, rows_, row, 1));
    lengths[row] = static_cast<uint32_t>(std::min<uint64_t>(bytes, std::numeric_limits<uint32_t>::max()));
  }
  return lengths;
}

}  // namespace stela::format

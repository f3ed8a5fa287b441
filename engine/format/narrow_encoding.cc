#include "engine/format/narrow_encoding.h"

#include "engine/format/encoded_form.h"
#include "engine/format/encoding_choice.h"
#include "engine/format/inner_column.h"

namespace stela::format {
namespace {

DataType narrowed_type() { return DataType::of(TypeKind::kInt64); }

struct WideWord {
  int64_t low, high;
};

bool is_narrow(const WideWord& word) { return word.high == (word.low < 0 ? -1 : 0); }

WideWord wide_word(const ColumnView& values, uint64_t row) { return get_fixed<WideWord>(values.value(row).data()); }

void widen(const ColumnView& narrow, ColumnData& out) {
  std::byte* to = out.grow_fixed(narrow.rows);
  for (uint64_t row = 0; row < narrow.rows; ++row) {
    const auto low = get_fixed<int64_t>(narrow.values + row * sizeof(int64_t));
    const WideWord word{low, low < 0 ? -1 : 0};
    std::memcpy(to + row * sizeof(word), &word, sizeof(word));
  }
}

Result<InnerColumn> narrow_column(ByteSpan encoded, uint64_t rows) {
  STELA_ASSIGN(InnerColumn inner, InnerColumn::take(encoded, 3, narrowed_type(), rows));
  if (!encoded.empty()) return damaged("a narrow page has bytes behind its values");
  return inner;
}

}  // namespace

bool NarrowEncoding::supports(const DataType& type) const {
  return type.kind == TypeKind::kDecimal128 && !type.is_tensor();
}

std::optional<uint64_t> NarrowEncoding::estimate(const ValueSample& sample, EncodingMode mode) const {
  const ColumnView runs = sample.runs();
  ColumnData narrow(narrowed_type());
  for (uint64_t row = 0; row < runs.rows; ++row) {
    const WideWord word = wide_word(runs, row);
    if (!is_narrow(word)) return std::nullopt;
    narrow.append_value(word.low);
  }
  if (runs.rows == 0) return std::nullopt;
  const uint64_t bytes = encoding_candidates(narrow.view(), 3, mode)[0].bytes;
  return static_cast<uint64_t>(static_cast<double>(bytes) * static_cast<double>(sample.all().rows) /
                               static_cast<double>(runs.rows)) +
         kInnerHeadBytes;
}

Status NarrowEncoding::encode(const ColumnView& values, EncodingMode mode, Buffer& out) const {
  ColumnData narrow(narrowed_type());
  std::byte* to = narrow.grow_fixed(values.rows);
  for (uint64_t row = 0; row < values.rows; ++row) {
    const WideWord word = wide_word(values, row);
    if (!is_narrow(word)) return unsupported("a decimal does not fit 8 bytes");
    std::memcpy(to + row * sizeof(int64_t), &word.low, sizeof(int64_t));
  }
  return append_inner(narrow.view(), 3, mode, out);
}

Status NarrowEncoding::decode_range(ByteSpan encoded, const DataType&, uint64_t rows, uint64_t first, uint64_t count,
                                    ColumnData& out) const {
  STELA_ASSIGN(InnerColumn inner, narrow_column(encoded, rows));
  STELA_ASSIGN(ColumnData narrow, inner.range(first, count));
  widen(narrow.view(), out);
  return {};
}

Status NarrowEncoding::decode_rows(ByteSpan encoded, const DataType&, uint64_t rows, std::span<const uint32_t> wanted,
                                   ColumnData& out) const {
  STELA_ASSIGN(InnerColumn inner, narrow_column(encoded, rows));
  STELA_ASSIGN(ColumnData narrow, inner.at(wanted));
  widen(narrow.view(), out);
  return {};
}

void NarrowEncoding::append_strips(ByteSpan encoded, const DataType&, uint64_t rows, RowStrips& out) const {
  trusted(narrow_column(encoded, rows)).append_strips(out);
}

Result<EncodedForm> NarrowEncoding::form(ByteSpan encoded, const DataType&, uint64_t rows) const {
  STELA_ASSIGN(InnerColumn inner, narrow_column(encoded, rows));
  return EncodedForm{PartsForm{{std::move(inner)}}};
}

}  // namespace stela::format

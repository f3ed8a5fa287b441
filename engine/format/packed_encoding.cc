#include "engine/format/packed_encoding.h"

#include "engine/format/encoding_choice.h"
#include "engine/format/packed_vectors.h"

namespace stela::format {
namespace {

// Fewer rows than this of one vector are picked one by one.
constexpr size_t kPickedMax = 64;

}  // namespace

bool PackedEncoding::supports(const DataType& type) const { return is_word_type(type); }

std::optional<uint64_t> PackedEncoding::estimate(const ValueSample& sample, EncodingMode) const {
  const DataType& type = *sample.all().type;
  return visit_word(type.value_width(), [&]<typename T>(T) {
    return sample.scale_vectors([&](const ColumnView& vector) {
      return plan_vector(reinterpret_cast<const T*>(vector.values), static_cast<uint32_t>(vector.rows),
                         is_signed_word(type))
          .bytes;
    });
  });
}

Status PackedEncoding::encode(const ColumnView& values, EncodingMode, Buffer& out) const {
  visit_word(values.type->value_width(), [&]<typename T>(T) {
    append_packed(reinterpret_cast<const T*>(values.values), values.rows, is_signed_word(*values.type), out);
  });
  return {};
}

Status PackedEncoding::decode_range(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first,
                                    uint64_t count, ColumnData& out) const {
  STELA_TRY(check_page_range(rows, first, count));
  return visit_word(type.value_width(), [&]<typename T>(T) -> Status {
    STELA_ASSIGN(auto reader, PackedReader<T>::open(encoded, rows));
    T* to = reinterpret_cast<T*>(out.grow_fixed(count));
    if (count == 1) {
      STELA_ASSIGN(*to, reader.one(first));
      return {};
    }
    return decode_vectors(rows, first, count, to, [&](uint64_t vector, T* at) { return reader.vector(vector, at); });
  });
}

Status PackedEncoding::decode_rows(ByteSpan encoded, const DataType& type, uint64_t rows,
                                   std::span<const uint32_t> wanted, ColumnData& out) const {
  STELA_TRY(check_page_rows(rows, wanted));
  return visit_word(type.value_width(), [&]<typename T>(T) -> Status {
    STELA_ASSIGN(auto reader, PackedReader<T>::open(encoded, rows));
    T* to = reinterpret_cast<T*>(out.grow_fixed(wanted.size()));
    if (wanted.size() / (vectors_of(rows) + 1) >= kPickedMax) {
      return decode_vector_rows(wanted, to, [&](uint64_t vector, T* at) { return reader.vector(vector, at); });
    }
    for (uint32_t row : wanted) {
      STELA_ASSIGN(*to, reader.one(row));
      ++to;
    }
    return {};
  });
}

void PackedEncoding::append_strips(ByteSpan encoded, const DataType& type, uint64_t rows, RowStrips& out) const {
  visit_word(type.value_width(), [&]<typename T>(T) { append_packed_strips<T>(encoded, rows, out); });
}

}  // namespace stela::format

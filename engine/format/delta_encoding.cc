#include "engine/format/delta_encoding.h"

#include "engine/format/encoding_choice.h"
#include "engine/format/packed_vectors.h"

namespace stela::format {
namespace {

// Differences of up to 1,024 values; the first repeats the second, so that it does not widen the others. Gives the
// value from which they count.
template <typename T>
T differences(const T* values, uint32_t count, T* to) {
  for (uint32_t i = 1; i < count; ++i) to[i] = static_cast<T>(values[i] - values[i - 1]);
  to[0] = count > 1 ? to[1] : T{0};
  return static_cast<T>(values[0] - to[0]);
}

// Bases of the vectors, then packed differences.
template <typename T>
class DeltaReader {
 public:
  static Result<DeltaReader> open(ByteSpan bytes, uint64_t rows) {
    const uint64_t vectors = vectors_of(rows);
    if (vectors > bytes.size() / sizeof(T)) return damaged("a delta page is shorter than the bases of its vectors");
    STELA_ASSIGN(auto packed, PackedReader<T>::open(bytes.subspan(vectors * sizeof(T)), rows));
    return DeltaReader(bytes, std::move(packed), rows);
  }
  Status vector(uint64_t vector, T* to) {
    STELA_TRY(packed_.vector(vector, to));
    T value = get_fixed<T>(bytes_.data() + vector * sizeof(T));
    const uint32_t count = rows_of_vector(rows_, vector);
    for (uint32_t i = 0; i < count; ++i) to[i] = value = static_cast<T>(value + to[i]);
    return {};
  }

 private:
  DeltaReader(ByteSpan bytes, PackedReader<T> packed, uint64_t rows)
      : bytes_(bytes), packed_(std::move(packed)), rows_(rows) {}
  ByteSpan bytes_;
  PackedReader<T> packed_;
  uint64_t rows_;
};

}  // namespace

bool DeltaEncoding::supports(const DataType& type) const { return is_word_type(type) && type.value_width() >= 2; }

std::optional<uint64_t> DeltaEncoding::estimate(const ValueSample& sample, EncodingMode) const {
  return visit_word(sample.all().type->value_width(), [&]<typename T>(T) {
    return sample.scale_vectors([](const ColumnView& vector) {
      T differing[kVectorRows];
      const auto count = static_cast<uint32_t>(vector.rows);
      differences(reinterpret_cast<const T*>(vector.values), count, differing);
      return plan_vector(differing, count, true).bytes + sizeof(T);
    });
  });
}

Status DeltaEncoding::encode(const ColumnView& values, EncodingMode, Buffer& out) const {
  visit_word(values.type->value_width(), [&]<typename T>(T) {
    const auto* from = reinterpret_cast<const T*>(values.values);
    std::vector<T> differing(values.rows);
    for (uint64_t vector = 0; vector < vectors_of(values.rows); ++vector) {
      const uint64_t at = vector * kVectorRows;
      out.append_value(differences(from + at, rows_of_vector(values.rows, vector), differing.data() + at));
    }
    append_packed(differing.data(), values.rows, true, PackedHeads::kPlain, out);
  });
  return {};
}

Status DeltaEncoding::decode_range(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first,
                                   uint64_t count, ColumnData& out) const {
  STELA_TRY(check_page_range(rows, first, count));
  return visit_word(type.value_width(), [&]<typename T>(T) -> Status {
    STELA_ASSIGN(auto reader, DeltaReader<T>::open(encoded, rows));
    T* to = reinterpret_cast<T*>(out.grow_fixed(count));
    return decode_vectors(rows, first, count, to, [&](uint64_t vector, T* at) { return reader.vector(vector, at); });
  });
}

Status DeltaEncoding::decode_rows(ByteSpan encoded, const DataType& type, uint64_t rows,
                                  std::span<const uint32_t> wanted, ColumnData& out) const {
  STELA_TRY(check_page_rows(rows, wanted));
  return visit_word(type.value_width(), [&]<typename T>(T) -> Status {
    STELA_ASSIGN(auto reader, DeltaReader<T>::open(encoded, rows));
    T* to = reinterpret_cast<T*>(out.grow_fixed(wanted.size()));
    return decode_vector_rows(wanted, to, [&](uint64_t vector, T* at) { return reader.vector(vector, at); });
  });
}

void DeltaEncoding::append_strips(ByteSpan encoded, const DataType& type, uint64_t rows, RowStrips& out) const {
  visit_word(type.value_width(), [&]<typename T>(T) {
    append_packed_strips<T>(encoded.subspan(vectors_of(rows) * sizeof(T)), rows, PackedHeads::kPlain, out);
  });
}

}  // namespace stela::format

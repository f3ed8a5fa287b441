#include "engine/format/packed_encoding.h"

#include <bit>

#include "engine/format/encoded_form.h"
#include "engine/format/encoding_choice.h"

namespace stela::format {
namespace {

// Fewer rows than this of one vector are picked one by one.
constexpr size_t kPickedMax = 64;
// From so many vectors on their heads are packed.
constexpr uint64_t kTightVectors = 3;

// How far what is said of vectors differs.
template <typename T>
struct HeadSpread {
  uint64_t widths_min = 64, widths_max = 0, patches_max = 0, references_min = ~uint64_t{0}, references_max = 0;
  void add(const PackedPlan<T>& plan, bool is_signed) {
    const T turn = is_signed ? static_cast<T>(T{1} << (8 * sizeof(T) - 1)) : T{0};
    const uint64_t reference = static_cast<T>(plan.reference ^ turn);
    widths_min = std::min<uint64_t>(widths_min, plan.bits);
    widths_max = std::max<uint64_t>(widths_max, plan.bits);
    patches_max = std::max<uint64_t>(patches_max, plan.patches);
    references_min = std::min(references_min, reference);
    references_max = std::max(references_max, reference);
  }
  uint64_t bytes(uint64_t vectors) const {
    uint64_t bytes = 3 + 2 + sizeof(T);
    for (uint64_t spread : {widths_max - std::min(widths_max, widths_min), patches_max,
                            references_max - std::min(references_max, references_min)}) {
      bytes += packed_tail_bytes(vectors, static_cast<uint32_t>(std::bit_width(spread)));
    }
    return bytes;
  }
};

}  // namespace

bool PackedEncoding::supports(const DataType& type) const { return is_word_type(type); }

std::optional<uint64_t> PackedEncoding::estimate(const ValueSample& sample, EncodingMode) const {
  const DataType& type = *sample.all().type;
  const uint64_t vectors = vectors_of(sample.all().rows);
  if ((vectors >= kTightVectors) != is_tight()) return std::nullopt;
  return visit_word(type.value_width(), [&]<typename T>(T) {
    HeadSpread<T> spread;
    const uint64_t bytes = sample.scale_vectors([&](const ColumnView& vector) {
      const auto plan = plan_vector(reinterpret_cast<const T*>(vector.values), static_cast<uint32_t>(vector.rows),
                                    is_signed_word(type));
      spread.add(plan, is_signed_word(type));
      return plan.bytes;
    });
    return is_tight() ? bytes - std::min(bytes, vectors * (2 + sizeof(T))) + spread.bytes(vectors) : bytes;
  });
}

Status PackedEncoding::encode(const ColumnView& values, EncodingMode, Buffer& out) const {
  visit_word(values.type->value_width(), [&]<typename T>(T) {
    append_packed(reinterpret_cast<const T*>(values.values), values.rows, is_signed_word(*values.type), heads_, out);
  });
  return {};
}

Status PackedEncoding::decode_range(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first,
                                    uint64_t count, ColumnData& out) const {
  STELA_TRY(check_page_range(rows, first, count));
  return visit_word(type.value_width(), [&]<typename T>(T) -> Status {
    STELA_ASSIGN(auto reader, PackedReader<T>::open(encoded, rows, heads_));
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
    STELA_ASSIGN(auto reader, PackedReader<T>::open(encoded, rows, heads_));
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
  visit_word(type.value_width(), [&]<typename T>(T) { append_packed_strips<T>(encoded, rows, heads_, out); });
}

Result<EncodedForm> PackedEncoding::form(ByteSpan encoded, const DataType& type, uint64_t rows) const {
  STELA_TRY(visit_word(type.value_width(), [&]<typename T>(T) -> Status {
    return PackedReader<T>::open(encoded, rows, heads_).status();
  }));
  return EncodedForm{PackedForm{encoded, rows, heads_}};
}

}  // namespace stela::format

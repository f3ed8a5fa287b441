#include "engine/format/runs_encoding.h"

#include "engine/format/encoded_form.h"
#include "engine/format/encoding_choice.h"

namespace stela::format {
namespace {

struct Word128 {
  uint64_t low, high;
  bool operator==(const Word128&) const = default;
};

template <typename Visit>
auto visit_run_word(uint64_t width, Visit visit) {
  return width == sizeof(Word128) ? visit(Word128{}) : visit_word(width, visit);
}

// What a run may well take in a cold page, where it is tried rather than guessed how much the columns inside shrink.
constexpr uint64_t kColdRunBits = 8;

DataType run_length_type() { return DataType::of(TypeKind::kUInt16); }

// Number of runs u32, index of the first run of each vector u32, lengths, values.
Result<RunsForm> open_runs(ByteSpan encoded, const DataType& type, uint64_t rows) {
  RunsForm page;
  page.rows = rows;
  const uint64_t head = sizeof(uint32_t);
  if (encoded.size() < head || vectors_of(rows) > (encoded.size() - head) / sizeof(uint32_t)) {
    return damaged("a page of runs is shorter than the index of its vectors");
  }
  const auto runs = get_fixed<uint32_t>(encoded.data());
  if (runs > rows) return damaged("a page of runs has more runs than rows");
  page.starts = encoded.data() + head;
  ByteSpan rest = encoded.subspan(head + vectors_of(rows) * sizeof(uint32_t));
  STELA_ASSIGN(page.lengths, InnerColumn::take(rest, 2, run_length_type(), runs));
  STELA_ASSIGN(page.values, InnerColumn::take(rest, 2, type, runs));
  if (!rest.empty()) return damaged("a page of runs has bytes behind its values");
  return page;
}

// The runs of some neighbouring vectors, decoded.
template <typename T>
class RunsOfVectors {
 public:
  static Result<RunsOfVectors> open(const RunsForm& page, uint64_t first_vector, uint64_t end_vector) {
    const uint64_t first = page.first_run(first_vector), end = page.first_run(end_vector);
    if (first > end || end > page.runs()) return damaged("the index of a page of runs runs backwards");
    STELA_ASSIGN(ColumnData lengths, page.lengths.range(first, end - first));
    STELA_ASSIGN(ColumnData values, page.values.range(first, end - first));
    return RunsOfVectors(page, first, end, std::move(lengths), std::move(values));
  }
  Status vector(uint64_t vector, T* to) const {
    const uint32_t rows = rows_of_vector(page_.rows, vector);
    const uint64_t begin = page_.first_run(vector), end = page_.first_run(vector + 1);
    if (begin < first_ || begin > end || end > end_) return damaged("the index of a page of runs runs backwards");
    const auto* lengths = reinterpret_cast<const uint16_t*>(lengths_.view().values);
    const auto* values = reinterpret_cast<const T*>(values_.view().values);
    uint32_t done = 0;
    for (uint64_t run = begin - first_; run < end - first_; ++run) {
      if (lengths[run] > rows - done) return damaged("the runs of a vector are longer than it");
      std::fill_n(to + done, lengths[run], values[run]);
      done += lengths[run];
    }
    if (done != rows) return damaged("the runs of a vector are shorter than it");
    return {};
  }

 private:
  RunsOfVectors(const RunsForm& page, uint64_t first, uint64_t end, ColumnData lengths, ColumnData values)
      : page_(page), first_(first), end_(end), lengths_(std::move(lengths)), values_(std::move(values)) {}
  const RunsForm& page_;
  uint64_t first_, end_;
  ColumnData lengths_, values_;
};

}  // namespace

bool RunsEncoding::supports(const DataType& type) const {
  if (type.is_tensor() || type.is_variable() || type.kind == TypeKind::kFixedBinary) return false;
  return type.value_width() <= sizeof(Word128);
}

std::optional<uint64_t> RunsEncoding::estimate(const ValueSample& sample, EncodingMode mode) const {
  const uint64_t rows = sample.all().rows;
  const uint64_t vectors = vectors_of(rows);
  const uint64_t runs = sample.changes() + vectors;
  if (runs > rows / 2) return std::nullopt;
  const DataType& type = *sample.all().type;
  if (mode == EncodingMode::kCold) return 4 + 4 * vectors + runs * kColdRunBits / 8 + 2 * kInnerHeadBytes;
  uint64_t value_bits = type.value_width() * 8;
  if (is_word_type(type)) {
    value_bits = visit_word(type.value_width(), [&]<typename T>(T) -> uint64_t {
      const auto count = static_cast<uint32_t>(sample.runs().rows);
      const auto* values = reinterpret_cast<const T*>(sample.runs().values);
      return count == 0 ? 0 : plan_vector(values, count, is_signed_word(type)).bits;
    });
  }
  return 4 + 4 * vectors + runs * (value_bits + 10) / 8 + 2 * kInnerHeadBytes;
}

Status RunsEncoding::encode(const ColumnView& values, EncodingMode mode, Buffer& out) const {
  return visit_run_word(values.type->value_width(), [&]<typename T>(T) -> Status {
    const auto* from = reinterpret_cast<const T*>(values.values);
    ColumnData lengths(run_length_type()), distinct(*values.type);
    std::vector<uint32_t> starts;
    for (uint64_t row = 0; row < values.rows;) {
      if (row % kVectorRows == 0) starts.push_back(static_cast<uint32_t>(lengths.rows()));
      const uint64_t end = std::min(values.rows, (row / kVectorRows + 1) * kVectorRows);
      uint64_t next = row + 1;
      while (next < end && from[next] == from[row]) ++next;
      lengths.append_value(static_cast<uint16_t>(next - row));
      distinct.append(values.value(row));
      row = next;
    }
    out.append_value(static_cast<uint32_t>(lengths.rows()));
    out.append({reinterpret_cast<const std::byte*>(starts.data()), starts.size() * sizeof(uint32_t)});
    STELA_TRY(append_inner(lengths.view(), 2, mode, out));
    return append_inner(distinct.view(), 2, mode, out);
  });
}

Status RunsEncoding::decode_range(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first, uint64_t count,
                                  ColumnData& out) const {
  STELA_TRY(check_page_range(rows, first, count));
  STELA_ASSIGN(RunsForm page, open_runs(encoded, type, rows));
  if (count == 0) return {};
  return visit_run_word(type.value_width(), [&]<typename T>(T) -> Status {
    STELA_ASSIGN(auto runs, RunsOfVectors<T>::open(page, first / kVectorRows, vectors_of(first + count)));
    T* to = reinterpret_cast<T*>(out.grow_fixed(count));
    return decode_vectors(rows, first, count, to, [&](uint64_t vector, T* at) { return runs.vector(vector, at); });
  });
}

Status RunsEncoding::decode_rows(ByteSpan encoded, const DataType& type, uint64_t rows,
                                 std::span<const uint32_t> wanted, ColumnData& out) const {
  STELA_TRY(check_page_rows(rows, wanted));
  STELA_ASSIGN(RunsForm page, open_runs(encoded, type, rows));
  return visit_run_word(type.value_width(), [&]<typename T>(T) -> Status {
    T* to = reinterpret_cast<T*>(out.grow_fixed(wanted.size()));
    return decode_vector_rows(wanted, to, [&](uint64_t vector, T* at) -> Status {
      STELA_ASSIGN(auto runs, RunsOfVectors<T>::open(page, vector, vector + 1));
      return runs.vector(vector, at);
    });
  });
}

Result<EncodedForm> RunsEncoding::form(ByteSpan encoded, const DataType& type, uint64_t rows) const {
  STELA_ASSIGN(RunsForm page, open_runs(encoded, type, rows));
  return EncodedForm{std::move(page)};
}

}  // namespace stela::format

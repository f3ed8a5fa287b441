#include "engine/format/byte_split_encoding.h"

#include <cmath>

#include "engine/format/encoding_choice.h"
#include "engine/format/inner_column.h"
#include "engine/format/row_groups.h"

namespace stela::format {
namespace {

// What is split: the words themselves; or how far each is from a centre, or, of each vector, how far its difference to
// the one before is from a centre, with the sign in the lowest bit.
enum class SplitForm : uint8_t { kWords = 0, kDistances = 1, kDifferences = 2 };
constexpr SplitForm kForms[] = {SplitForm::kWords, SplitForm::kDistances, SplitForm::kDifferences};
// Rows that are decoded together when single ones are wanted: those of a chunk of bytes.
constexpr uint64_t kSplitBlockRows = 32 << 10;

DataType byte_type() { return DataType::of(TypeKind::kUInt8); }

template <typename T>
T with_sign_low(T value) {
  return static_cast<T>((value << 1) ^ static_cast<T>(T{0} - (value >> (8 * sizeof(T) - 1))));
}

template <typename T>
T with_sign_high(T value) {
  return static_cast<T>((value >> 1) ^ static_cast<T>(T{0} - (value & 1)));
}

// Middle of up to 1,024 values, in signed order.
template <typename T>
T middle_of(const T* values, uint64_t rows, uint64_t step) {
  std::vector<std::make_signed_t<T>> some;
  for (uint64_t row = 0; row < rows; row += step) some.push_back(static_cast<std::make_signed_t<T>>(values[row]));
  if (some.empty()) return 0;
  const auto middle = some.begin() + static_cast<std::ptrdiff_t>(some.size() / 2);
  std::nth_element(some.begin(), middle, some.end());
  return static_cast<T>(*middle);
}

template <typename T>
struct SplitWords {
  SplitForm form = SplitForm::kWords;
  T centre = 0;
  std::vector<T> bases;  // first value of each vector, of differences
  std::vector<T> words;
};

template <typename T>
SplitWords<T> split_words(const T* values, uint64_t rows, SplitForm form) {
  SplitWords<T> split;
  split.form = form;
  split.words.assign(values, values + rows);
  if (form == SplitForm::kWords) return split;
  if (form == SplitForm::kDifferences) {
    for (uint64_t row = 0; row < rows; ++row) {
      const bool begins = row % kVectorRows == 0;
      if (begins) split.bases.push_back(values[row]);
      split.words[row] = begins ? T{0} : static_cast<T>(values[row] - values[row - 1]);
    }
  }
  split.centre = middle_of(split.words.data(), rows, std::max<uint64_t>(1, rows / kVectorRows));
  for (uint64_t row = 0; row < rows; ++row) {
    const bool begins = form == SplitForm::kDifferences && row % kVectorRows == 0;
    split.words[row] = begins ? T{0} : with_sign_low(static_cast<T>(split.words[row] - split.centre));
  }
  return split;
}

// What the bytes need, each place by itself, at their entropy.
template <typename T>
double entropy_bytes(const std::vector<T>& words) {
  double bits = 0;
  for (size_t place = 0; place < sizeof(T); ++place) {
    uint64_t counts[256] = {};
    for (T word : words) ++counts[(word >> (8 * place)) & 0xff];
    for (uint64_t count : counts) {
      if (count == 0) continue;
      bits -= static_cast<double>(count) * std::log2(static_cast<double>(count) / static_cast<double>(words.size()));
    }
  }
  return bits / 8;
}

// Floating-point numbers are split as they are.
std::span<const SplitForm> forms_of(const DataType& type) {
  return std::span(kForms).first(is_word_type(type) ? std::size(kForms) : 1);
}

template <typename T>
SplitWords<T> best_split(const ColumnView& values, double* bytes) {
  SplitWords<T> best;
  double best_bytes = -1;
  for (SplitForm form : forms_of(*values.type)) {
    SplitWords<T> split = split_words(reinterpret_cast<const T*>(values.values), values.rows, form);
    const double needed = entropy_bytes(split.words) + static_cast<double>(split.bases.size() * sizeof(T));
    if (best_bytes >= 0 && needed >= best_bytes * 0.99) continue;
    best = std::move(split);
    best_bytes = needed;
  }
  *bytes = best_bytes;
  return best;
}

// Form u8; of distances and differences their centre; of differences the base of each vector; a column inside of uint8
// for each place, the lowest first.
template <typename T>
struct SplitPage {
  SplitForm form = SplitForm::kWords;
  T centre = 0;
  const std::byte* bases = nullptr;
  InnerColumn places[sizeof(T)];

  static Result<SplitPage> open(ByteSpan encoded, const DataType& type, uint64_t rows) {
    SplitPage page;
    if (encoded.empty()) return damaged("a page of split bytes is cut short");
    const auto form = static_cast<uint8_t>(encoded[0]);
    if (form >= forms_of(type).size()) return damaged("a page of split bytes has a form that is not possible");
    page.form = SplitForm{form};
    encoded = encoded.subspan(1);
    if (page.form != SplitForm::kWords) {
      if (encoded.size() < sizeof(T)) return damaged("a page of split bytes is cut short");
      page.centre = get_fixed<T>(encoded.data());
      encoded = encoded.subspan(sizeof(T));
    }
    if (page.form == SplitForm::kDifferences) {
      const uint64_t vectors = vectors_of(rows);
      if (vectors > encoded.size() / sizeof(T)) return damaged("a page of split bytes is shorter than its bases");
      page.bases = encoded.data();
      encoded = encoded.subspan(vectors * sizeof(T));
    }
    for (InnerColumn& place : page.places) {
      STELA_ASSIGN(place, InnerColumn::take(encoded, 1, byte_type(), rows));
    }
    if (!encoded.empty()) return damaged("a page of split bytes has bytes behind its values");
    return page;
  }

  // What was split, of some rows.
  Status words(uint64_t first, uint64_t count, T* to) const {
    bool any = false;
    for (size_t place = 0; place < sizeof(T); ++place) {
      const InnerColumn& column = places[place];
      const bool constant = column.encoding().id() == EncodingId::kConstant;
      STELA_ASSIGN(const ColumnData bytes, column.range(first, constant ? 1 : count));
      const auto* from = reinterpret_cast<const uint8_t*>(bytes.view().values);
      const auto shift = static_cast<unsigned>(8 * place);
      if (constant) {
        const T word = static_cast<T>(T{from[0]} << shift);
        if (!any) std::fill_n(to, count, word);
        if (any && word != 0) {
          for (uint64_t i = 0; i < count; ++i) to[i] |= word;
        }
      } else if (any) {
        for (uint64_t i = 0; i < count; ++i) to[i] |= static_cast<T>(T{from[i]} << shift);
      } else {
        for (uint64_t i = 0; i < count; ++i) to[i] = static_cast<T>(T{from[i]} << shift);
      }
      any = true;
    }
    return {};
  }

  // Of differences, `first` begins a vector.
  Status read(uint64_t first, uint64_t count, T* to) const {
    STELA_TRY(words(first, count, to));
    if (form == SplitForm::kWords) return {};
    for (uint64_t i = 0; i < count; ++i) to[i] = static_cast<T>(with_sign_high(to[i]) + centre);
    if (form == SplitForm::kDistances) return {};
    for (uint64_t row = 0; row < count; row += kVectorRows) {
      T value = get_fixed<T>(bases + (first + row) / kVectorRows * sizeof(T));
      to[row] = value;
      const uint64_t end = std::min<uint64_t>(count, row + kVectorRows);
      for (uint64_t i = row + 1; i < end; ++i) to[i] = value = static_cast<T>(value + to[i]);
    }
    return {};
  }
};

}  // namespace

bool ByteSplitEncoding::supports(const DataType& type) const {
  if (type.is_tensor() || type.is_variable()) return false;
  return (is_word_type(type) || type.is_float()) && type.value_width() >= 2;
}

std::optional<uint64_t> ByteSplitEncoding::estimate(const ValueSample& sample, EncodingMode mode) const {
  const uint64_t rows = sample.all().rows;
  if (mode == EncodingMode::kLight || rows == 0) return std::nullopt;
  return visit_word(sample.all().type->value_width(), [&]<typename T>(T) {
    return sample.scale_vectors([](const ColumnView& vector) {
      double bytes = 0;
      best_split<T>(vector, &bytes);
      return static_cast<uint64_t>(bytes) + 1;
    }) + sizeof(T) * (1 + kInnerHeadBytes);
  });
}

Status ByteSplitEncoding::encode(const ColumnView& values, EncodingMode mode, Buffer& out) const {
  return visit_word(values.type->value_width(), [&]<typename T>(T) -> Status {
    double bytes = 0;
    const SplitWords<T> split = best_split<T>(values, &bytes);
    out.append_value(static_cast<uint8_t>(split.form));
    if (split.form != SplitForm::kWords) out.append_value(split.centre);
    out.append(std::as_bytes(std::span(split.bases)));
    for (size_t place = 0; place < sizeof(T); ++place) {
      ColumnData column(byte_type());
      auto* to = reinterpret_cast<uint8_t*>(column.grow_fixed(values.rows));
      for (uint64_t row = 0; row < values.rows; ++row) to[row] = static_cast<uint8_t>(split.words[row] >> (8 * place));
      STELA_TRY(append_inner(column.view(), 1, mode, out));
    }
    return {};
  });
}

Status ByteSplitEncoding::decode_range(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first,
                                       uint64_t count, ColumnData& out) const {
  STELA_TRY(check_page_range(rows, first, count));
  return visit_word(type.value_width(), [&]<typename T>(T) -> Status {
    STELA_ASSIGN(auto page, SplitPage<T>::open(encoded, type, rows));
    if (count == 0) return {};
    const uint64_t skipped = page.form == SplitForm::kDifferences ? first % kVectorRows : 0;
    if (skipped == 0) return page.read(first, count, reinterpret_cast<T*>(out.grow_fixed(count)));
    std::vector<T> words(skipped + count);
    STELA_TRY(page.read(first - skipped, skipped + count, words.data()));
    std::memcpy(out.grow_fixed(count), words.data() + skipped, count * sizeof(T));
    return {};
  });
}

Status ByteSplitEncoding::decode_rows(ByteSpan encoded, const DataType& type, uint64_t rows,
                                      std::span<const uint32_t> wanted, ColumnData& out) const {
  STELA_TRY(check_page_rows(rows, wanted));
  auto end_of_block = [](uint64_t row) -> Result<uint64_t> { return (row / kSplitBlockRows + 1) * kSplitBlockRows; };
  return decode_row_groups(*this, encoded, type, rows, wanted, end_of_block, out);
}

}  // namespace stela::format

#include "engine/format/byte_split_encoding.h"

#include <cmath>
#include <limits>
#include <numeric>

#include "engine/format/encoded_form.h"
#include "engine/format/encoding_choice.h"
#include "engine/format/inner_column.h"
#include "engine/format/page_chunks.h"
#include "engine/format/rans.h"
#include "engine/format/row_groups.h"

namespace stela::format {
namespace {

// What is split: the words themselves; how far each is from a centre, the sign in the lowest bit; of each vector, how
// far its difference to the one before is from a centre, likewise; or how far above a line that begins with the vector.
enum class SplitForm : uint8_t { kWords = 0, kDistances = 1, kDifferences = 2, kLine = 3 };
constexpr SplitForm kForms[] = {SplitForm::kWords, SplitForm::kDistances, SplitForm::kDifferences, SplitForm::kLine};
constexpr unsigned kLowBitsMax = 7;
constexpr double kSlopeMax = 4e18;  // fits int64
// Rows that are decoded together when single ones are wanted: those of a chunk of bytes.
constexpr uint64_t kSplitBlockRows = kChunkRowsMax;

bool has_bases(SplitForm form) { return form == SplitForm::kDifferences || form == SplitForm::kLine; }

DataType byte_type() { return DataType::of(TypeKind::kUInt8); }

// Modulo the type, also where that is narrower than int.
template <typename T>
T product(T a, T b) {
  using Wide = std::conditional_t<sizeof(T) < sizeof(uint32_t), uint32_t, T>;
  return static_cast<T>(Wide{a} * Wide{b});
}

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

// Values as multiples of a unit above an origin: hours that are told in seconds.
template <typename T>
struct Multiples {
  T origin = 0, unit = 1;
  std::vector<T> values;
};

template <typename T>
Multiples<T> multiples_of(const T* values, uint64_t rows, bool is_signed) {
  const T turn = is_signed ? static_cast<T>(T{1} << (8 * sizeof(T) - 1)) : T{0};
  T least = static_cast<T>(~T{0}), unit = 0;
  for (uint64_t row = 0; row < rows; ++row) least = std::min(least, static_cast<T>(values[row] ^ turn));
  const T origin = static_cast<T>(least ^ turn);
  for (uint64_t row = 0; row < rows && unit != 1; ++row) {
    const T above = static_cast<T>(values[row] - origin);
    if (unit == 0 || above % unit != 0) unit = std::gcd(unit, above);
  }
  Multiples<T> multiples;
  multiples.values.assign(values, values + rows);
  if (unit <= 1) return multiples;
  multiples.origin = origin;
  multiples.unit = unit;
  for (T& value : multiples.values) value = static_cast<T>(static_cast<T>(value - origin) / unit);
  return multiples;
}

template <typename T>
struct SplitWords {
  SplitForm form = SplitForm::kWords;
  unsigned low_bits = 0;
  T origin = 0, unit = 1;
  T centre = 0;          // of a line its slope
  std::vector<T> bases;  // of each vector
  std::vector<T> words;
};

template <typename T>
void take_differences(SplitWords<T>& split, const std::vector<T>& values) {
  for (uint64_t row = 0; row < values.size(); ++row) {
    const bool begins = row % kVectorRows == 0;
    if (begins) split.bases.push_back(values[row]);
    split.words[row] = begins ? T{0} : static_cast<T>(values[row] - values[row - 1]);
  }
}

template <typename T>
void take_line(SplitWords<T>& split, const std::vector<T>& values) {
  if (values.empty()) return;
  const auto rise = static_cast<std::make_signed_t<T>>(static_cast<T>(values.back() - values.front()));
  const double slope = static_cast<double>(rise) / static_cast<double>(std::max<uint64_t>(1, values.size() - 1));
  if (std::fabs(slope) < kSlopeMax) split.centre = static_cast<T>(std::llround(slope));
  for (uint64_t begin = 0; begin < values.size(); begin += kVectorRows) {
    const uint64_t end = std::min<uint64_t>(values.size(), begin + kVectorRows);
    auto least = std::numeric_limits<std::make_signed_t<T>>::max();
    for (uint64_t row = begin; row < end; ++row) {
      split.words[row] = static_cast<T>(values[row] - product(split.centre, static_cast<T>(row - begin)));
      least = std::min(least, static_cast<std::make_signed_t<T>>(split.words[row]));
    }
    split.bases.push_back(static_cast<T>(least));
    for (uint64_t row = begin; row < end; ++row)
      split.words[row] = static_cast<T>(split.words[row] - static_cast<T>(least));
  }
}

template <typename T>
SplitWords<T> split_words(const Multiples<T>& multiples, SplitForm form) {
  SplitWords<T> split;
  split.form = form;
  split.origin = multiples.origin;
  split.unit = multiples.unit;
  split.words = multiples.values;
  if (form == SplitForm::kWords) return split;
  if (form == SplitForm::kLine) {
    take_line(split, multiples.values);
    return split;
  }
  if (form == SplitForm::kDifferences) take_differences(split, multiples.values);
  const uint64_t rows = split.words.size();
  split.centre = middle_of(split.words.data(), rows, std::max<uint64_t>(1, rows / kVectorRows));
  for (uint64_t row = 0; row < rows; ++row) {
    const bool begins = form == SplitForm::kDifferences && row % kVectorRows == 0;
    split.words[row] = begins ? T{0} : with_sign_low(static_cast<T>(split.words[row] - split.centre));
  }
  return split;
}

// What words need whose lowest bits are kept as they are and whose bytes above, each place by itself, are coded.
template <typename T>
double coded_bytes(const std::vector<T>& words, unsigned low_bits) {
  const auto rows = static_cast<double>(words.size());
  double bits = rows * low_bits;
  T used = 0;
  for (T word : words) used |= word;
  for (unsigned shift = low_bits; shift < 8 * sizeof(T) && used >> shift != 0; shift += 8) {
    std::array<uint64_t, 256> counts{};
    for (T word : words) ++counts[(word >> shift) & 0xff];
    bits += rans_bits(counts);
  }
  return bits / 8;
}

// Floating-point numbers are split as they are.
std::span<const SplitForm> forms_of(const DataType& type) {
  return std::span(kForms).first(is_word_type(type) ? std::size(kForms) : 1);
}

template <typename T>
SplitWords<T> best_split(const ColumnView& values, double* bytes) {
  const auto* from = reinterpret_cast<const T*>(values.values);
  Multiples<T> multiples;
  if (is_word_type(*values.type)) {
    multiples = multiples_of(from, values.rows, is_signed_word(*values.type));
  } else {
    multiples.values.assign(from, from + values.rows);
  }
  SplitWords<T> best;
  double best_bytes = -1;
  for (SplitForm form : forms_of(*values.type)) {
    SplitWords<T> split = split_words(multiples, form);
    const double needed = coded_bytes(split.words, 0) + static_cast<double>(split.bases.size() * sizeof(T));
    if (best_bytes >= 0 && needed >= best_bytes * 0.99) continue;
    best = std::move(split);
    best_bytes = needed;
  }
  const double bases = static_cast<double>(best.bases.size() * sizeof(T));
  for (unsigned low_bits = 1; low_bits <= kLowBitsMax; ++low_bits) {
    const double needed = coded_bytes(best.words, low_bits) + bases;
    if (needed >= best_bytes * 0.9995) continue;
    best.low_bits = low_bits;
    best_bytes = needed;
  }
  *bytes = best_bytes;
  return best;
}

// Form u8; number of low bits u8; origin, unit and centre; of forms with bases the base of each vector; a column inside
// of uint8 for the low bits, where there are any, and for each byte above them, the lowest first.
template <typename T>
struct SplitPage {
  SplitForm form = SplitForm::kWords;
  unsigned low_bits = 0;
  T origin = 0, unit = 1, centre = 0;
  const std::byte* bases = nullptr;
  InnerColumn low;
  InnerColumn places[sizeof(T)];

  static Result<SplitPage> open(ByteSpan encoded, const DataType& type, uint64_t rows) {
    constexpr uint64_t kHead = 2 + 3 * sizeof(T);
    SplitPage page;
    if (encoded.size() < kHead) return damaged("a page of split bytes is cut short");
    const auto form = static_cast<uint8_t>(encoded[0]);
    page.low_bits = static_cast<unsigned>(encoded[1]);
    if (form >= forms_of(type).size() || page.low_bits > kLowBitsMax) {
      return damaged("a page of split bytes has a form that is not possible");
    }
    page.form = SplitForm{form};
    page.origin = get_fixed<T>(encoded.data() + 2);
    page.unit = get_fixed<T>(encoded.data() + 2 + sizeof(T));
    page.centre = get_fixed<T>(encoded.data() + 2 + 2 * sizeof(T));
    encoded = encoded.subspan(kHead);
    if (has_bases(page.form)) {
      const uint64_t vectors = vectors_of(rows);
      if (vectors > encoded.size() / sizeof(T)) return damaged("a page of split bytes is shorter than its bases");
      page.bases = encoded.data();
      encoded = encoded.subspan(vectors * sizeof(T));
    }
    if (page.low_bits > 0) {
      STELA_ASSIGN(page.low, InnerColumn::take(encoded, 1, byte_type(), rows));
    }
    for (InnerColumn& place : page.places) {
      STELA_ASSIGN(place, InnerColumn::take(encoded, 1, byte_type(), rows));
    }
    if (!encoded.empty()) return damaged("a page of split bytes has bytes behind its values");
    return page;
  }

  // Joins some rows of one place, whose lowest bit is bit `shift` of the words, to those of the places below.
  static Status join(const InnerColumn& place, unsigned shift, bool first_place, uint64_t first, uint64_t count,
                     T* to) {
    const bool constant = place.encoding().id() == EncodingId::kConstant;
    STELA_ASSIGN(const ColumnData bytes, place.range(first, constant ? 1 : count));
    const auto* from = reinterpret_cast<const uint8_t*>(bytes.view().values);
    if (constant) {
      const T word = static_cast<T>(T{from[0]} << shift);
      if (first_place) std::fill_n(to, count, word);
      for (uint64_t i = 0; !first_place && word != 0 && i < count; ++i) to[i] |= word;
      return {};
    }
    if (first_place) {
      for (uint64_t i = 0; i < count; ++i) to[i] = static_cast<T>(T{from[i]} << shift);
    } else {
      for (uint64_t i = 0; i < count; ++i) to[i] |= static_cast<T>(T{from[i]} << shift);
    }
    return {};
  }

  // Of forms with bases, `first` begins a vector.
  Status read(uint64_t first, uint64_t count, T* to) const {
    if (low_bits > 0) STELA_TRY(join(low, 0, true, first, count, to));
    for (size_t place = 0; place < sizeof(T); ++place) {
      const auto shift = static_cast<unsigned>(8 * place + low_bits);
      if (shift >= 8 * sizeof(T)) break;
      STELA_TRY(join(places[place], shift, low_bits == 0 && place == 0, first, count, to));
    }
    if (form == SplitForm::kDistances || form == SplitForm::kDifferences) {
      for (uint64_t i = 0; i < count; ++i) to[i] = static_cast<T>(with_sign_high(to[i]) + centre);
    }
    for (uint64_t row = 0; has_bases(form) && row < count; row += kVectorRows) {
      T value = get_fixed<T>(bases + (first + row) / kVectorRows * sizeof(T));
      const uint64_t rows = std::min<uint64_t>(count - row, kVectorRows);
      T* vector = to + row;
      if (form == SplitForm::kLine) {
        for (uint64_t i = 0; i < rows; ++i)
          vector[i] = static_cast<T>(vector[i] + value + product(centre, static_cast<T>(i)));
      } else {
        vector[0] = value;
        for (uint64_t i = 1; i < rows; ++i) vector[i] = value = static_cast<T>(value + vector[i]);
      }
    }
    if (origin == 0 && unit == 1) return {};
    for (uint64_t i = 0; i < count; ++i) to[i] = static_cast<T>(product(to[i], unit) + origin);
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
    }) + sizeof(T) * (3 + kInnerHeadBytes);
  });
}

Status ByteSplitEncoding::encode(const ColumnView& values, EncodingMode mode, Buffer& out) const {
  return visit_word(values.type->value_width(), [&]<typename T>(T) -> Status {
    double bytes = 0;
    const SplitWords<T> split = best_split<T>(values, &bytes);
    out.append_value(static_cast<uint8_t>(split.form));
    out.append_value(static_cast<uint8_t>(split.low_bits));
    for (T number : {split.origin, split.unit, split.centre}) out.append_value(number);
    out.append(std::as_bytes(std::span(split.bases)));
    auto append_place = [&](unsigned shift, T mask) {
      ColumnData column(byte_type());
      auto* to = reinterpret_cast<uint8_t*>(column.grow_fixed(values.rows));
      for (uint64_t row = 0; row < values.rows; ++row) {
        to[row] = static_cast<uint8_t>(shift < 8 * sizeof(T) ? (split.words[row] >> shift) & mask : 0);
      }
      return append_inner(column.view(), 1, mode, out);
    };
    if (split.low_bits > 0) STELA_TRY(append_place(0, static_cast<T>((1u << split.low_bits) - 1)));
    for (size_t place = 0; place < sizeof(T); ++place) {
      STELA_TRY(append_place(static_cast<unsigned>(8 * place + split.low_bits), 0xff));
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
    const uint64_t skipped = has_bases(page.form) ? first % kVectorRows : 0;
    if (skipped == 0) return page.read(first, count, reinterpret_cast<T*>(out.grow_fixed(count)));
    PooledVector<T> words(skipped + count);
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

void ByteSplitEncoding::append_strips(ByteSpan encoded, const DataType& type, uint64_t rows, RowStrips& out) const {
  visit_word(type.value_width(), [&]<typename T>(T) {
    const SplitPage<T> page = trusted(SplitPage<T>::open(encoded, type, rows));
    if (page.low_bits > 0) page.low.append_strips(out);
    for (const InnerColumn& place : page.places) place.append_strips(out);
  });
}

Result<EncodedForm> ByteSplitEncoding::form(ByteSpan encoded, const DataType& type, uint64_t rows) const {
  return visit_word(type.value_width(), [&]<typename T>(T) -> Result<EncodedForm> {
    STELA_ASSIGN(auto page, SplitPage<T>::open(encoded, type, rows));
    PartsForm form;
    if (page.low_bits > 0) form.parts.push_back(page.low);
    form.parts.insert(form.parts.end(), std::begin(page.places), std::end(page.places));
    return EncodedForm{std::move(form)};
  });
}

}  // namespace stela::format

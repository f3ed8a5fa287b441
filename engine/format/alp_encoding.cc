#include "engine/format/alp_encoding.h"

#include <cmath>

#include "engine/format/encoded_form.h"
#include "engine/format/encoding_choice.h"
#include "engine/format/inner_column.h"
#include "engine/format/packed_vectors.h"

namespace stela::format {
namespace {

// Arithmetic is that of float64 for both types.
constexpr double kPowersOfTen[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                   1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
constexpr double kInversePowers[] = {1e0,   1e-1,  1e-2,  1e-3,  1e-4,  1e-5,  1e-6,  1e-7,  1e-8, 1e-9,
                                     1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15, 1e-16, 1e-17, 1e-18};
constexpr double kRounder = 6755399441055744.0;  // 2^52 + 2^51: adding it drops the fraction

template <typename Float>
struct AlpTraits;

template <>
struct AlpTraits<double> {
  using Integer = int64_t;
  static constexpr int kExponentMax = 18;
  static constexpr double kRoundable = 2251799813685248.0;  // 2^51
  static DataType integer_type() { return DataType::of(TypeKind::kInt64); }
};

template <>
struct AlpTraits<float> {
  using Integer = int32_t;
  static constexpr int kExponentMax = 10;
  static constexpr double kRoundable = 1073741824.0;  // 2^30
  static DataType integer_type() { return DataType::of(TypeKind::kInt32); }
};

template <typename Visit>
auto visit_float(const DataType& type, Visit visit) {
  return type.kind == TypeKind::kFloat32 ? visit(float{0}) : visit(double{0});
}

struct Scale {
  int exponent = 0, factor = 0;
};

template <typename Float>
Float alp_value(typename AlpTraits<Float>::Integer integer, Scale scale) {
  return static_cast<Float>(static_cast<double>(integer) * kPowersOfTen[scale.factor] * kInversePowers[scale.exponent]);
}

// False when the value is none that an integer gives back bit for bit.
template <typename Float>
bool alp_integer(Float value, Scale scale, typename AlpTraits<Float>::Integer* integer) {
  using Traits = AlpTraits<Float>;
  const double scaled = static_cast<double>(value) * kPowersOfTen[scale.exponent] * kInversePowers[scale.factor];
  if (!(std::fabs(scaled) < Traits::kRoundable)) return false;
  *integer = static_cast<typename Traits::Integer>((scaled + kRounder) - kRounder);
  const Float back = alp_value<Float>(*integer, scale);
  return std::memcmp(&back, &value, sizeof(value)) == 0;
}

template <typename Float>
constexpr uint64_t kExceptionBytes = sizeof(uint32_t) + sizeof(Float);

// Bits that `count` values, every `step`-th, would take.
template <typename Float>
uint64_t scale_cost(const Float* values, uint64_t count, uint64_t step, Scale scale) {
  using Integer = typename AlpTraits<Float>::Integer;
  Integer least = 0, greatest = 0;
  uint64_t exceptions = 0, integers = 0;
  for (uint64_t i = 0; i < count; i += step) {
    Integer integer = 0;
    if (!alp_integer(values[i], scale, &integer)) {
      ++exceptions;
      continue;
    }
    least = integers == 0 ? integer : std::min(least, integer);
    greatest = integers == 0 ? integer : std::max(greatest, integer);
    ++integers;
  }
  const auto range = static_cast<uint64_t>(greatest) - static_cast<uint64_t>(least);
  const auto bits = static_cast<uint64_t>(std::bit_width(range));
  return exceptions * 8 * kExceptionBytes<Float> + (integers + exceptions) * bits;
}

template <typename Float>
Scale best_scale(const ColumnView& values) {
  constexpr uint64_t kLooked = 64;
  const auto* from = reinterpret_cast<const Float*>(values.values);
  const uint64_t step = std::max<uint64_t>(1, values.rows / kLooked);
  Scale best;
  uint64_t best_cost = ~uint64_t{0};
  for (int exponent = AlpTraits<Float>::kExponentMax; exponent >= 0; --exponent) {
    for (int factor = exponent; factor >= 0; --factor) {
      const uint64_t cost = scale_cost(from, values.rows, step, Scale{exponent, factor});
      if (cost >= best_cost) continue;
      best = {exponent, factor};
      best_cost = cost;
    }
  }
  return best;
}

template <typename Float>
struct AlpColumns {
  ColumnData integers{AlpTraits<Float>::integer_type()};
  std::vector<uint32_t> positions;
  std::vector<Float> values;
};

// Exceptions repeat the integer before them, so that they do not widen the others.
template <typename Float>
AlpColumns<Float> alp_columns(const ColumnView& values, Scale scale) {
  AlpColumns<Float> columns;
  const auto* from = reinterpret_cast<const Float*>(values.values);
  auto* to = reinterpret_cast<typename AlpTraits<Float>::Integer*>(columns.integers.grow_fixed(values.rows));
  typename AlpTraits<Float>::Integer last = 0;
  uint64_t leading = 0;  // exceptions before the first integer
  for (uint64_t row = 0; row < values.rows; ++row) {
    if (alp_integer(from[row], scale, &to[row])) {
      last = to[row];
      for (; leading > 0; --leading) to[row - leading] = last;
      continue;
    }
    if (columns.positions.size() == row) ++leading;
    columns.positions.push_back(static_cast<uint32_t>(row));
    columns.values.push_back(from[row]);
    to[row] = last;
  }
  return columns;
}

// Exponent u8, factor u8, number of exceptions u32, their positions u32, their values, integers.
template <typename Float>
struct AlpPage {
  Scale scale;
  uint32_t exceptions = 0;
  const std::byte* positions = nullptr;
  const std::byte* values = nullptr;
  InnerColumn integers;

  static Result<AlpPage> open(ByteSpan encoded, uint64_t rows) {
    constexpr uint64_t kHead = 2 + sizeof(uint32_t);
    AlpPage page;
    if (encoded.size() < kHead) return damaged("an ALP page is cut short");
    page.scale = {static_cast<int>(encoded[0]), static_cast<int>(encoded[1])};
    if (page.scale.exponent > AlpTraits<Float>::kExponentMax || page.scale.factor > page.scale.exponent) {
      return damaged("an ALP page has an exponent that is not possible");
    }
    page.exceptions = get_fixed<uint32_t>(encoded.data() + 2);
    encoded = encoded.subspan(kHead);
    if (page.exceptions > rows || page.exceptions > encoded.size() / kExceptionBytes<Float>) {
      return damaged("an ALP page is shorter than its exceptions");
    }
    page.positions = encoded.data();
    page.values = page.positions + page.exceptions * sizeof(uint32_t);
    encoded = encoded.subspan(page.exceptions * kExceptionBytes<Float>);
    STELA_ASSIGN(page.integers, InnerColumn::take(encoded, 2, AlpTraits<Float>::integer_type(), rows));
    if (!encoded.empty()) return damaged("an ALP page has bytes behind its integers");
    return page;
  }
  uint64_t position(uint64_t index) const { return get_fixed<uint32_t>(positions + index * sizeof(uint32_t)); }
  Float value(uint64_t index) const { return get_fixed<Float>(values + index * sizeof(Float)); }
  // The first exception at or behind `row`.
  uint64_t first_exception(uint64_t row) const {
    uint64_t low = 0, high = exceptions;
    while (low < high) {
      const uint64_t middle = low + (high - low) / 2;
      (position(middle) < row ? low = middle + 1 : high = middle);
    }
    return low;
  }
  void convert(const ColumnData& column, Float* to) const {
    const auto* from = reinterpret_cast<const typename AlpTraits<Float>::Integer*>(column.view().values);
    for (uint64_t i = 0; i < column.rows(); ++i) to[i] = alp_value<Float>(from[i], scale);
  }
};

}  // namespace

bool AlpEncoding::supports(const DataType& type) const {
  return !type.is_tensor() && (type.kind == TypeKind::kFloat64 || type.kind == TypeKind::kFloat32);
}

std::optional<uint64_t> AlpEncoding::estimate(const ValueSample& sample, EncodingMode) const {
  const ColumnView runs = sample.runs();
  if (runs.rows == 0) return std::nullopt;
  return visit_float(*runs.type, [&]<typename Float>(Float) {
    using Word = std::make_unsigned_t<typename AlpTraits<Float>::Integer>;
    const AlpColumns<Float> columns = alp_columns<Float>(runs, best_scale<Float>(runs));
    const auto* integers = reinterpret_cast<const Word*>(columns.integers.view().values);
    const uint64_t bytes = plan_vector(integers, static_cast<uint32_t>(runs.rows), true).bytes +
                           columns.positions.size() * kExceptionBytes<Float>;
    return bytes * sample.all().rows / runs.rows + kInnerHeadBytes + 6;
  });
}

Status AlpEncoding::encode(const ColumnView& values, EncodingMode mode, Buffer& out) const {
  return visit_float(*values.type, [&]<typename Float>(Float) -> Status {
    const ValueSample sample(values, SampleUse::kTraining);
    const Scale scale = best_scale<Float>(sample.runs());
    const AlpColumns<Float> columns = alp_columns<Float>(values, scale);
    out.append_value(static_cast<uint8_t>(scale.exponent));
    out.append_value(static_cast<uint8_t>(scale.factor));
    out.append_value(static_cast<uint32_t>(columns.positions.size()));
    out.append(std::as_bytes(std::span(columns.positions)));
    out.append(std::as_bytes(std::span(columns.values)));
    return append_inner(columns.integers.view(), 2, mode, out);
  });
}

Status AlpEncoding::decode_range(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first, uint64_t count,
                                 ColumnData& out) const {
  STELA_TRY(check_page_range(rows, first, count));
  return visit_float(type, [&]<typename Float>(Float) -> Status {
    STELA_ASSIGN(auto page, AlpPage<Float>::open(encoded, rows));
    STELA_ASSIGN(const ColumnData integers, page.integers.range(first, count));
    auto* to = reinterpret_cast<Float*>(out.grow_fixed(count));
    page.convert(integers, to);
    for (uint64_t i = page.first_exception(first); i < page.exceptions; ++i) {
      const uint64_t at = page.position(i);
      if (at >= first + count) break;
      if (at < first) return damaged("the exceptions of an ALP page are not in order");
      to[at - first] = page.value(i);
    }
    return {};
  });
}

Status AlpEncoding::decode_rows(ByteSpan encoded, const DataType& type, uint64_t rows, std::span<const uint32_t> wanted,
                                ColumnData& out) const {
  STELA_TRY(check_page_rows(rows, wanted));
  return visit_float(type, [&]<typename Float>(Float) -> Status {
    STELA_ASSIGN(auto page, AlpPage<Float>::open(encoded, rows));
    STELA_ASSIGN(const ColumnData integers, page.integers.at(wanted));
    auto* to = reinterpret_cast<Float*>(out.grow_fixed(wanted.size()));
    page.convert(integers, to);
    for (size_t i = 0; page.exceptions > 0 && i < wanted.size(); ++i) {
      const uint64_t exception = page.first_exception(wanted[i]);
      if (exception < page.exceptions && page.position(exception) == wanted[i]) to[i] = page.value(exception);
    }
    return {};
  });
}

void AlpEncoding::append_strips(ByteSpan encoded, const DataType& type, uint64_t rows, RowStrips& out) const {
  visit_float(type, [&]<typename Float>(Float) {
    trusted(AlpPage<Float>::open(encoded, rows)).integers.append_strips(out);
  });
}

Result<EncodedForm> AlpEncoding::form(ByteSpan encoded, const DataType& type, uint64_t rows) const {
  return visit_float(type, [&]<typename Float>(Float) -> Result<EncodedForm> {
    STELA_ASSIGN(auto page, AlpPage<Float>::open(encoded, rows));
    return EncodedForm{PartsForm{{page.integers}}};
  });
}

}  // namespace stela::format

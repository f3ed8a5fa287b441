#include "engine/format/statistics.h"

#include <algorithm>
#include <concepts>
#include <cstring>
#include <limits>

#include "engine/format/statistics_bounds.h"
#include "engine/format/statistics_figures.h"
#include "engine/format/valid_runs.h"

namespace stela::format {
namespace {

template <typename T>
void set_bounds(Statistics& statistics, T low, T high) {
  statistics.has_bounds = true;
  statistics.min.assign(reinterpret_cast<const char*>(&low), sizeof(T));
  statistics.max.assign(reinterpret_cast<const char*>(&high), sizeof(T));
}

template <typename T>
void bound_integers(const ColumnView& view, Statistics& statistics) {
  bool any = false;
  T low{}, high{};
  for_valid_runs(view, [&](uint64_t first, uint64_t count) {
    const std::byte* values = view.values + first * sizeof(T);
    if (!any) low = high = load_value<T>(values, 0);
    any = true;
    T run_low = low, run_high = high;
    for (uint64_t i = 0; i < count; ++i) {
      T value = load_value<T>(values, i);
      run_low = value < run_low ? value : run_low;
      run_high = value > run_high ? value : run_high;
    }
    low = run_low;
    high = run_high;
  });
  if (any) set_bounds(statistics, low, high);
}

template <std::floating_point T>
void bound_floats(const ColumnView& view, Statistics& statistics) {
  // Lanes make the comparisons independent, so that the compiler may use vectors; a comparison with NaN is
  // false and keeps what the lane has.
  constexpr uint64_t kLanes = 8;
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  T low[kLanes], high[kLanes];
  bool nan[kLanes] = {};
  for (uint64_t lane = 0; lane < kLanes; ++lane) {
    low[lane] = kInfinity;
    high[lane] = -kInfinity;
  }
  auto take = [&](T value, uint64_t lane) {
    low[lane] = value < low[lane] ? value : low[lane];
    high[lane] = value > high[lane] ? value : high[lane];
    nan[lane] |= value != value;
  };
  for_valid_runs(view, [&](uint64_t first, uint64_t count) {
    const std::byte* values = view.values + first * sizeof(T);
    uint64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
      for (uint64_t lane = 0; lane < kLanes; ++lane) take(load_value<T>(values, i + lane), lane);
    }
    for (; i < count; ++i) take(load_value<T>(values, i), i % kLanes);
  });
  T least = kInfinity, greatest = -kInfinity;
  for (uint64_t lane = 0; lane < kLanes; ++lane) {
    least = low[lane] < least ? low[lane] : least;
    greatest = high[lane] > greatest ? high[lane] : greatest;
    statistics.has_nan |= nan[lane];
  }
  // Adding zero turns -0.0 into 0.0 and changes nothing else.
  if (least <= greatest) set_bounds(statistics, least + T{0}, greatest + T{0});
}

void bound_halves(const ColumnView& view, Statistics& statistics) {
  int32_t low = std::numeric_limits<int32_t>::max();
  int32_t high = std::numeric_limits<int32_t>::min();
  for_valid_runs(view, [&](uint64_t first, uint64_t count) {
    for (uint64_t i = first; i < first + count; ++i) {
      auto bits = load_value<uint16_t>(view.values, i);
      if (half_is_nan(bits)) {
        statistics.has_nan = true;
        continue;
      }
      int32_t order = half_order(bits);
      low = order < low ? order : low;
      high = order > high ? order : high;
    }
  });
  auto bits_of = [](int32_t order) { return static_cast<uint16_t>(order < 0 ? 0x8000 | -order : order); };
  if (low <= high) set_bounds(statistics, bits_of(low), bits_of(high));
}

// The first eight bytes as a number that orders like them; shorter texts are padded with zeros.
uint64_t order_prefix(std::string_view value, const char* readable_end) {
  uint64_t bytes = 0;
  if (readable_end - value.data() >= std::ptrdiff_t{sizeof(bytes)}) {
    std::memcpy(&bytes, value.data(), sizeof(bytes));
    bytes = __builtin_bswap64(bytes);
    if (value.size() < sizeof(bytes)) bytes = value.empty() ? 0 : bytes & ~uint64_t{0} << (64 - 8 * value.size());
    return bytes;
  }
  for (size_t i = 0; i < sizeof(bytes); ++i)
    bytes = bytes << 8 | (i < value.size() ? static_cast<uint8_t>(value[i]) : 0);
  return bytes;
}

template <typename ValueAt>
void bound_bytes(const ColumnView& view, ValueAt value_at, Statistics& statistics) {
  bool any = false;
  std::string_view low, high;
  uint64_t low_prefix = 0, high_prefix = 0;
  const std::string_view last = value_at(view.rows - 1);
  const char* readable_end = last.data() + last.size();
  for_valid_runs(view, [&](uint64_t first, uint64_t count) {
    for (uint64_t row = first; row < first + count; ++row) {
      std::string_view value = value_at(row);
      const uint64_t prefix = order_prefix(value, readable_end);
      if (!any || prefix < low_prefix || (prefix == low_prefix && value < low)) {
        low = value;
        low_prefix = prefix;
      }
      if (!any || prefix > high_prefix || (prefix == high_prefix && value > high)) {
        high = value;
        high_prefix = prefix;
      }
      any = true;
    }
  });
  if (any) set_byte_bounds(view.type->kind == TypeKind::kUtf8, low, high, statistics);
}

void bound_bytes(const ColumnView& view, Statistics& statistics) {
  if (view.rows == 0) return;
  const char* bytes = reinterpret_cast<const char*>(view.values);
  if (view.type->is_variable()) {
    bound_bytes(
        view,
        [&](uint64_t row) {
          return std::string_view(bytes + view.offsets[row], view.offsets[row + 1] - view.offsets[row]);
        },
        statistics);
  } else {
    const uint64_t width = view.type->value_width();
    bound_bytes(
        view, [&](uint64_t row) { return std::string_view(bytes + row * width, width); }, statistics);
  }
}

template <typename T>
int order_of(std::string_view a, std::string_view b) {
  auto x = get_fixed<T>(a.data());
  auto y = get_fixed<T>(b.data());
  return x < y ? -1 : x > y ? 1 : 0;
}

int compare_bytes(std::string_view a, std::string_view b) {
  int order = a.compare(b);
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

bool is_bytes(const DataType& type) { return type.is_variable() || type.kind == TypeKind::kFixedBinary; }

}  // namespace

namespace {

void compute_bounds(const ColumnView& values, Statistics& statistics) {
  const DataType& type = *values.type;
  if (is_bytes(type)) return bound_bytes(values, statistics);
  switch (type.kind) {
    case TypeKind::kInt8: return bound_integers<int8_t>(values, statistics);
    case TypeKind::kInt16: return bound_integers<int16_t>(values, statistics);
    case TypeKind::kInt32: return bound_integers<int32_t>(values, statistics);
    case TypeKind::kBool:
    case TypeKind::kUInt8: return bound_integers<uint8_t>(values, statistics);
    case TypeKind::kUInt16: return bound_integers<uint16_t>(values, statistics);
    case TypeKind::kUInt32: return bound_integers<uint32_t>(values, statistics);
    case TypeKind::kUInt64: return bound_integers<uint64_t>(values, statistics);
    case TypeKind::kFloat16: return bound_halves(values, statistics);
    case TypeKind::kFloat32: return bound_floats<float>(values, statistics);
    case TypeKind::kFloat64: return bound_floats<double>(values, statistics);
    case TypeKind::kDecimal128: return bound_integers<__int128>(values, statistics);
    default: return bound_integers<int64_t>(values, statistics);
  }
}

// All rows have the same bytes, which comparing memory tells soonest.
bool is_constant(const ColumnView& values) {
  if (values.rows < 2 || values.type->is_variable() || values.validity != nullptr) return false;
  const uint64_t width = values.type->value_width();
  return std::memcmp(values.values, values.values + width, (values.rows - 1) * width) == 0;
}

void repeat(Statistics& one, uint64_t rows) {
  one.rows = rows;
  one.strict = false;
  if (one.sum) one.sum = one.sum->times(rows);
}

}  // namespace

Statistics compute_statistics(const ColumnView& values) {
  Statistics statistics;
  statistics.rows = values.rows;
  statistics.nulls = values.null_count();
  const DataType& type = *values.type;
  if (type.is_tensor() || statistics.nulls == statistics.rows) return statistics;
  if (is_constant(values)) {
    statistics = compute_statistics(values.slice(0, 1));
    repeat(statistics, values.rows);
    return statistics;
  }
  compute_bounds(values, statistics);
  compute_figures(values, statistics);
  return statistics;
}

std::optional<uint64_t> Statistics::distinct() const {
  if (!sketch) return distinct_estimate;
  return std::min(sketch->estimate(), rows - nulls);
}

int compare_values(const DataType& type, std::string_view a, std::string_view b) {
  size_t width = type.element_width();
  if (is_bytes(type) || a.size() != width || b.size() != width) return compare_bytes(a, b);
  switch (type.kind) {
    case TypeKind::kInt8: return order_of<int8_t>(a, b);
    case TypeKind::kInt16: return order_of<int16_t>(a, b);
    case TypeKind::kInt32: return order_of<int32_t>(a, b);
    case TypeKind::kBool:
    case TypeKind::kUInt8: return order_of<uint8_t>(a, b);
    case TypeKind::kUInt16: return order_of<uint16_t>(a, b);
    case TypeKind::kUInt32: return order_of<uint32_t>(a, b);
    case TypeKind::kUInt64: return order_of<uint64_t>(a, b);
    case TypeKind::kFloat32: return order_of<float>(a, b);
    case TypeKind::kFloat64: return order_of<double>(a, b);
    case TypeKind::kDecimal128: return order_of<__int128>(a, b);
    case TypeKind::kFloat16: {
      int32_t x = half_order(get_fixed<uint16_t>(a.data())), y = half_order(get_fixed<uint16_t>(b.data()));
      return x < y ? -1 : x > y ? 1 : 0;
    }
    default: return order_of<int64_t>(a, b);
  }
}

void merge_statistics(const DataType& type, Statistics& into, const Statistics& other) {
  merge_figures(type, into, other);
  // Bytes without bounds although there are values: no bound is known, hence none of both.
  auto unbounded = [&](const Statistics& s) { return is_bytes(type) && !s.has_bounds && s.nulls < s.rows; };
  bool unknown = unbounded(into) || unbounded(other);
  into.rows += other.rows;
  into.nulls += other.nulls;
  into.has_nan |= other.has_nan;
  if (unknown) {
    into.has_bounds = false;
    into.min_exact = into.max_exact = true;
    into.min.clear();
    into.max.clear();
    return;
  }
  if (!other.has_bounds) return;
  if (!into.has_bounds) {
    into.has_bounds = true;
    into.min = other.min;
    into.max = other.max;
    into.min_exact = other.min_exact;
    into.max_exact = other.max_exact;
    return;
  }
  int low = compare_values(type, other.min, into.min);
  if (low < 0) into.min = other.min;
  // Where both agree, an exact bound is a value that is there.
  into.min_exact = low < 0 ? other.min_exact : low > 0 ? into.min_exact : into.min_exact || other.min_exact;
  int high = compare_values(type, other.max, into.max);
  if (high > 0) into.max = other.max;
  into.max_exact = high > 0 ? other.max_exact : high < 0 ? into.max_exact : into.max_exact || other.max_exact;
}

}  // namespace stela::format

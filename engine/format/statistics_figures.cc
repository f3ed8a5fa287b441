#include "engine/format/statistics_figures.h"

#include <algorithm>
#include <bit>
#include <concepts>
#include <utility>

#include "engine/format/statistics_sums.h"
#include "engine/format/valid_runs.h"

namespace stela::format {
namespace {

// Rows after which an order that is none is given up, and which are hashed by one loop.
constexpr uint64_t kPassRows = 256;

bool has_values(const Statistics& statistics) { return statistics.nulls < statistics.rows; }

// What a value is compared and hashed as; sums are of the value itself.
template <typename T>
T ordered(T value) {
  return value;
}
template <std::floating_point T>
T ordered(T value) {
  return value + T{0};  // -0.0 becomes 0.0
}

struct Half {
  uint16_t bits;
};
int32_t ordered(Half value) { return half_order(value.bits); }

template <typename T>
bool is_nan(T) {
  return false;
}
template <std::floating_point T>
bool is_nan(T value) {
  return value != value;
}
bool is_nan(Half value) { return half_is_nan(value.bits); }

template <std::integral T>
uint64_t bits_of(T value) {
  return static_cast<uint64_t>(static_cast<int64_t>(value));
}
uint64_t bits_of(uint64_t value) { return value; }
uint64_t bits_of(float value) { return std::bit_cast<uint32_t>(value); }
uint64_t bits_of(double value) { return std::bit_cast<uint64_t>(value); }
uint64_t hash_of(__int128 value) {
  return distinct_hash(distinct_hash(static_cast<uint64_t>(value)) ^ static_cast<uint64_t>(value >> 64));
}
template <typename T>
uint64_t hash_of(T value) {
  return distinct_hash(bits_of(value));
}

// Order and distinct values of a column's values, which come run by run.
template <typename T>
class NumberPass {
 public:
  using Ordered = decltype(ordered(T{}));

  explicit NumberPass(Statistics& statistics) : statistics_(statistics) {}

  void take(const std::byte* values, uint64_t count) {
    if (!any_) last_ = ordered(load_value<T>(values, 0));
    const bool first = !std::exchange(any_, true);
    if (!statistics_.has_nan && (up_ || down_)) look_at_order(values, first ? 1 : 0, count);
    last_ = ordered(load_value<T>(values, count - 1));
    if constexpr (sizeof(T) == 1) {
      for (uint64_t i = 0; i < count; ++i) present_[static_cast<uint8_t>(values[i])] = true;
    } else {
      for (uint64_t i = 0; i < count; i += kPassRows) {
        add_hashes(values + i * sizeof(T), std::min(kPassRows, count - i));
      }
    }
  }

  void finish() {
    if constexpr (sizeof(T) == 1) {
      for (size_t value = 0; value < std::size(present_); ++value) {
        if (present_[value]) sketch_.add(hash_of(static_cast<T>(value)));
      }
    }
    if (!any_ || statistics_.has_nan) up_ = down_ = false;
    statistics_.ascending = up_;
    statistics_.descending = down_;
    statistics_.strict = (up_ || down_) && strict_;
    statistics_.sketch = std::move(sketch_);
  }

 private:
  void add_hashes(const std::byte* values, uint64_t count) {
    if (uint8_t* registers = sketch_.registers(); registers != nullptr) {
      for_hashes(values, count, [&](uint64_t hash) { DistinctSketch::raise(registers, hash); });
    } else {
      for_hashes(values, count, [&](uint64_t hash) { sketch_.add(hash); });
    }
  }

  template <typename Take>
  void for_hashes(const std::byte* values, uint64_t count, Take take) const {
    if (!statistics_.has_nan) {
      for (uint64_t i = 0; i < count; ++i) take(hash_of(ordered(load_value<T>(values, i))));
      return;
    }
    for (uint64_t i = 0; i < count; ++i) {
      const T value = load_value<T>(values, i);
      if (!is_nan(value)) take(hash_of(ordered(value)));
    }
  }

  void look_at_order(const std::byte* values, uint64_t i, uint64_t count) {
    Ordered last = last_;
    while (i < count && (up_ || down_)) {
      bool up = true, down = true, equal = false;
      auto look = [&](uint64_t rows) {
        for (uint64_t k = 0; k < rows; ++k) {
          const Ordered value = ordered(load_value<T>(values, i + k));
          up &= last <= value;
          down &= last >= value;
          equal |= last == value;
          last = value;
        }
      };
      // A number of rounds that the compiler knows is worth vectors to it.
      const uint64_t rows = std::min(count - i, kPassRows);
      rows == kPassRows ? look(kPassRows) : look(rows);
      i += rows;
      up_ &= up;
      down_ &= down;
      strict_ &= !equal;
    }
  }

  Statistics& statistics_;
  DistinctSketch sketch_;
  Ordered last_{};
  bool any_ = false, up_ = true, down_ = true, strict_ = true;
  bool present_[sizeof(T) == 1 ? 256 : 1] = {};
};

template <typename T>
void pass_numbers(const ColumnView& view, Statistics& statistics) {
  NumberPass<T> pass(statistics);
  for_valid_runs(view, [&](uint64_t first, uint64_t count) { pass.take(view.values + first * sizeof(T), count); });
  pass.finish();
}

template <typename ValueAt>
void figure_bytes(const ColumnView& view, ValueAt value_at, Statistics& statistics) {
  DistinctSketch sketch;
  bool any = false, up = true, down = true, strict = true;
  std::string_view last;
  for_valid_runs(view, [&](uint64_t first, uint64_t count) {
    for (uint64_t row = first; row < first + count; ++row) {
      const std::string_view value = value_at(row);
      if (any && value == last) {
        strict = false;
        continue;
      }
      if (any && (up || down)) {
        const bool above = last < value;
        up &= above;
        down &= !above;
      }
      sketch.add(hash64(value));
      last = value;
      any = true;
    }
  });
  statistics.ascending = any && up;
  statistics.descending = any && down;
  statistics.strict = any && (up || down) && strict;
  statistics.sketch = std::move(sketch);
}

void figure_bytes(const ColumnView& view, Statistics& statistics) {
  const char* bytes = reinterpret_cast<const char*>(view.values);
  if (view.type->is_variable()) {
    figure_bytes(
        view,
        [&](uint64_t row) {
          return std::string_view(bytes + view.offsets[row], view.offsets[row + 1] - view.offsets[row]);
        },
        statistics);
    return;
  }
  const uint64_t width = view.type->value_width();
  figure_bytes(
      view, [&](uint64_t row) { return std::string_view(bytes + row * width, width); }, statistics);
}

}  // namespace

void compute_figures(const ColumnView& values, Statistics& statistics) {
  const DataType& type = *values.type;
  if (type.is_tensor() || !has_values(statistics)) return;
  compute_sum(values, statistics);
  if (type.is_variable() || type.kind == TypeKind::kFixedBinary) return figure_bytes(values, statistics);
  switch (type.kind) {
    case TypeKind::kInt8: return pass_numbers<int8_t>(values, statistics);
    case TypeKind::kInt16: return pass_numbers<int16_t>(values, statistics);
    case TypeKind::kInt32: return pass_numbers<int32_t>(values, statistics);
    case TypeKind::kBool:
    case TypeKind::kUInt8: return pass_numbers<uint8_t>(values, statistics);
    case TypeKind::kUInt16: return pass_numbers<uint16_t>(values, statistics);
    case TypeKind::kUInt32: return pass_numbers<uint32_t>(values, statistics);
    case TypeKind::kUInt64: return pass_numbers<uint64_t>(values, statistics);
    case TypeKind::kFloat16: return pass_numbers<Half>(values, statistics);
    case TypeKind::kFloat32: return pass_numbers<float>(values, statistics);
    case TypeKind::kFloat64: return pass_numbers<double>(values, statistics);
    case TypeKind::kDecimal128: return pass_numbers<__int128>(values, statistics);
    default: return pass_numbers<int64_t>(values, statistics);
  }
}

namespace {

void merge_order(const DataType& type, Statistics& into, const Statistics& other) {
  const bool bounded = into.has_bounds && other.has_bounds && !into.has_nan && !other.has_nan;
  // Bounds that are cut lie outside of the values, so what is said of them holds of the values.
  const int rise = bounded ? compare_values(type, other.min, into.max) : 0;
  const int fall = bounded ? compare_values(type, into.min, other.max) : 0;
  const bool up = bounded && into.ascending && other.ascending && rise >= 0;
  const bool down = bounded && into.descending && other.descending && fall >= 0;
  into.strict = into.strict && other.strict && ((up && rise > 0) || (down && fall > 0));
  into.ascending = up;
  into.descending = down;
}

}  // namespace

void merge_figures(const DataType& type, Statistics& into, const Statistics& other) {
  if (!has_values(other)) return;
  if (!has_values(into)) {
    into.ascending = other.ascending;
    into.descending = other.descending;
    into.strict = other.strict;
    into.sum = other.sum;
    into.sketch = other.sketch;
    into.distinct_estimate = other.distinct_estimate;
    return;
  }
  merge_order(type, into, other);
  into.sum = into.sum && other.sum ? ValueSum::of(*into.sum, *other.sum) : std::nullopt;
  into.distinct_estimate.reset();
  if (into.sketch && other.sketch) {
    into.sketch->merge(*other.sketch);
  } else {
    into.sketch.reset();
  }
}

}  // namespace stela::format

#include "engine/format/statistics_sums.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "engine/format/valid_runs.h"

namespace stela::format {
namespace {

template <typename T>
void sum_integers(const ColumnView& view, Statistics& statistics) {
  constexpr uint64_t kBlock = uint64_t{1} << 24;  // whose sum of 32-bit values fits 64 bits
  ValueSum sum;
  bool fits = true;
  for_valid_runs(view, [&](uint64_t first, uint64_t count) {
    const std::byte* values = view.values + first * sizeof(T);
    for (uint64_t i = 0; i < count;) {
      const uint64_t end = std::min(count, i + kBlock);
      if constexpr (sizeof(T) < 8) {
        int64_t part = 0;
        for (; i < end; ++i) part += load_value<T>(values, i);
        sum.integer += part;
      } else if constexpr (sizeof(T) == 8) {
        __int128 part = 0;
        for (; i < end; ++i) part += load_value<T>(values, i);
        sum.integer += part;
      } else {
        for (; i < end; ++i) fits &= !__builtin_add_overflow(sum.integer, load_value<T>(values, i), &sum.integer);
      }
    }
  });
  if (fits) statistics.sum = sum;
}

// Eight sums at once, which are independent of one another.
typedef double Doubles __attribute__((vector_size(64)));
typedef int64_t Masks __attribute__((vector_size(64)));
constexpr uint64_t kSumLanes = sizeof(Doubles) / sizeof(double);

// Vectors are passed by reference, since how else depends on the processor that is compiled for.
template <typename T>
void load_lanes(const std::byte* values, Doubles& lanes) {
  typedef T Values __attribute__((vector_size(kSumLanes * sizeof(T))));
  Values loaded;
  std::memcpy(&loaded, values, sizeof(loaded));
  lanes = __builtin_convertvector(loaded, Doubles);
}

// Values below a power of two are cut into two parts of 42 bits and what lies below, by adding and taking away a
// constant to whose last place they round. Sums of so many such parts are exact as doubles; what lies below, which is
// seldom anything, is added by itself.
class FloatLanes {
 public:
  // Of values up to `greatest`, which is finite. Those that are NaN are left out.
  FloatLanes(double greatest, bool has_nan) : has_nan_(has_nan) {
    const int power = greatest == 0 ? 0 : std::ilogb(greatest) + 1;
    cuts_ = power > -800 && power < 900;
    if (!cuts_) return;
    upper_cut_ = std::ldexp(1.5, power - kPartBits + 52);
    lower_cut_ = std::ldexp(1.5, power - 2 * kPartBits + 52);
  }

  template <typename T>
  void add(const std::byte* values, uint64_t count) {
    if (!cuts_) return add_each<T>(values, count);
    for (uint64_t i = 0; i < count; i += kGroup * kSumLanes) {
      add_group<T>(values + i * sizeof(T), std::min(kGroup * kSumLanes, count - i));
    }
  }

  ExactFloat value() {
    end_parts();
    return sum_.value();
  }

 private:
  static constexpr int kPartBits = 42;
  static constexpr uint64_t kPartsMax = 1024;  // whose sum needs ten bits more
  static constexpr uint64_t kGroup = 32;       // looked at once for what lies below

  // `value` becomes what lies below.
  void add_parts(Doubles& value) {
    if (has_nan_) value = value == value ? value : Doubles{};
    const Doubles upper = (value + upper_cut_) - upper_cut_;
    const Doubles rest = value - upper;
    const Doubles lower = (rest + lower_cut_) - lower_cut_;
    upper_ += upper;
    lower_ += lower;
    value = rest - lower;
  }

  template <typename T>
  static void load_rest(const std::byte* values, uint64_t count, Doubles& lanes) {
    lanes = Doubles{};
    for (uint64_t lane = 0; lane < count; ++lane) lanes[lane] = static_cast<double>(load_value<T>(values, lane));
  }

  template <typename T>
  void add_group(const std::byte* values, uint64_t count) {
    if (parts_ + kGroup > kPartsMax) end_parts();
    parts_ += kGroup;
    Doubles below[kGroup];
    Masks any_below = {};
    uint64_t used = 0;
    for (uint64_t i = 0; i < count; i += kSumLanes) {
      const std::byte* from = values + i * sizeof(T);
      Doubles& value = below[used++];
      if (count - i >= kSumLanes) {
        load_lanes<T>(from, value);
      } else {
        load_rest<T>(from, count - i, value);
      }
      add_parts(value);
      any_below |= value != 0.0;
    }
    int64_t any = 0;
    for (uint64_t lane = 0; lane < kSumLanes; ++lane) any |= any_below[lane];
    if (any == 0) return;
    for (uint64_t i = 0; i < used; ++i) add_lanes(below[i]);
  }

  template <typename T>
  void add_each(const std::byte* values, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      const auto value = static_cast<double>(load_value<T>(values, i));
      if (value == value) sum_.add(value);
    }
  }

  void add_lanes(const Doubles& values) {
    for (uint64_t lane = 0; lane < kSumLanes; ++lane) sum_.add(values[lane]);
  }

  void end_parts() {
    add_lanes(upper_);
    add_lanes(lower_);
    upper_ = lower_ = Doubles{};
    parts_ = 0;
  }

  const bool has_nan_;
  bool cuts_;
  double upper_cut_ = 0, lower_cut_ = 0;
  Doubles upper_ = {}, lower_ = {};
  uint64_t parts_ = 0;
  FloatSum sum_;
};

template <typename T>
T bound_of(const std::string& bound) {
  T value;
  std::memcpy(&value, bound.data(), sizeof(T));
  return value;
}

// Infinite values have no sum.
template <typename T>
void sum_floats(const ColumnView& view, Statistics& statistics) {
  double greatest = 0;
  if (statistics.has_bounds) {
    greatest = std::max(std::abs(static_cast<double>(bound_of<T>(statistics.min))),
                        std::abs(static_cast<double>(bound_of<T>(statistics.max))));
  }
  if (std::isinf(greatest)) return;
  FloatLanes lanes(greatest, statistics.has_nan);
  for_valid_runs(view, [&](uint64_t first, uint64_t count) { lanes.add<T>(view.values + first * sizeof(T), count); });
  statistics.sum = ValueSum{.is_float = true, .real = lanes.value()};
}

// Halves are multiples of 2^-24.
void sum_halves(const ColumnView& view, Statistics& statistics) {
  int64_t units = 0;
  bool finite = true;
  FloatSum sum;
  for_valid_runs(view, [&](uint64_t first, uint64_t count) {
    for (uint64_t i = first; i < first + count; ++i) {
      const auto bits = load_value<uint16_t>(view.values, i);
      if (half_is_nan(bits)) continue;
      const int exponent = bits >> 10 & 31;
      finite &= exponent != 31;
      const int64_t mantissa = exponent == 0 ? bits & 1023 : int64_t{1024 | (bits & 1023)} << (exponent - 1);
      units += (bits & 0x8000) != 0 ? -mantissa : mantissa;
      if (std::abs(units) < int64_t{1} << 52) continue;
      sum.add(std::ldexp(static_cast<double>(units), -24));
      units = 0;
    }
  });
  sum.add(std::ldexp(static_cast<double>(units), -24));
  if (finite) statistics.sum = ValueSum::of(sum);
}

}  // namespace

void compute_sum(const ColumnView& values, Statistics& statistics) {
  switch (values.type->kind) {
    case TypeKind::kInt8: return sum_integers<int8_t>(values, statistics);
    case TypeKind::kInt16: return sum_integers<int16_t>(values, statistics);
    case TypeKind::kInt32: return sum_integers<int32_t>(values, statistics);
    case TypeKind::kDuration:
    case TypeKind::kInt64: return sum_integers<int64_t>(values, statistics);
    case TypeKind::kBool:
    case TypeKind::kUInt8: return sum_integers<uint8_t>(values, statistics);
    case TypeKind::kUInt16: return sum_integers<uint16_t>(values, statistics);
    case TypeKind::kUInt32: return sum_integers<uint32_t>(values, statistics);
    case TypeKind::kUInt64: return sum_integers<uint64_t>(values, statistics);
    case TypeKind::kDecimal128: return sum_integers<__int128>(values, statistics);
    case TypeKind::kFloat16: return sum_halves(values, statistics);
    case TypeKind::kFloat32: return sum_floats<float>(values, statistics);
    case TypeKind::kFloat64: return sum_floats<double>(values, statistics);
    default: return;
  }
}

}  // namespace stela::format

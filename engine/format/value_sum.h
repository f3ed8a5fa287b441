// ValueSum: the exact sum of numbers; merged.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/format/float_sum.h"

namespace stela::format {

struct ValueSum {
  bool is_float = false;
  __int128 integer = 0;
  ExactFloat real;

  static ValueSum of(const FloatSum& sum) { return {.is_float = true, .real = sum.value()}; }
  // Of both; nothing when 128 bits do not hold it.
  static std::optional<ValueSum> of(const ValueSum& a, const ValueSum& b) {
    if (a.is_float != b.is_float) return std::nullopt;
    ValueSum sum;
    if (__builtin_add_overflow(a.integer, b.integer, &sum.integer)) return std::nullopt;
    if (!a.is_float) return sum;
    FloatSum both;
    both.add(a.real);
    both.add(b.real);
    return of(both);
  }
  // So many times this; nothing when 128 bits do not hold it.
  std::optional<ValueSum> times(uint64_t count) const {
    ValueSum product;
    if (__builtin_mul_overflow(integer, static_cast<__int128>(count), &product.integer)) return std::nullopt;
    if (!is_float) return product;
    FloatSum all;
    all.add(real);
    all.multiply(count);
    return of(all);
  }
  bool operator==(const ValueSum&) const = default;
};

}  // namespace stela::format

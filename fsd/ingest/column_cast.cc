#include "fsd/ingest/column_cast.h"

#include <cmath>
#include <limits>

#include "fsd/ingest/half.h"

namespace stela::fsd {
namespace {

__extension__ using Int128 = __int128;

bool is_number(const DataType& type) { return !type.is_tensor() && (type.is_integer() || type.is_float()); }

// A value between its two types; integers and counts of time units are exact in 128 bits.
struct Number {
  bool is_float = false;
  Int128 whole = 0;
  double real = 0;
};

Number load(const DataType& type, const std::byte* at) {
  switch (type.kind) {
    case TypeKind::kInt8: return {false, get_fixed<int8_t>(at), 0};
    case TypeKind::kInt16: return {false, get_fixed<int16_t>(at), 0};
    case TypeKind::kInt32: return {false, get_fixed<int32_t>(at), 0};
    case TypeKind::kUInt8: return {false, get_fixed<uint8_t>(at), 0};
    case TypeKind::kUInt16: return {false, get_fixed<uint16_t>(at), 0};
    case TypeKind::kUInt32: return {false, get_fixed<uint32_t>(at), 0};
    case TypeKind::kUInt64: return {false, static_cast<Int128>(get_fixed<uint64_t>(at)), 0};
    case TypeKind::kFloat16: return {true, 0, double_from_half(get_fixed<uint16_t>(at))};
    case TypeKind::kFloat32: return {true, 0, static_cast<double>(get_fixed<float>(at))};
    case TypeKind::kFloat64: return {true, 0, get_fixed<double>(at)};
    default: return {false, static_cast<Int128>(get_fixed<int64_t>(at)), 0};
  }
}

template <typename T>
bool put_whole(const Number& value, ColumnData& out) {
  Int128 whole = value.whole;
  if (value.is_float) {
    if (!(std::abs(value.real) < 0x1p64) || std::trunc(value.real) != value.real) return false;
    if (value.real == 0 && std::signbit(value.real)) return false;
    whole = static_cast<Int128>(value.real);
  }
  if (whole < static_cast<Int128>(std::numeric_limits<T>::min()) ||
      whole > static_cast<Int128>(std::numeric_limits<T>::max())) {
    return false;
  }
  out.append_value(static_cast<T>(whole));
  return true;
}

template <typename T>
bool put_real(const Number& value, ColumnData& out) {
  auto real = static_cast<T>(value.is_float ? value.real : static_cast<double>(value.whole));
  bool same = value.is_float ? std::isnan(value.real) || static_cast<double>(real) == value.real
                             : static_cast<Int128>(real) == value.whole;
  if (same) out.append_value(real);
  return same;
}

bool put_half(const Number& value, ColumnData& out) {
  double real = value.is_float ? value.real : static_cast<double>(value.whole);
  uint16_t half = half_from_double(real);
  if (!std::isnan(real) && double_from_half(half) != real) return false;
  out.append_value(half);
  return true;
}

bool put(const DataType& type, const Number& value, ColumnData& out) {
  switch (type.kind) {
    case TypeKind::kInt8: return put_whole<int8_t>(value, out);
    case TypeKind::kInt16: return put_whole<int16_t>(value, out);
    case TypeKind::kInt32: return put_whole<int32_t>(value, out);
    case TypeKind::kUInt8: return put_whole<uint8_t>(value, out);
    case TypeKind::kUInt16: return put_whole<uint16_t>(value, out);
    case TypeKind::kUInt32: return put_whole<uint32_t>(value, out);
    case TypeKind::kUInt64: return put_whole<uint64_t>(value, out);
    case TypeKind::kFloat16: return put_half(value, out);
    case TypeKind::kFloat32: return put_real<float>(value, out);
    case TypeKind::kFloat64: return put_real<double>(value, out);
    default: return put_whole<int64_t>(value, out);
  }
}

// The value in units of `to`; false where a part of a unit would be lost.
bool change_unit(const DataType& from, const DataType& to, Number& value) {
  int64_t have = units_per_second(from.unit), want = units_per_second(to.unit);
  if (want >= have) {
    value.whole *= want / have;
    return true;
  }
  int64_t divisor = have / want;
  if (value.whole % divisor != 0) return false;
  value.whole /= divisor;
  return true;
}

bool fits_precision(ByteSpan decimal, uint8_t precision) {
  auto value = get_fixed<Int128>(decimal.data());
  Int128 bound = 1;
  for (uint8_t i = 0; i < precision; ++i) bound *= 10;
  return value < bound && value > -bound;
}

std::string shown(const DataType& type, const Number& value) {
  if (value.is_float) return std::to_string(value.real);
  if (type.has_unit()) return std::to_string(static_cast<int64_t>(value.whole)) + " " + unit_name(type.unit);
  if (value.whole > std::numeric_limits<int64_t>::max()) return std::to_string(static_cast<uint64_t>(value.whole));
  return std::to_string(static_cast<int64_t>(value.whole));
}

// Bytes as they are, where the wanted type has room for them; why not otherwise.
std::string append_bytes(ByteSpan value, ColumnData& out) {
  const DataType& to = out.type();
  if (to.kind == TypeKind::kFixedBinary && value.size() != to.width) {
    return std::to_string(value.size()) + " bytes do not fit " + to.name();
  }
  if (to.kind == TypeKind::kDecimal128 && !fits_precision(value, to.precision)) {
    return "its decimal has too many digits for " + to.name();
  }
  out.append(value);
  return {};
}

std::string append_number(const DataType& from, const std::byte* at, ColumnData& out) {
  Number value = load(from, at), wanted = value;
  bool fits = !from.has_unit() || change_unit(from, out.type(), wanted);
  if (fits && put(out.type(), wanted, out)) return {};
  return shown(from, value) + " does not fit " + out.type().name() + " exactly";
}

}  // namespace

bool can_cast(const DataType& from, const DataType& to) {
  if (from == to) return true;
  if (from.is_tensor() || to.is_tensor()) return false;
  if (is_number(from) && is_number(to)) return true;
  if (from.kind == TypeKind::kFixedBinary) return to.kind == TypeKind::kFixedBinary || to.kind == TypeKind::kBinary;
  if (to.kind == TypeKind::kFixedBinary) return from.kind == TypeKind::kBinary;
  if (from.kind != to.kind) return false;
  if (from.kind == TypeKind::kTimestamp) return from.zone.empty() == to.zone.empty();
  if (from.kind == TypeKind::kDecimal128) return from.scale == to.scale;
  return true;
}

Status append_cast(const ColumnView& from, uint64_t first_row, ColumnData& out) {
  const DataType& type = *from.type;
  if (type == out.type()) {
    out.append(from);
    return {};
  }
  bool bytes = type.is_variable() || type.kind == TypeKind::kFixedBinary || type.kind == TypeKind::kDecimal128;
  for (uint64_t row = 0; row < from.rows; ++row) {
    if (!from.is_valid(row)) {
      out.append_nulls(1);
      continue;
    }
    ByteSpan value = from.value(row);
    std::string why = bytes ? append_bytes(value, out) : append_number(type, value.data(), out);
    if (!why.empty()) return invalid("row " + std::to_string(first_row + row) + ": " + why);
  }
  return {};
}

}  // namespace stela::fsd

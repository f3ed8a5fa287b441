// DataType: the logical type of a column, by the names of the schema grammar (docs/types.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/coding.h"
#include "engine/base/status.h"

namespace stela {

// Numbers are part of the format: append only.
enum class TypeKind : uint8_t {
  kBool = 1,
  kInt8 = 2,
  kInt16 = 3,
  kInt32 = 4,
  kInt64 = 5,
  kUInt8 = 6,
  kUInt16 = 7,
  kUInt32 = 8,
  kUInt64 = 9,
  kFloat16 = 10,
  kFloat32 = 11,
  kFloat64 = 12,
  kDate = 13,       // days since 1970-01-01, int64 (datetime64[D])
  kTimestamp = 14,  // int64 in `unit` since 1970-01-01T00:00:00 (UTC where there is a zone)
  kTime = 15,       // int64 in `unit` since midnight
  kDuration = 16,   // int64 in `unit`
  kDecimal128 = 17, // 16-byte two's complement little-endian, value = integer * 10^-scale
  kUtf8 = 18,
  kBinary = 19,
  kFixedBinary = 20,
  kList = 21,    // reserved: refused as unsupported by name
  kStruct = 22,  // reserved
};

enum class TimeUnit : uint8_t { kSecond = 0, kMilli = 1, kMicro = 2, kNano = 3 };

struct DataType {
  TypeKind kind = TypeKind::kInt64;
  TimeUnit unit = TimeUnit::kSecond;  // timestamp, time, duration
  uint8_t precision = 0;              // decimal128: 1..38
  uint8_t scale = 0;                  // decimal128: 0..precision
  uint32_t width = 0;                 // fixed-size binary: bytes a value, 1..2^24
  std::string zone;                   // timestamp: empty, or a zone's name ("UTC", "Europe/Berlin", "+02:00")
  // Vectors and tensors of numbers: the inner shape, every extent >= 1, product of bytes <= 2^26; `kind`
  // is then the element's kind (bool, integers, floats only). Empty for everything else.
  std::vector<uint32_t> shape;

  bool operator==(const DataType&) const = default;

  static DataType of(TypeKind kind) { return {.kind = kind, .zone = {}, .shape = {}}; }
  static DataType timestamp(TimeUnit unit, std::string zone = "") {
    return {.kind = TypeKind::kTimestamp, .unit = unit, .zone = std::move(zone), .shape = {}};
  }
  static DataType tensor(TypeKind element, std::vector<uint32_t> shape) {
    return {.kind = element, .zone = {}, .shape = std::move(shape)};
  }
  static DataType decimal(uint8_t precision, uint8_t scale) {
    return {.kind = TypeKind::kDecimal128, .precision = precision, .scale = scale, .zone = {}, .shape = {}};
  }

  // utf8 and binary: values are offsets into bytes. Everything else is fixed width.
  bool is_variable() const { return kind == TypeKind::kUtf8 || kind == TypeKind::kBinary; }
  bool is_integer() const { return kind >= TypeKind::kInt8 && kind <= TypeKind::kUInt64; }
  bool is_signed_integer() const { return kind >= TypeKind::kInt8 && kind <= TypeKind::kInt64; }
  bool is_float() const { return kind >= TypeKind::kFloat16 && kind <= TypeKind::kFloat64; }
  bool is_temporal() const { return kind >= TypeKind::kDate && kind <= TypeKind::kDuration; }
  bool has_unit() const { return kind >= TypeKind::kTimestamp && kind <= TypeKind::kDuration; }
  bool is_tensor() const { return !shape.empty(); }
  // Listed in a dataset as .npy (numpy has the type); the others are listed as .arrow.
  bool is_numpy() const { return kind <= TypeKind::kDuration; }
  // Bytes of one element of a tensor, or of one scalar; 0 for variable types. bool is one byte.
  uint32_t element_width() const;
  // Elements in a value: 1, or the product of the shape.
  uint64_t elements() const;
  // Bytes of one value: element_width() * elements().
  uint64_t value_width() const { return element_width() * elements(); }
  // Ok, or what is wrong (a shape on text, precision 0, ...). Every decoder calls it on what it read.
  Status validate() const;

  // "int64", "timestamp[us, UTC]", "decimal128(12,2)", "fixed_binary(16)", "float32[384]", "float32[3,32,32]".
  std::string name() const;
  // The inverse of name().
  static Result<DataType> parse(std::string_view name);

  // Binary form used by the catalogue and fragment metadata.
  void encode(std::string& out) const;
  static bool decode(Decoder& in, DataType* out);
};

const char* unit_name(TimeUnit unit);  // "s", "ms", "us", "ns"
int64_t units_per_second(TimeUnit unit);

}  // namespace stela

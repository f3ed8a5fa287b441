#include "engine/types/data_type.h"

#include <limits>

namespace stela {
namespace {

constexpr size_t kZoneBytesMax = 128;
constexpr uint32_t kFixedBinaryWidthMax = 1u << 24;
constexpr uint64_t kTensorBytesMax = 1u << 26;
constexpr size_t kInnerDimensionsMax = 31;  // numpy 1.x has 32 in all, the rows are one of them

bool is_known(TypeKind kind) { return kind >= TypeKind::kBool && kind <= TypeKind::kStruct; }

// A zone must come back from "timestamp[us, ZONE]", so it has no brackets, commas or blanks.
bool is_zone_byte(char byte) {
  auto c = static_cast<unsigned char>(byte);
  return c > 0x20 && c < 0x7f && byte != '[' && byte != ']' && byte != ',' && byte != '"' && byte != '\\';
}

Status validate_zone(const DataType& type) {
  if (type.zone.empty()) return {};
  if (type.kind != TypeKind::kTimestamp) return invalid("only a timestamp has a time zone");
  if (type.zone.size() > kZoneBytesMax) return invalid("the name of a time zone is longer than 128 bytes");
  for (char byte : type.zone) {
    if (!is_zone_byte(byte)) return invalid("the name of a time zone holds a byte that is not a letter, digit or sign");
  }
  return {};
}

Status validate_shape(const DataType& type) {
  if (type.shape.empty()) return {};
  if (type.kind != TypeKind::kBool && !type.is_integer() && !type.is_float()) {
    return invalid("a vector or tensor holds bool, integers or floats only");
  }
  if (type.shape.size() > kInnerDimensionsMax) return invalid("a tensor has more than 31 inner dimensions");
  uint64_t bytes = type.element_width();
  for (uint32_t extent : type.shape) {
    if (extent == 0) return invalid("an extent of a vector or tensor is 0");
    bytes *= extent;  // at most 2^26 * 2^32 before the check
    if (bytes > kTensorBytesMax) return invalid("one value of this vector or tensor is larger than 64 MiB");
  }
  return {};
}

Status validate_parameters(const DataType& type) {
  if (type.kind == TypeKind::kDecimal128) {
    if (type.precision < 1 || type.precision > 38) return invalid("a decimal128 has 1 to 38 digits");
    if (type.scale > type.precision) return invalid("the scale of a decimal128 is at most its precision");
  } else if (type.precision != 0 || type.scale != 0) {
    return invalid("only a decimal128 has precision and scale");
  }
  if (type.kind == TypeKind::kFixedBinary) {
    if (type.width < 1 || type.width > kFixedBinaryWidthMax) return invalid("fixed_binary has 1 to 16777216 bytes");
  } else if (type.width != 0) {
    return invalid("only fixed_binary has a width");
  }
  if (type.unit > TimeUnit::kNano) return invalid("the unit of a time is s, ms, us or ns");
  if (!type.has_unit() && type.unit != TimeUnit::kSecond) return invalid("only times have a unit");
  return {};
}

}  // namespace

uint32_t DataType::element_width() const {
  switch (kind) {
    case TypeKind::kBool:
    case TypeKind::kInt8:
    case TypeKind::kUInt8: return 1;
    case TypeKind::kInt16:
    case TypeKind::kUInt16:
    case TypeKind::kFloat16: return 2;
    case TypeKind::kInt32:
    case TypeKind::kUInt32:
    case TypeKind::kFloat32: return 4;
    case TypeKind::kInt64:
    case TypeKind::kUInt64:
    case TypeKind::kFloat64:
    case TypeKind::kDate:
    case TypeKind::kTimestamp:
    case TypeKind::kTime:
    case TypeKind::kDuration: return 8;
    case TypeKind::kDecimal128: return 16;
    case TypeKind::kFixedBinary: return width;
    case TypeKind::kUtf8:
    case TypeKind::kBinary:
    case TypeKind::kList:
    case TypeKind::kStruct: return 0;
  }
  return 0;
}

uint64_t DataType::elements() const {
  uint64_t count = 1;
  for (uint32_t extent : shape) count *= extent;
  return count;
}

Status DataType::validate() const {
  if (!is_known(kind)) return unsupported("type number " + std::to_string(static_cast<int>(kind)) + " is not known");
  if (kind == TypeKind::kList) return unsupported("columns of type list are not supported");
  if (kind == TypeKind::kStruct) return unsupported("columns of type struct are not supported");
  STELA_TRY(validate_parameters(*this));
  STELA_TRY(validate_zone(*this));
  return validate_shape(*this);
}

void DataType::encode(std::string& out) const {
  put_fixed(out, static_cast<uint8_t>(kind));
  put_fixed(out, static_cast<uint8_t>(unit));
  put_fixed(out, precision);
  put_fixed(out, scale);
  put_varint(out, width);
  put_text(out, zone);
  put_varint(out, shape.size());
  for (uint32_t extent : shape) put_varint(out, extent);
}

bool DataType::decode(Decoder& in, DataType* out) {
  uint8_t kind = 0, unit = 0;
  uint64_t width = 0, dimensions = 0;
  DataType type;
  if (!in.fixed(&kind) || !in.fixed(&unit) || !in.fixed(&type.precision) || !in.fixed(&type.scale)) return false;
  if (!in.varint_upto(kFixedBinaryWidthMax, &width) || !in.text(&type.zone)) return false;
  if (!in.varint_upto(kInnerDimensionsMax, &dimensions)) return false;
  type.kind = static_cast<TypeKind>(kind);
  type.unit = static_cast<TimeUnit>(unit);
  type.width = static_cast<uint32_t>(width);
  for (uint64_t i = 0; i < dimensions; ++i) {
    uint64_t extent = 0;
    if (!in.varint_upto(std::numeric_limits<uint32_t>::max(), &extent)) return false;
    type.shape.push_back(static_cast<uint32_t>(extent));
  }
  if (!type.validate().ok()) return false;
  *out = std::move(type);
  return true;
}

const char* unit_name(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSecond: return "s";
    case TimeUnit::kMilli: return "ms";
    case TimeUnit::kMicro: return "us";
    case TimeUnit::kNano: return "ns";
  }
  return "?";
}

int64_t units_per_second(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSecond: return 1;
    case TimeUnit::kMilli: return 1000;
    case TimeUnit::kMicro: return 1000000;
    case TimeUnit::kNano: return 1000000000;
  }
  return 1;
}

}  // namespace stela

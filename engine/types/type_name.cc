// Names of types: the grammar of docs/types.md.
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "engine/types/data_type.h"

namespace stela {
namespace {

struct KindName {
  TypeKind kind;
  std::string_view name;
};
constexpr std::array<KindName, 22> kKindNames{{
    {TypeKind::kBool, "bool"},
    {TypeKind::kInt8, "int8"},
    {TypeKind::kInt16, "int16"},
    {TypeKind::kInt32, "int32"},
    {TypeKind::kInt64, "int64"},
    {TypeKind::kUInt8, "uint8"},
    {TypeKind::kUInt16, "uint16"},
    {TypeKind::kUInt32, "uint32"},
    {TypeKind::kUInt64, "uint64"},
    {TypeKind::kFloat16, "float16"},
    {TypeKind::kFloat32, "float32"},
    {TypeKind::kFloat64, "float64"},
    {TypeKind::kDate, "date"},
    {TypeKind::kTimestamp, "timestamp"},
    {TypeKind::kTime, "time"},
    {TypeKind::kDuration, "duration"},
    {TypeKind::kDecimal128, "decimal128"},
    {TypeKind::kUtf8, "utf8"},
    {TypeKind::kBinary, "binary"},
    {TypeKind::kFixedBinary, "fixed_binary"},
    {TypeKind::kList, "list"},
    {TypeKind::kStruct, "struct"},
}};

std::string_view kind_name(TypeKind kind) {
  for (const KindName& row : kKindNames) {
    if (row.kind == kind) return row.name;
  }
  return "unknown";
}

std::optional<TypeKind> kind_of_name(std::string_view name) {
  for (const KindName& row : kKindNames) {
    if (row.name == name) return row.kind;
  }
  return std::nullopt;
}

std::optional<TimeUnit> unit_of_name(std::string_view name) {
  for (TimeUnit unit : {TimeUnit::kSecond, TimeUnit::kMilli, TimeUnit::kMicro, TimeUnit::kNano}) {
    if (name == unit_name(unit)) return unit;
  }
  return std::nullopt;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split_parameters(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    size_t comma = text.find(',');
    parts.push_back(trim(text.substr(0, comma)));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

std::optional<uint32_t> parse_number(std::string_view text) {
  uint32_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Status bad_name(std::string_view name, std::string_view why) {
  return invalid("'" + std::string(name.substr(0, 200)) + "' is not a type: " + std::string(why) +
                 "; see docs/types.md for the names of types");
}

Status parse_time(std::string_view name, const std::vector<std::string_view>& parts, DataType* type) {
  std::optional<TimeUnit> unit = unit_of_name(parts[0]);
  if (!unit) return bad_name(name, "its unit is not s, ms, us or ns");
  type->unit = *unit;
  if (parts.size() == 1) return {};
  if (type->kind != TypeKind::kTimestamp || parts.size() > 2 || parts[1].empty()) {
    return bad_name(name, "only a timestamp has a zone, after its unit");
  }
  type->zone = std::string(parts[1]);
  return {};
}

Status parse_shape(std::string_view name, const std::vector<std::string_view>& parts, DataType* type) {
  for (std::string_view part : parts) {
    std::optional<uint32_t> extent = parse_number(part);
    if (!extent) return bad_name(name, "an extent of its shape is not a number");
    type->shape.push_back(*extent);
  }
  return {};
}

Status parse_round(std::string_view name, const std::vector<std::string_view>& parts, DataType* type) {
  std::vector<uint32_t> numbers;
  for (std::string_view part : parts) {
    std::optional<uint32_t> number = parse_number(part);
    if (!number) return bad_name(name, "a parameter is not a number");
    numbers.push_back(*number);
  }
  if (type->kind == TypeKind::kFixedBinary && numbers.size() == 1) {
    type->width = numbers[0];
    return {};
  }
  if (type->kind == TypeKind::kDecimal128 && numbers.size() == 2 && numbers[0] < 256 && numbers[1] < 256) {
    type->precision = static_cast<uint8_t>(numbers[0]);
    type->scale = static_cast<uint8_t>(numbers[1]);
    return {};
  }
  return bad_name(name, "decimal128(precision,scale) and fixed_binary(bytes) are the types with such parameters");
}

Status parse_parameters(std::string_view name, char open, std::string_view text, DataType* type) {
  std::vector<std::string_view> parts = split_parameters(text);
  if (open == '(') return parse_round(name, parts, type);
  return type->has_unit() ? parse_time(name, parts, type) : parse_shape(name, parts, type);
}

}  // namespace

std::string DataType::name() const {
  std::string text(kind_name(kind));
  if (has_unit()) {
    text += std::string("[") + unit_name(unit) + (zone.empty() ? "" : ", " + zone) + "]";
  } else if (kind == TypeKind::kDecimal128) {
    text += "(" + std::to_string(precision) + "," + std::to_string(scale) + ")";
  } else if (kind == TypeKind::kFixedBinary) {
    text += "(" + std::to_string(width) + ")";
  }
  if (shape.empty()) return text;
  char separator = '[';
  for (uint32_t extent : shape) {
    text += separator + std::to_string(extent);
    separator = ',';
  }
  return text + "]";
}

Result<DataType> DataType::parse(std::string_view name) {
  if (name.size() > 1024) return bad_name(name, "it is longer than 1024 bytes");
  std::string_view text = trim(name);
  size_t open = text.find_first_of("[(");
  std::string_view base = text.substr(0, open);
  std::optional<TypeKind> kind = kind_of_name(base);
  if (!kind) {
    if (base.starts_with("list") || base.starts_with("struct")) {
      return unsupported("columns of type '" + std::string(text.substr(0, 200)) + "' are not supported");
    }
    return bad_name(name, "there is no type of this name");
  }
  DataType type = DataType::of(*kind);
  if (open != std::string_view::npos) {
    char close = text[open] == '[' ? ']' : ')';
    if (text.back() != close) return bad_name(name, std::string("it does not end in '") + close + "'");
    STELA_TRY(parse_parameters(name, text[open], text.substr(open + 1, text.size() - open - 2), &type));
  } else if (type.has_unit()) {
    return bad_name(name, "it needs a unit, as in " + std::string(base) + "[us]");
  }
  Status valid = type.validate();
  if (valid.code() == Code::kUnsupported) return valid;
  if (!valid.ok()) return bad_name(name, valid.message());
  return type;
}

}  // namespace stela

#include "fsd/ingest/arrow_field.h"

#include <nlohmann/json.hpp>
#include <string>

#include "fsd/arrow/arrow_ipc_generated.h"
#include "fsd/ingest/utf8_text.h"

namespace stela::fsd {
namespace {

namespace ipc = arrow_ipc;

Status refused(const std::string& type, const std::string& why) {
  return unsupported("Arrow type " + type + " is not supported: " + why);
}

Result<DataType> integer_type(const ipc::Int& type) {
  static constexpr TypeKind kSigned[] = {TypeKind::kInt8, TypeKind::kInt16, TypeKind::kInt32, TypeKind::kInt64};
  static constexpr TypeKind kUnsigned[] = {TypeKind::kUInt8, TypeKind::kUInt16, TypeKind::kUInt32, TypeKind::kUInt64};
  int bits = type.bit_width();
  if (bits != 8 && bits != 16 && bits != 32 && bits != 64) {
    return invalid("the Arrow schema has an integer of " + std::to_string(bits) + " bits");
  }
  size_t log = bits == 8 ? 0 : bits == 16 ? 1 : bits == 32 ? 2 : 3;
  return DataType::of(type.is_signed() ? kSigned[log] : kUnsigned[log]);
}

Result<TimeUnit> time_unit(ipc::TimeUnit unit) {
  if (unit < ipc::TimeUnit::MIN || unit > ipc::TimeUnit::MAX)
    return invalid("the Arrow schema has an unknown time unit");
  return static_cast<TimeUnit>(unit);
}

Result<DataType> decimal_type(const ipc::Decimal& type) {
  std::string name = "decimal" + std::to_string(type.bit_width());
  if (type.bit_width() != 128) return refused(name, "cast it to decimal128");
  if (type.precision() < 1 || type.precision() > 38)
    return invalid("the Arrow schema has a decimal of impossible precision");
  if (type.scale() < 0 || type.scale() > type.precision()) {
    return refused("decimal128(" + std::to_string(type.precision()) + "," + std::to_string(type.scale()) + ")",
                   "its scale is not between 0 and its precision");
  }
  return DataType::decimal(static_cast<uint8_t>(type.precision()), static_cast<uint8_t>(type.scale()));
}

Result<DataType> float_type(const ipc::FloatingPoint& type) {
  switch (type.precision()) {
    case ipc::Precision::HALF: return DataType::of(TypeKind::kFloat16);
    case ipc::Precision::SINGLE: return DataType::of(TypeKind::kFloat32);
    case ipc::Precision::DOUBLE: return DataType::of(TypeKind::kFloat64);
    default: return invalid("the Arrow schema has a float of unknown precision");
  }
}

Status read_time(const ipc::Time& type, ArrowField& out) {
  STELA_ASSIGN(TimeUnit unit, time_unit(type.unit()));
  bool narrow = unit == TimeUnit::kSecond || unit == TimeUnit::kMilli;
  if (type.bit_width() != (narrow ? 32 : 64)) return invalid("the Arrow schema has a time of the wrong width");
  out.type = DataType::of(TypeKind::kTime);
  out.type.unit = unit;
  out.storage = narrow ? ArrowStorage::kInt32 : ArrowStorage::kFixed;
  return {};
}

Status read_date(const ipc::Date& type, ArrowField& out) {
  if (type.unit() != ipc::DateUnit::DAY) return refused("date64", "cast it to date32 or timestamp[ms]");
  out.type = DataType::of(TypeKind::kDate);
  out.storage = ArrowStorage::kInt32;
  return {};
}

Status read_variable(TypeKind kind, ArrowStorage storage, ArrowField& out) {
  out.type = DataType::of(kind);
  out.storage = storage;
  return {};
}

const char* way_for(ipc::Type type) {
  switch (type) {
    case ipc::Type::Null: return "cast it to the type its values would have";
    case ipc::Type::RunEndEncoded: return "decode it first (pyarrow.compute.run_end_decode)";
    case ipc::Type::Interval: return "cast it to duration";
    default: return "nested columns other than vectors of numbers are not taken";
  }
}

Status read_scalar(const ipc::Field& field, ArrowField& out) {
  switch (field.type_type()) {
    case ipc::Type::Int: {
      STELA_ASSIGN(out.type, integer_type(*field.type_as_Int()));
      return {};
    }
    case ipc::Type::FloatingPoint: {
      STELA_ASSIGN(out.type, float_type(*field.type_as_FloatingPoint()));
      return {};
    }
    case ipc::Type::Bool:
      out.type = DataType::of(TypeKind::kBool);
      out.storage = ArrowStorage::kBits;
      return {};
    case ipc::Type::Decimal: {
      STELA_ASSIGN(out.type, decimal_type(*field.type_as_Decimal()));
      return {};
    }
    case ipc::Type::Date: return read_date(*field.type_as_Date(), out);
    case ipc::Type::Time: return read_time(*field.type_as_Time(), out);
    case ipc::Type::Timestamp: {
      const ipc::Timestamp& type = *field.type_as_Timestamp();
      STELA_ASSIGN(TimeUnit unit, time_unit(type.unit()));
      out.type = DataType::timestamp(unit, type.timezone() == nullptr ? "" : type.timezone()->str());
      return {};
    }
    case ipc::Type::Duration: {
      out.type = DataType::of(TypeKind::kDuration);
      STELA_ASSIGN(out.type.unit, time_unit(field.type_as_Duration()->unit()));
      return {};
    }
    case ipc::Type::FixedSizeBinary:
      out.type = DataType::of(TypeKind::kFixedBinary);
      if (field.type_as_FixedSizeBinary()->byte_width() < 1) return refused("fixed_size_binary(0)", "it holds nothing");
      out.type.width = static_cast<uint32_t>(field.type_as_FixedSizeBinary()->byte_width());
      return {};
    case ipc::Type::Utf8: return read_variable(TypeKind::kUtf8, ArrowStorage::kOffsets32, out);
    case ipc::Type::LargeUtf8: return read_variable(TypeKind::kUtf8, ArrowStorage::kOffsets64, out);
    case ipc::Type::Binary: return read_variable(TypeKind::kBinary, ArrowStorage::kOffsets32, out);
    case ipc::Type::LargeBinary: return read_variable(TypeKind::kBinary, ArrowStorage::kOffsets64, out);
    case ipc::Type::Utf8View: return read_variable(TypeKind::kUtf8, ArrowStorage::kViews, out);
    case ipc::Type::BinaryView: return read_variable(TypeKind::kBinary, ArrowStorage::kViews, out);
    case ipc::Type::Struct_: return refused("Struct", way_for(ipc::Type::Struct_));
    default: return refused(ipc::EnumNameType(field.type_type()), way_for(field.type_type()));
  }
}

// The shape that the extension type arrow.fixed_shape_tensor gives its list; empty when the field is not one.
Result<std::vector<uint32_t>> tensor_shape(const ipc::Field& field) {
  std::vector<uint32_t> shape;
  bool is_tensor = false;
  std::string_view metadata;
  if (field.custom_metadata() == nullptr) return shape;
  for (const ipc::KeyValue* pair : *field.custom_metadata()) {
    if (pair->key() == nullptr || pair->value() == nullptr) continue;
    std::string_view key = pair->key()->string_view(), value = pair->value()->string_view();
    if (key == "ARROW:extension:name") is_tensor = value == "arrow.fixed_shape_tensor";
    if (key == "ARROW:extension:metadata") metadata = value.substr(0, 4096);
  }
  if (!is_tensor) return shape;
  nlohmann::json json = nlohmann::json::parse(metadata.begin(), metadata.end(), nullptr, false);
  if (!json.is_object() || !json.contains("shape") || !json["shape"].is_array()) {
    return invalid("the Arrow schema has a fixed_shape_tensor without its shape");
  }
  if (json.contains("permutation") && !std::is_sorted(json["permutation"].begin(), json["permutation"].end())) {
    return refused("fixed_shape_tensor with a permutation", "make its values contiguous first");
  }
  for (const nlohmann::json& extent : json["shape"]) {
    if (!extent.is_number_unsigned() || extent.get<uint64_t>() > UINT32_MAX) {
      return invalid("the Arrow schema has a fixed_shape_tensor of impossible shape");
    }
    shape.push_back(extent.get<uint32_t>());
  }
  return shape;
}

// Lists of fixed size around a number; stops at the element.
Status read_lists(const ipc::Field*& field, ArrowField& out) {
  constexpr size_t kLevelsMax = 31;
  while (field->type_type() == ipc::Type::FixedSizeList) {
    int size = field->type_as_FixedSizeList()->list_size();
    if (size < 1) return refused("fixed_size_list[" + std::to_string(size) + "]", "its rows hold nothing");
    if (field->children() == nullptr || field->children()->size() != 1) {
      return invalid("the Arrow schema has a fixed_size_list without its one child");
    }
    if (out.list_sizes.size() == kLevelsMax) return refused("fixed_size_list", "it is nested too deeply");
    out.list_sizes.push_back(static_cast<uint32_t>(size));
    field = field->children()->Get(0);
    if (field->dictionary() != nullptr) return refused("fixed_size_list of dictionary", "decode the dictionary first");
    if (field->type() == nullptr) return invalid("the Arrow schema has a field without a type");
  }
  return {};
}

Status read_dictionary(const ipc::DictionaryEncoding& encoding, ArrowField& out) {
  ArrowDictionary dictionary;
  dictionary.id = encoding.id();
  if (encoding.index_type() != nullptr) {
    STELA_ASSIGN(DataType index, integer_type(*encoding.index_type()));
    dictionary.index_bytes = static_cast<uint8_t>(index.element_width());
    dictionary.is_signed = index.is_signed_integer();
  }
  out.dictionary = dictionary;
  return {};
}

Result<ArrowField> read_column(const ipc::Field* field) {
  if (field->type() == nullptr) return invalid("the Arrow schema has a field without a type");
  ArrowField out;
  if (field->name() != nullptr) out.name = field->name()->str();
  if (field->dictionary() != nullptr) STELA_TRY(read_dictionary(*field->dictionary(), out));
  STELA_ASSIGN(std::vector<uint32_t> shape, tensor_shape(*field));
  STELA_TRY(read_lists(field, out));
  STELA_TRY(read_scalar(*field, out));
  if (!out.list_sizes.empty()) {
    if (!(out.type.is_integer() || out.type.is_float() || out.type.kind == TypeKind::kBool)) {
      return refused("fixed_size_list of " + out.type.name(), "vectors hold numbers");
    }
    out.type.shape = shape.empty() ? out.list_sizes : shape;
  }
  STELA_TRY(out.type.validate());
  uint64_t elements = 1;
  for (uint32_t size : out.list_sizes) {
    if (__builtin_mul_overflow(elements, uint64_t{size}, &elements))
      return invalid("the Arrow schema's lists are too large");
  }
  if (elements != out.type.elements()) return invalid("the Arrow schema's tensor shape does not match its list");
  return out;
}

}  // namespace

Result<std::vector<ArrowField>> read_arrow_fields(const ipc::Schema& schema) {
  if (schema.endianness() != ipc::Endianness::Little) return unsupported("big-endian Arrow files are not supported");
  std::vector<ArrowField> out;
  for (size_t i = 0; schema.fields() != nullptr && i < schema.fields()->size(); ++i) {
    Result<ArrowField> field = read_column(schema.fields()->Get(static_cast<uint32_t>(i)));
    if (!field.ok() && schema.fields()->size() == 1) return field.status();
    if (!field.ok()) {
      const auto* name = schema.fields()->Get(static_cast<uint32_t>(i))->name();
      return field.status().with_context("column " + quoted_for_message(name == nullptr ? "" : name->string_view()));
    }
    out.push_back(std::move(field).value());
  }
  return out;
}

Result<ArrowField> read_arrow_field(const ipc::Schema& schema) {
  size_t columns = schema.fields() == nullptr ? 0 : schema.fields()->size();
  if (columns != 1) {
    return invalid("the Arrow file has " + std::to_string(columns) +
                   " columns; a column of a dataset is a file with one (pyarrow: table.select(['name'])); rows of "
                   "several columns go into .append/");
  }
  STELA_ASSIGN(std::vector<ArrowField> fields, read_arrow_fields(schema));
  return std::move(fields[0]);
}

}  // namespace stela::fsd

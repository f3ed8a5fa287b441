#include "fsd/ingest/schema_text.h"

#include <simdjson.h>

#include <unordered_set>

#include "engine/base/buffer.h"
#include "fsd/ingest/csv_header.h"
#include "fsd/ingest/utf8_text.h"

namespace stela::fsd {
namespace {

namespace json = simdjson::dom;

constexpr size_t kDepthMax = 16;
constexpr size_t kColumnsMax = 1'000'000;

Status wrong(std::string_view key, const char* wanted) {
  return invalid("\"" + std::string(key) + "\" is wanted as " + wanted);
}

Status read_name(const json::element& value, Field* out) {
  std::string_view name;
  if (value.get_string().get(name) != simdjson::SUCCESS) return wrong("name", "a string");
  if (name.empty()) return invalid("its name is empty");
  if (name.size() > kColumnNameBytesMax) {
    return {Code::kLimit, "its name has " + std::to_string(name.size()) + " bytes; the limit is " +
                              std::to_string(kColumnNameBytesMax)};
  }
  out->name = std::string(name);
  return {};
}

Status read_type(const json::element& value, Field* out) {
  std::string_view name;
  if (value.get_string().get(name) != simdjson::SUCCESS) return wrong("type", "a string, as \"float64\"");
  STELA_ASSIGN(out->type, DataType::parse(name));
  return {};
}

// One value of a column's object.
Status read_entry(std::string_view key, const json::element& value, Field* out) {
  if (key == "name") return read_name(value, out);
  if (key == "type") return read_type(value, out);
  if (key == "nullable") {
    return value.get_bool().get(out->nullable) == simdjson::SUCCESS ? Status() : wrong("nullable", "true or false");
  }
  if (key == "file") return value.is_string() ? Status() : wrong("file", "a string");
  return invalid("the key " + quoted_for_message(key) + " is not known; name, type and nullable are");
}

Result<Field> read_column(const json::element& value) {
  json::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) return invalid("an object is wanted");
  Field out;
  std::unordered_set<std::string_view> seen;
  Status failure;
  for (json::key_value_pair entry : object) {
    if (!seen.insert(entry.key).second) return invalid("the key " + quoted_for_message(entry.key) + " stands twice");
    Status status = read_entry(entry.key, entry.value, &out);
    if (!status.ok() && failure.ok()) failure = std::move(status);
  }
  std::string named = out.name.empty() ? std::string() : quoted_for_message(out.name);
  if (!failure.ok()) return named.empty() ? failure : failure.with_context(named);
  if (seen.count("name") == 0) return invalid("it has no \"name\"");
  if (seen.count("type") == 0) return invalid("it has no \"type\"").with_context(named);
  return out;
}

Result<std::vector<Field>> read_columns(const json::element& value) {
  json::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS) return wrong("columns", "an array of objects");
  std::vector<Field> out;
  std::unordered_set<std::string> names;
  for (json::element one : array) {
    std::string where = "column " + std::to_string(out.size() + 1);
    if (out.size() == kColumnsMax) {
      return Status(Code::kLimit, "more than " + std::to_string(kColumnsMax) + " columns are stated");
    }
    Result<Field> field = read_column(one);
    if (!field.ok()) return field.status().with_context(where);
    if (!names.insert(field->name).second) {
      return invalid(where + ": the name " + quoted_for_message(field->name) + " stands twice");
    }
    out.push_back(std::move(field).value());
  }
  if (out.empty()) return invalid("no columns are stated");
  return out;
}

Status not_json(simdjson::error_code error) {
  if (error == simdjson::MEMALLOC) return {Code::kNoMemory, "there is no memory to read the schema"};
  if (error == simdjson::DEPTH_ERROR) return invalid("the JSON is nested too deeply for a schema");
  if (error == simdjson::UTF8_ERROR) return invalid("the text is not valid UTF-8");
  return invalid(std::string("the text is not JSON: ") + simdjson::error_message(error));
}

}  // namespace

Result<std::vector<Field>> parse_schema(std::string_view text) {
  json::parser parser;
  if (text.empty()) return invalid("the text is empty");
  simdjson::error_code error = parser.allocate(text.size(), kDepthMax);
  json::element root;
  if (error == simdjson::SUCCESS) error = parser.parse(simdjson::padded_string(text)).get(root);
  if (error != simdjson::SUCCESS) return not_json(error);
  json::object object;
  if (root.get_object().get(object) != simdjson::SUCCESS) {
    return invalid("an object is wanted: {\"columns\": [{\"name\": \"fare\", \"type\": \"float64\"}]}");
  }
  std::vector<Field> fields;
  std::unordered_set<std::string_view> seen;
  for (json::key_value_pair entry : object) {
    if (!seen.insert(entry.key).second) return invalid("the key " + quoted_for_message(entry.key) + " stands twice");
    if (entry.key == "columns") {
      STELA_ASSIGN(fields, read_columns(entry.value));
    } else if (entry.key != "version" && entry.key != "rows") {
      return invalid("the key " + quoted_for_message(entry.key) + " is not known; \"columns\" is");
    }
  }
  if (fields.empty()) return invalid("it has no \"columns\"");
  return fields;
}

Result<std::vector<Field>> read_schema(ByteSource& source) {
  uint64_t size = source.size();
  if (size > kSchemaBytesMax) {
    return Status(Code::kLimit,
                  "the schema has " + std::to_string(size) + " bytes; the limit is " + std::to_string(kSchemaBytesMax));
  }
  Buffer text(size);
  STELA_TRY(source.read(0, text.span()));
  return parse_schema(as_text(text.span()));
}

}  // namespace stela::fsd

#include "fsd/ingest/jsonl_line.h"

#include <simdjson.h>

#include <algorithm>

#include "fsd/ingest/json_values.h"
#include "fsd/ingest/jsonl_reader.h"
#include "fsd/ingest/utf8_text.h"

namespace stela::fsd {
namespace {

namespace json = simdjson::ondemand;

std::string_view trimmed(std::string_view text) {
  size_t end = text.find_last_not_of(" \t\r\n");
  return text.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

// The value's text as it goes into a cell.
struct JsonText {
  std::string_view text;
  bool is_string = false;
  bool is_null = false;
};

Status broken(std::string_view token) { return invalid(quoted_for_message(token) + " is not a JSON value"); }

Status read_string(json::value& value, JsonText* out) {
  out->is_string = true;
  if (value.get_string().get(out->text) == simdjson::SUCCESS) return {};
  return invalid("its string has an escape that JSON does not know");
}

Status read_array(json::value& value, JsonText* out) {
  json::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS || array.raw_json().get(out->text) != simdjson::SUCCESS) {
    return invalid("its array is not closed");
  }
  out->text = trimmed(out->text);
  JsonArray checked;
  return read_json_array(out->text, false, &checked);
}

// A number, true, false or null.
Status read_token(json::value& value, JsonText* out) {
  out->text = trimmed(value.raw_json_token());
  out->is_null = out->text == "null";
  if (out->is_null || out->text == "true" || out->text == "false" || is_json_number(out->text)) return {};
  for (const char* word : {"NaN", "Infinity", "-Infinity"}) {
    if (out->text == word) {
      return invalid(std::string(word) + " is not JSON; write it as the string \"" + word + "\", or null");
    }
  }
  return broken(out->text);
}

Status read_value(json::value& value, JsonText* out) {
  json::json_type type = json::json_type::null;
  if (value.type().get(type) != simdjson::SUCCESS) return read_token(value, out);
  switch (type) {
    case json::json_type::string: return read_string(value, out);
    case json::json_type::array: return read_array(value, out);
    case json::json_type::object:
      return unsupported("its value is an object; nested values are not supported: make each part a column of its own");
    default: return read_token(value, out);
  }
}

Status line_error(simdjson::error_code error, std::string_view line) {
  size_t begin = line.find_first_not_of(" \t\r");
  if (begin != std::string_view::npos && line[begin] == '[') {
    return invalid(
        "the line is an array; each line is one object (pandas: to_json(path, orient='records', lines=True))");
  }
  if (begin == std::string_view::npos || line[begin] != '{') {
    return invalid(quoted_for_message(line) + " is not a JSON object; each line is one, as {\"column\": value}");
  }
  if (error == simdjson::UTF8_ERROR) return invalid("the line is not valid UTF-8");
  if (error == simdjson::UNESCAPED_CHARS) return invalid("a string holds a control byte; JSON writes it as \\u00XX");
  if (error == simdjson::INCOMPLETE_ARRAY_OR_OBJECT || error == simdjson::UNCLOSED_STRING) {
    return invalid(quoted_for_message(line) + " is not closed where its line ends; each line is one whole object");
  }
  if (error == simdjson::MEMALLOC) return {Code::kNoMemory, "there is no memory to read the line"};
  return invalid(quoted_for_message(line) +
                 " is not a JSON object: a comma, colon, quote or bracket is missing or too "
                 "many");
}

}  // namespace

struct JsonLineParser::Engine {
  json::parser parser;
};

JsonLineParser::JsonLineParser(const JsonlReaderOptions& options, JsonColumns& columns)
    : engine_(std::make_unique<Engine>()), options_(options), columns_(columns) {}

JsonLineParser::~JsonLineParser() = default;

Status JsonLineParser::parse(char* line, size_t size, uint32_t row, std::vector<JsonCell>& cells, std::string& values) {
  static_assert(kPadding >= simdjson::SIMDJSON_PADDING);
  std::string_view whole(line, size);
  json::document document;
  json::object object;
  simdjson::error_code error =
      engine_->parser.iterate(simdjson::padded_string_view(line, size, size + kPadding)).get(document);
  if (error == simdjson::SUCCESS) error = document.get_object().get(object);
  if (error != simdjson::SUCCESS) return line_error(error, whole);
  ++lines_;
  size_t guess = 0;
  for (auto entry : object) {
    json::field field;
    std::string_view key;
    error = std::move(entry).get(field);
    if (error == simdjson::SUCCESS) error = field.unescaped_key().get(key);
    if (error != simdjson::SUCCESS) return line_error(error, whole);
    STELA_ASSIGN(size_t column, columns_.find(key, guess));
    JsonText value;
    Status status = read_value(field.value(), &value);
    if (!status.ok()) return status.with_context("column " + quoted_for_message(key));
    if (column == JsonColumns::kIgnored) continue;
    guess = column + 1;
    if (column >= seen_.size()) seen_.resize(std::max(columns_.size(), column + 1), 0);
    if (seen_[column] == lines_) return invalid("the key " + quoted_for_message(key) + " stands twice in the object");
    seen_[column] = lines_;
    if (value.is_null) continue;
    if (value.is_string &&
        std::find(options_.null_texts.begin(), options_.null_texts.end(), value.text) != options_.null_texts.end()) {
      continue;
    }
    if (value.text.size() > options_.field_bytes_max) {
      return {Code::kLimit, "column " + quoted_for_message(key) + ": a value of " + std::to_string(value.text.size()) +
                                " bytes is over the limit of " + std::to_string(options_.field_bytes_max)};
    }
    FieldRef text{static_cast<uint32_t>(values.size()), static_cast<uint32_t>(value.text.size())};
    if (value.is_string) text.length_and_flags |= FieldRef::kQuoted;
    values.append(value.text);
    cells.push_back({row, static_cast<uint32_t>(column), text});
  }
  // A further value behind the object.
  const char* behind = nullptr;
  if (document.current_location().get(behind) == simdjson::SUCCESS) return line_error(simdjson::TAPE_ERROR, whole);
  return {};
}

}  // namespace stela::fsd

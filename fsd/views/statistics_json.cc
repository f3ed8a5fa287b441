#include "fsd/views/statistics_json.h"

#include "fsd/views/text_format.h"
#include "fsd/views/utf8_text.h"

namespace stela::fsd {
namespace {

// Bounds may be any bytes; JSON is UTF-8.
std::string json_text(const Json& json) { return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); }

Json number_or_text(const std::string& text) {
  Json number = Json::parse(text, nullptr, false);
  return number.is_number() ? number : Json(text);
}

// Numbers and booleans as themselves, everything else (and NaN, infinities) as its text. Null of a text that is not
// UTF-8, as what lies above many U+10FFFF is none: with its bytes replaced it would be no bound.
Json bound_json(const DataType& type, const std::string& bound) {
  if (type.kind == TypeKind::kUtf8 && valid_utf8(bound) != bound) return nullptr;
  std::string text;
  append_value_text(type, as_bytes(bound), text);
  if (type.kind == TypeKind::kBool) return text == "true";
  return type.is_integer() || type.is_float() ? number_or_text(text) : Json(text);
}

std::string integer_text(__int128 value) {
  std::string digits;
  auto rest = value < 0 ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
  do {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
    rest /= 10;
  } while (rest != 0);
  return value < 0 ? "-" + digits : digits;
}

// As a value of the column is written; of durations in their unit. A number that 64 bits do not hold is a text.
Json sum_json(const DataType& type, const format::ValueSum& sum) {
  if (sum.is_float) return sum.real.nearest();
  if (type.kind == TypeKind::kDecimal128) {
    std::string text;
    append_value_text(type, {reinterpret_cast<const std::byte*>(&sum.integer), sizeof(sum.integer)}, text);
    return text;
  }
  if (sum.integer >= INT64_MIN && sum.integer <= INT64_MAX) return static_cast<int64_t>(sum.integer);
  return integer_text(sum.integer);
}

Json order_json(const format::Statistics& statistics) {
  if (statistics.ascending && statistics.descending) return statistics.strict ? "one value" : "constant";
  if (!statistics.ascending && !statistics.descending) return nullptr;
  return std::string(statistics.strict ? "strictly " : "") + (statistics.ascending ? "ascending" : "descending");
}

}  // namespace

void add_statistics(const DataType& type, const format::Statistics& statistics, Json& json) {
  json["min"] = nullptr;
  json["max"] = nullptr;
  if (statistics.has_bounds) {
    json["min"] = bound_json(type, statistics.min);
    json["max"] = bound_json(type, statistics.max);
    if (!statistics.min_exact && !json["min"].is_null()) json["min_exact"] = false;
    if (!statistics.max_exact && !json["max"].is_null()) json["max_exact"] = false;
  }
  if (statistics.has_nan) json["has_nan"] = true;
  json["order"] = order_json(statistics);
  json["sum"] = statistics.sum ? sum_json(type, *statistics.sum) : Json(nullptr);
  const std::optional<uint64_t> distinct = statistics.distinct();
  json["distinct_estimate"] = distinct ? Json(*distinct) : Json(nullptr);
}

std::string statistics_text(const DataType& type, const format::Statistics& statistics) {
  Json json;
  add_statistics(type, statistics, json);
  return json_text(json);
}

std::string statistics_line(const DataType& type, const format::Statistics& statistics) {
  if (statistics.nulls == statistics.rows) return "no values";
  Json json;
  add_statistics(type, statistics, json);
  std::string line;
  auto add = [&](const std::string& text) { line += (line.empty() ? "" : ", ") + text; };
  if (!json["min"].is_null()) add((statistics.min_exact ? "min " : "min from ") + json_text(json["min"]));
  if (!json["max"].is_null()) add((statistics.max_exact ? "max " : "max up to ") + json_text(json["max"]));
  if (statistics.has_nan) add("some NaN");
  if (json["order"].is_string()) add(json["order"].get<std::string>());
  if (!json["sum"].is_null()) add("sum " + json_text(json["sum"]));
  if (!json["distinct_estimate"].is_null()) add("distinct: about " + json_text(json["distinct_estimate"]));
  return line.empty() ? "nothing is known of the values" : line;
}

}  // namespace stela::fsd

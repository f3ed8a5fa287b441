// JSON that verbs print: objects and arrays written in order, without a tree of values in memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stela::fsd {

// A JSON string; bytes that are not UTF-8 become U+FFFD.
std::string json_string(std::string_view text);

class JsonObject {
 public:
  JsonObject& text(std::string_view name, std::string_view value) { return json(name, json_string(value)); }
  JsonObject& number(std::string_view name, uint64_t value) { return json(name, std::to_string(value)); }
  JsonObject& flag(std::string_view name, bool value) { return json(name, value ? "true" : "false"); }
  JsonObject& null(std::string_view name) { return json(name, "null"); }
  JsonObject& json(std::string_view name, std::string_view value) {
    body_ += (body_.empty() ? "" : ", ") + json_string(name) + ": ";
    body_ += value;
    return *this;
  }
  std::string str() const { return "{" + body_ + "}"; }

 private:
  std::string body_;
};

// One element a line.
class JsonArray {
 public:
  JsonArray& add(std::string_view json) {
    body_ += body_.empty() ? "\n  " : ",\n  ";
    body_ += json;
    return *this;
  }
  std::string str() const { return body_.empty() ? "[]" : "[" + body_ + "\n]"; }

 private:
  std::string body_;
};

}  // namespace stela::fsd

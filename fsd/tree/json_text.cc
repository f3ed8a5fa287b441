#include "fsd/tree/json_text.h"

#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

namespace stela::fsd {

std::string json_quote(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string utc_text(int64_t utc_ns) {
  int64_t seconds = utc_ns / 1'000'000'000;
  int64_t fraction = utc_ns % 1'000'000'000;
  if (fraction < 0) {
    fraction += 1'000'000'000;
    seconds--;
  }
  std::tm fields{};
  auto time = static_cast<std::time_t>(seconds);
  gmtime_r(&time, &fields);
  char text[80];
  int length = std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d", fields.tm_year + 1900,
                             fields.tm_mon + 1, fields.tm_mday, fields.tm_hour, fields.tm_min, fields.tm_sec);
  std::string out(text, static_cast<size_t>(length));
  if (fraction != 0) {
    std::snprintf(text, sizeof text, ".%09lld", static_cast<long long>(fraction));
    out += text;
  }
  return out + "Z";
}

}  // namespace stela::fsd

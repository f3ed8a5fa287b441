// Text for .stela/ files and messages: JSON strings and UTC times.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stela::fsd {

// With its quotes; bytes that are not UTF-8 become U+FFFD.
std::string json_quote(std::string_view text);
// "2026-11-22T10:00:00.123456789Z"; without the fraction when it is zero.
std::string utc_text(int64_t utc_ns);

}  // namespace stela::fsd

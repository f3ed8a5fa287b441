// Names come as any bytes; formats that demand UTF-8 get them through here.
#pragma once

#include <string>
#include <string_view>

namespace stela::fsd {

// `text` with each byte that is not part of well-formed UTF-8 (RFC 3629) replaced by U+FFFD.
std::string valid_utf8(std::string_view text);

}  // namespace stela::fsd

// Base64 (RFC 4648, section 4): the standard alphabet, padded.
#pragma once

#include <string>
#include <string_view>

namespace stela::fsd {

// Replaces `bytes`. False for anything but whole padded groups with zero spare bits.
bool decode_base64(std::string_view text, std::string* bytes);

}  // namespace stela::fsd

// Is this text? Valid UTF-8 (no surrogates, nothing above U+10FFFF, no overlong forms) and no NUL.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace stela::fsd {

// Offset of the first byte that is NUL or begins something that is not UTF-8; size() when all is well.
// About 10 GB/s on ASCII.
size_t find_bad_text(std::string_view text);
// The same, NUL allowed.
size_t find_bad_utf8(std::string_view text);

// A value for a message: in single quotes, cut after about 60 bytes, control bytes and bad UTF-8 as \xNN.
std::string quoted_for_message(std::string_view text);

// Appends the UTF-8 form of `code_point`; false when it is a surrogate or above U+10FFFF.
bool append_utf8(std::string& out, char32_t code_point);

}  // namespace stela::fsd

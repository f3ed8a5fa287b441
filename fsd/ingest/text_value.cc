#include "fsd/ingest/text_value.h"

#include <array>
#include <cstdio>

namespace stela::fsd {

bool integer_text_equals(std::string_view text, double value) {
  // A finite double has at most 309 digits before the point; %.0f prints all of them.
  std::array<char, 400> digits;
  int length = std::snprintf(digits.data(), digits.size(), "%.0f", value);
  return length > 0 && text == std::string_view(digits.data(), static_cast<size_t>(length));
}

}  // namespace stela::fsd

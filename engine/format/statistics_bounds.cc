#include "engine/format/statistics_bounds.h"

#include <optional>

namespace stela::format {
namespace {

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

// The first `limit` bytes at most, without a cut code point when the text has them.
std::string_view cut(bool utf8, std::string_view value, size_t limit) {
  if (value.size() <= limit) return value;
  size_t end = limit;
  if (utf8) {
    while (end > limit - 3 && is_continuation(value[end])) --end;
    if (is_continuation(value[end])) end = limit;  // not UTF-8 after all
  }
  return value.substr(0, end);
}

// The least text above every text that begins with `prefix`, bytewise.
std::optional<std::string> raise_bytes(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
  if (prefix.empty()) return std::nullopt;
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

struct LastPoint {
  size_t at = 0;
  uint32_t code = 0;
};

std::optional<LastPoint> last_code_point(std::string_view text) {
  if (text.empty()) return std::nullopt;
  size_t at = text.size() - 1;
  while (at > 0 && text.size() - at < 4 && is_continuation(text[at])) --at;
  size_t length = text.size() - at;
  auto lead = static_cast<unsigned char>(text[at]);
  uint32_t code = 0;
  if (length == 1 && lead < 0x80) return LastPoint{at, lead};
  if (length == 2 && (lead & 0xe0) == 0xc0)
    code = lead & 0x1fu;
  else if (length == 3 && (lead & 0xf0) == 0xe0)
    code = lead & 0x0fu;
  else if (length == 4 && (lead & 0xf8) == 0xf0)
    code = lead & 0x07u;
  else
    return std::nullopt;
  for (size_t i = at + 1; i < text.size(); ++i) code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3fu);
  return LastPoint{at, code};
}

void append_code_point(std::string& out, uint32_t code) {
  auto put = [&out](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0 | code >> 6);
    return put(0x80 | (code & 0x3f));
  }
  if (code < 0x10000) {
    put(0xe0 | code >> 12);
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
  }
  put(0x80 | (code >> 6 & 0x3f));
  put(0x80 | (code & 0x3f));
}

// The same by code points: their order is that of their bytes.
std::optional<std::string> raise_text(std::string prefix) {
  for (;;) {
    std::optional<LastPoint> last = last_code_point(prefix);
    if (!last) return std::nullopt;
    prefix.resize(last->at);
    if (last->code >= 0x10ffff) continue;
    uint32_t next = last->code + 1;
    if (next == 0xd800) next = 0xe000;  // surrogates are no characters
    append_code_point(prefix, next);
    return prefix;
  }
}

}  // namespace

void set_byte_bounds(bool utf8, std::string_view least, std::string_view greatest, Statistics& statistics) {
  std::string_view low = cut(utf8, least, kBoundBytes);
  std::string high(cut(utf8, greatest, kBoundBytes));
  if (high.size() < greatest.size()) {
    // A raised code point may be a byte longer than the one it follows.
    if (utf8) high = cut(utf8, high, kBoundBytes - 1);
    std::optional<std::string> raised = utf8 ? raise_text(high) : std::nullopt;
    // Bytes that are no UTF-8 may come out wrong: the bound must differ from, and be above, what it follows.
    if (!raised || *raised <= high || raised->starts_with(high)) raised = raise_bytes(high);
    if (!raised) return;
    high = std::move(*raised);
    statistics.max_exact = false;
  }
  statistics.min_exact = low.size() == least.size();
  statistics.min = std::string(low);
  statistics.max = std::move(high);
  statistics.has_bounds = true;
}

}  // namespace stela::format

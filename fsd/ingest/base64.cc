#include "fsd/ingest/base64.h"

#include <cstdint>

namespace stela::fsd {
namespace {

// 0 .. 63, or 64 for a character outside of the alphabet.
unsigned sextet(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<unsigned>(c - 'A');
  if (c >= 'a' && c <= 'z') return static_cast<unsigned>(c - 'a') + 26;
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0') + 52;
  return c == '+' ? 62 : c == '/' ? 63 : 64;
}

}  // namespace

bool decode_base64(std::string_view text, std::string* bytes) {
  bytes->clear();
  if (text.size() % 4 != 0) return false;
  bytes->reserve(text.size() / 4 * 3);
  for (size_t at = 0; at < text.size(); at += 4) {
    bool last = at + 4 == text.size();
    size_t padding = last && text[at + 3] == '=' ? (text[at + 2] == '=' ? 2 : 1) : 0;
    uint32_t group = 0;
    for (size_t i = 0; i < 4 - padding; ++i) {
      unsigned bits = sextet(text[at + i]);
      if (bits == 64) return false;
      group = group << 6 | bits;
    }
    group <<= 6 * padding;
    uint32_t spare = padding == 2 ? 0xffff : padding == 1 ? 0xff : 0;
    if ((group & spare) != 0) return false;
    for (size_t i = 0; i < 3 - padding; ++i) bytes->push_back(static_cast<char>(group >> (16 - 8 * i)));
  }
  return true;
}

}  // namespace stela::fsd

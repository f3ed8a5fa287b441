#include "fsd/ingest/utf8_text.h"

#include <array>
#include <cstdint>
#include <cstdio>

#include "engine/base/coding.h"

namespace stela::fsd {
namespace {

// Length of the valid sequence at text[at], 0 when there is none.
size_t sequence_length(std::string_view text, size_t at) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
  size_t left = text.size() - at;
  auto continues = [&](size_t i) { return i < left && (byte(i) & 0xC0) == 0x80; };
  unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;
  if (lead < 0xE0) return continues(1) ? 2 : 0;
  if (lead < 0xF0) {
    if (!continues(1) || !continues(2)) return 0;
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;
    return lead == 0xED && byte(1) >= 0xA0 ? 0 : 3;
  }
  if (lead > 0xF4 || !continues(1) || !continues(2) || !continues(3)) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  return lead == 0xF4 && byte(1) >= 0x90 ? 0 : 4;
}

template <bool kNulIsBad>
size_t find_bad(std::string_view text) {
  constexpr uint64_t kHigh = 0x8080808080808080u, kOnes = 0x0101010101010101u;
  size_t at = 0;
  while (at < text.size()) {
    // Eight plain bytes at a time; with the high bits clear, x - 1 borrows into one only from a zero byte.
    while (text.size() - at >= 8) {
      auto word = get_fixed<uint64_t>(text.data() + at);
      uint64_t suspicious = kNulIsBad ? (word | (word - kOnes)) & kHigh : word & kHigh;
      if (suspicious != 0) break;
      at += 8;
    }
    if (at == text.size()) break;
    if (kNulIsBad && text[at] == '\0') return at;
    size_t length = sequence_length(text, at);
    if (length == 0) return at;
    at += length;
  }
  return text.size();
}

}  // namespace

size_t find_bad_text(std::string_view text) { return find_bad<true>(text); }
size_t find_bad_utf8(std::string_view text) { return find_bad<false>(text); }

std::string quoted_for_message(std::string_view text) {
  constexpr size_t kShown = 60;
  std::string out = "'";
  size_t at = 0;
  while (at < text.size() && at < kShown) {
    size_t length = sequence_length(text, at);
    auto byte = static_cast<unsigned char>(text[at]);
    if (length == 0 || byte < 0x20 || byte == 0x7F) {
      std::array<char, 8> escape;
      std::snprintf(escape.data(), escape.size(), "\\x%02X", byte);
      out += escape.data();
      ++at;
      continue;
    }
    out += text.substr(at, length);
    at += length;
  }
  out += at < text.size() ? "...'" : "'";
  if (at < text.size()) out += " (" + std::to_string(text.size()) + " bytes)";
  return out;
}

bool append_utf8(std::string& out, char32_t code_point) {
  auto put = [&](char32_t bits, unsigned prefix) { out.push_back(static_cast<char>(prefix | bits)); };
  if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF)) return false;
  if (code_point < 0x80) {
    put(code_point, 0);
  } else if (code_point < 0x800) {
    put(code_point >> 6, 0xC0);
    put(code_point & 0x3F, 0x80);
  } else if (code_point < 0x10000) {
    put(code_point >> 12, 0xE0);
    put((code_point >> 6) & 0x3F, 0x80);
    put(code_point & 0x3F, 0x80);
  } else {
    put(code_point >> 18, 0xF0);
    put((code_point >> 12) & 0x3F, 0x80);
    put((code_point >> 6) & 0x3F, 0x80);
    put(code_point & 0x3F, 0x80);
  }
  return true;
}

}  // namespace stela::fsd

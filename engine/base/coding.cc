#include "engine/base/coding.h"

#include <isa-l/crc.h>
#include <xxhash.h>

#include <algorithm>

namespace stela {

void put_varint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

void put_text(std::string& out, std::string_view text) {
  put_varint(out, text.size());
  out.append(text);
}

void put_ordered(std::string& out, uint64_t value) { put_fixed(out, __builtin_bswap64(value)); }
uint64_t get_ordered(const char* from) { return __builtin_bswap64(get_fixed<uint64_t>(from)); }

bool Decoder::varint(uint64_t* value) {
  if (failed_) return false;
  uint64_t result = 0;
  for (size_t i = 0; i < rest_.size() && i < 10; ++i) {
    auto byte = static_cast<uint8_t>(rest_[i]);
    if (i == 9 && byte > 1) return fail();
    result |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
    if ((byte & 0x80) == 0) {
      rest_.remove_prefix(i + 1);
      *value = result;
      return true;
    }
  }
  return fail();
}

bool Decoder::varint_upto(uint64_t limit, uint64_t* value) {
  uint64_t read = 0;
  if (!varint(&read)) return false;
  if (read > limit) return fail();
  *value = read;
  return true;
}

bool Decoder::bytes(size_t count, std::string_view* value) {
  if (failed_ || rest_.size() < count) return fail();
  *value = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return true;
}

bool Decoder::text(std::string_view* value) {
  uint64_t length = 0;
  if (!varint(&length)) return false;
  if (length > rest_.size()) return fail();
  return bytes(length, value);
}

bool Decoder::text(std::string* value) {
  std::string_view view;
  if (!text(&view)) return false;
  *value = std::string(view);
  return true;
}

bool Decoder::ordered(uint64_t* value) {
  std::string_view view;
  if (!bytes(8, &view)) return false;
  *value = get_ordered(view.data());
  return true;
}

uint32_t crc32c(ByteSpan bytes, uint32_t seed) {
  uint32_t crc = ~seed;
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  size_t left = bytes.size();
  while (left > 0) {  // isa-l counts in int
    size_t step = std::min<size_t>(left, size_t{1} << 30);
    crc = crc32_iscsi(const_cast<unsigned char*>(at), static_cast<int>(step), crc);
    at += step;
    left -= step;
  }
  return ~crc;
}

uint64_t hash64(std::string_view text, uint64_t seed) {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

}  // namespace stela

// Bytes on disk: little-endian fixed-width integers, LEB128 varints, order-preserving big-endian keys,
// and a Decoder that never reads out of bounds.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "engine/base/buffer.h"

namespace stela {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "formats are little-endian; port the coders first");

template <typename T>
void put_fixed(std::string& out, T value) {
  static_assert(std::is_trivially_copyable_v<T>);
  out.append(reinterpret_cast<const char*>(&value), sizeof(T));
}
template <typename T>
T get_fixed(const void* from) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}
void put_varint(std::string& out, uint64_t value);
// Length as varint, then the bytes.
void put_text(std::string& out, std::string_view text);
// Eight bytes, most significant first: memcmp order is numeric order.
void put_ordered(std::string& out, uint64_t value);
uint64_t get_ordered(const char* from);

// Walks untrusted bytes. Every getter returns false, and leaves the target alone, when the bytes run out
// or are malformed; after the first false the decoder stays failed.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : rest_(bytes) {}
  explicit Decoder(ByteSpan bytes) : rest_(as_text(bytes)) {}

  template <typename T>
  bool fixed(T* value) {
    if (failed_ || rest_.size() < sizeof(T)) return fail();
    *value = get_fixed<T>(rest_.data());
    rest_.remove_prefix(sizeof(T));
    return true;
  }
  bool varint(uint64_t* value);
  // A varint no larger than `limit`.
  bool varint_upto(uint64_t limit, uint64_t* value);
  bool text(std::string_view* value);
  bool text(std::string* value);
  bool ordered(uint64_t* value);
  bool bytes(size_t count, std::string_view* value);
  bool skip(size_t count) {
    std::string_view ignored;
    return bytes(count, &ignored);
  }
  bool failed() const { return failed_; }
  bool at_end() const { return !failed_ && rest_.empty(); }
  std::string_view rest() const { return rest_; }

 private:
  bool fail() {
    failed_ = true;
    return false;
  }
  std::string_view rest_;
  bool failed_ = false;
};

// CRC32C (Castagnoli, as in iSCSI, RFC 3720), continued from `seed`. About 26 GB/s where PCLMULQDQ is.
uint32_t crc32c(ByteSpan bytes, uint32_t seed = 0);
inline uint32_t crc32c(std::string_view text, uint32_t seed = 0) { return crc32c(as_bytes(text), seed); }

// 64-bit hash for tables, Bloom filters and inode numbers (xxh3); stable across releases.
uint64_t hash64(std::string_view text, uint64_t seed = 0);

}  // namespace stela

// Buffer: bytes from the pool, grown without filling them; the unit of memory for column data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "engine/base/memory_pool.h"

namespace stela {

using ByteSpan = std::span<const std::byte>;
using MutableByteSpan = std::span<std::byte>;

inline ByteSpan as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteSpan bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Contents after a growing resize() are uninitialised. Memory is 64-byte aligned, so that any column
// type and any SIMD kernel may be pointed at it. Throws std::bad_alloc. Not thread-safe.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t size) { resize(size); }
  explicit Buffer(ByteSpan bytes) { append(bytes); }
  Buffer(const Buffer& other) { append(other.span()); }
  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  Buffer& operator=(Buffer other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ~Buffer() { give_to_pool(data_, capacity_); }

  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }
  ByteSpan span() const { return {data_, size_}; }
  MutableByteSpan span() { return {data_, size_}; }
  ByteSpan span(size_t offset, size_t length) const { return {data_ + offset, length}; }

  template <typename T>
  T* as() {
    return reinterpret_cast<T*>(data_);
  }
  template <typename T>
  const T* as() const {
    return reinterpret_cast<const T*>(data_);
  }

  void clear() { size_ = 0; }
  void reserve(size_t capacity) {
    if (capacity <= capacity_) return;
    size_t grown = capacity_ + capacity_ / 2;
    const size_t wanted = pool_block_bytes(grown > capacity ? grown : capacity);
    std::byte* fresh = take_from_pool(wanted);
    if (size_ > 0) std::memcpy(fresh, data_, size_);
    give_to_pool(data_, capacity_);
    data_ = fresh;
    capacity_ = wanted;
  }
  void resize(size_t size) {
    reserve(size);
    size_ = size;
  }
  void append(ByteSpan bytes) {
    if (bytes.empty()) return;
    size_t at = size_;
    resize(size_ + bytes.size());
    std::memcpy(data_ + at, bytes.data(), bytes.size());
  }
  void append_zeros(size_t count) {
    size_t at = size_;
    resize(size_ + count);
    if (count > 0) std::memset(data_ + at, 0, count);
  }
  template <typename T>
  void append_value(const T& value) {
    append({reinterpret_cast<const std::byte*>(&value), sizeof(T)});
  }

 private:
  std::byte* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace stela

// TextOut: text that grows at its end, written through a plain pointer.
#pragma once

#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>

namespace stela::fsd {

// Not thread-safe. Throws std::bad_alloc.
class TextOut {
 public:
  TextOut() = default;
  ~TextOut() { std::free(begin_); }
  TextOut(const TextOut&) = delete;
  TextOut& operator=(const TextOut&) = delete;

  // Where at least `bytes` may be written; advance() says where they ended.
  char* room(size_t bytes) {
    if (static_cast<size_t>(end_ - at_) < bytes) grow(bytes);
    return at_;
  }
  void advance(char* to) { at_ = to; }
  void push_back(char c) {
    *room(1) = c;
    ++at_;
  }
  void append(std::string_view text) {
    if (text.empty()) return;
    std::memcpy(room(text.size()), text.data(), text.size());
    at_ += text.size();
  }
  std::string_view text() const { return {begin_, static_cast<size_t>(at_ - begin_)}; }

 private:
  void grow(size_t bytes) {
    auto used = static_cast<size_t>(at_ - begin_);
    auto capacity = static_cast<size_t>(end_ - begin_);
    size_t wanted = (used + bytes) + (used + bytes) / 2 + 4096;
    wanted = wanted > capacity ? wanted : capacity;
    auto* grown = static_cast<char*>(std::realloc(begin_, wanted));
    if (grown == nullptr) throw std::bad_alloc();
    begin_ = grown;
    at_ = grown + used;
    end_ = grown + wanted;
  }
  char* begin_ = nullptr;
  char* at_ = nullptr;
  char* end_ = nullptr;
};

}  // namespace stela::fsd

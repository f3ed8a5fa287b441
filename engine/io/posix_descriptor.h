// A file descriptor that closes itself, and whole reads and writes through it.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "engine/base/buffer.h"
#include "engine/base/status.h"
#include "engine/io/env.h"

namespace stela {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// All bytes at `offset`; short writes go on, EINTR is repeated. `what` names the file in the sentence.
Status write_fully(int fd, uint64_t offset, ByteSpan bytes, std::string_view what);

// Fills `into` from `offset`; returns how many bytes there were before the end of the file.
Result<size_t> read_up_to(int fd, uint64_t offset, MutableByteSpan into, std::string_view what);

// Fills every range; ranges that follow one another in the file are read by one call. kDamaged when a range
// passes `file_size` or the file is shorter than that by now.
Status read_ranges(int fd, uint64_t file_size, std::span<const ReadRange> ranges, std::string_view what);

}  // namespace stela

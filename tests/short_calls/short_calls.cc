#include "tests/short_calls/short_calls.h"

#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>

namespace {

std::atomic<bool> shortening{false};
std::atomic<uint64_t> chance{0}, short_reads{0}, short_writes{0}, interrupted{0};

// SplitMix64, shared by all threads.
uint64_t next() {
  uint64_t z = chance.fetch_add(0x9E3779B97F4A7C15) + 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

bool interrupts() {
  if (!shortening || next() % 8 != 0) return false;
  ++interrupted;
  errno = EINTR;
  return true;
}

size_t shortened(size_t bytes, std::atomic<uint64_t>& count) {
  if (!shortening || bytes < 2 || next() % 3 != 0) return bytes;
  ++count;
  return 1 + next() % (bytes - 1);
}

}  // namespace

extern "C" {
ssize_t __real_pread(int fd, void* into, size_t bytes, off_t offset);
ssize_t __real_preadv(int fd, const iovec* vectors, int count, off_t offset);
ssize_t __real_pwrite(int fd, const void* from, size_t bytes, off_t offset);

ssize_t __wrap_pread(int fd, void* into, size_t bytes, off_t offset) {
  return interrupts() ? -1 : __real_pread(fd, into, shortened(bytes, short_reads), offset);
}

// A part of the first vectors: some whole, or a piece of the first.
ssize_t __wrap_preadv(int fd, const iovec* vectors, int count, off_t offset) {
  if (interrupts()) return -1;
  if (count > 1) {
    auto fewer = static_cast<int>(shortened(static_cast<size_t>(count), short_reads));
    if (fewer < count) return __real_preadv(fd, vectors, fewer, offset);
  }
  if (count == 0) return __real_preadv(fd, vectors, count, offset);
  size_t first = shortened(vectors[0].iov_len, short_reads);
  return first < vectors[0].iov_len ? __real_pread(fd, vectors[0].iov_base, first, offset)
                                    : __real_preadv(fd, vectors, count, offset);
}

ssize_t __wrap_pwrite(int fd, const void* from, size_t bytes, off_t offset) {
  return interrupts() ? -1 : __real_pwrite(fd, from, shortened(bytes, short_writes), offset);
}
}

namespace stela {

void shorten_calls(uint64_t seed) {
  chance = seed;
  short_reads = short_writes = interrupted = 0;
  shortening = true;
}

ShortCalls stop_shortening_calls() {
  shortening = false;
  return {short_reads, short_writes, interrupted};
}

}  // namespace stela

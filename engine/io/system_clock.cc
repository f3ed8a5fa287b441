#include "engine/io/system_clock.h"

#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

namespace stela {

namespace {

int64_t read_clock_ns(clockid_t which) {
  timespec now = {};
  ::clock_gettime(which, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

int64_t SystemClock::utc_ns() { return read_clock_ns(CLOCK_REALTIME); }
int64_t SystemClock::monotonic_ns() { return read_clock_ns(CLOCK_MONOTONIC); }

uint64_t system_random() {
  uint64_t value = 0;
  for (;;) {
    ssize_t count = ::getrandom(&value, sizeof(value), 0);
    if (count == static_cast<ssize_t>(sizeof(value))) return value;
    if (count < 0 && errno != EINTR) break;
  }
  // No getrandom at all: the time, the process and the stack's place differ between openings.
  return static_cast<uint64_t>(read_clock_ns(CLOCK_REALTIME)) * 0x9E3779B97F4A7C15ull ^
         static_cast<uint64_t>(::getpid()) << 32 ^ reinterpret_cast<uintptr_t>(&value);
}

}  // namespace stela

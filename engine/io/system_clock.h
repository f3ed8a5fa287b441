// The operating system's clock and random numbers.
#pragma once

#include "engine/io/env.h"

namespace stela {

// clock_gettime. Thread-safe.
class SystemClock final : public Clock {
 public:
  int64_t utc_ns() override;
  int64_t monotonic_ns() override;
};

// 64 bits from getrandom. Thread-safe.
uint64_t system_random();

class SystemRandom final : public Random {
 public:
  uint64_t next() override { return system_random(); }
};

}  // namespace stela

// A clock and a source of random numbers that tests own: the same calls give the same values.
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/io/env.h"

namespace stela {

// Starts at 2026-01-01T00:00:00Z. Each utc_ns() or monotonic_ns() first advances both times by the step.
// Thread-safe.
class ManualClock final : public Clock {
 public:
  static constexpr int64_t kStart_ns = 1'767'225'600'000'000'000;

  explicit ManualClock(int64_t start_ns = kStart_ns, int64_t step_ns = 1'000) : utc_(start_ns), step_(step_ns) {}

  int64_t utc_ns() override {
    int64_t step = step_.load();
    monotonic_.fetch_add(step);
    return utc_.fetch_add(step) + step;
  }
  int64_t monotonic_ns() override {
    int64_t step = step_.load();
    utc_.fetch_add(step);
    return monotonic_.fetch_add(step) + step;
  }

  // The time of the day only; may step back. The monotonic time goes on from where it was.
  void set_utc_ns(int64_t now_ns) { utc_.store(now_ns); }
  void set_step_ns(int64_t step_ns) { step_.store(step_ns); }
  void advance_ns(int64_t by_ns) {
    utc_.fetch_add(by_ns);
    monotonic_.fetch_add(by_ns);
  }
  // The time without advancing it.
  int64_t peek_utc_ns() const { return utc_.load(); }

 private:
  std::atomic<int64_t> utc_;
  std::atomic<int64_t> monotonic_{1'000'000'000};
  std::atomic<int64_t> step_;
};

// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014). Thread-safe.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}

  uint64_t next() override {
    uint64_t z = state_.fetch_add(0x9E3779B97F4A7C15ull) + 0x9E3779B97F4A7C15ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  // In [0, limit); limit > 0. The bias of the remainder does not matter to tests.
  uint64_t below(uint64_t limit) { return next() % limit; }
  bool coin() { return (next() & 1) != 0; }

 private:
  std::atomic<uint64_t> state_;
};

}  // namespace stela

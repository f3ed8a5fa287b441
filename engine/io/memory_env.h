// An Env in memory: deterministic, never durable beyond its own life, with a clock and random numbers that
// the test sets. What the engine left in it is found again by opening another store on the same MemoryEnv.
// Thread-safe as env.h says. Space is what the heap gives.
#pragma once

#include <memory>
#include <string>

#include "engine/io/env.h"
#include "engine/io/manual_clock.h"

namespace stela {

struct MemoryState;

class MemoryEnv final : public Env {
 public:
  explicit MemoryEnv(uint64_t seed = 1);
  ~MemoryEnv() override;

  Files& files() override { return *files_; }
  Result<std::unique_ptr<LogDevice>> open_log(uint64_t segment_bytes) override;
  Result<std::unique_ptr<Lease>> acquire_lease(const std::string& text) override;
  Clock& clock() override { return clock_; }
  Random& random() override { return random_; }

  ManualClock& manual_clock() { return clock_; }

 private:
  std::shared_ptr<MemoryState> state_;
  std::unique_ptr<Files> files_;
  ManualClock clock_;
  SeededRandom random_;
};

std::shared_ptr<MemoryEnv> memory_env(uint64_t seed = 1);

}  // namespace stela

// Any Env with its reads, writes and syncs counted by kind of file: for tests and benchmarks that say what an
// operation costs. Reads through native_fd() are not seen. Adds no locks; thread-safe as the wrapped one is.
#pragma once

#include <memory>
#include <string>

#include "engine/io/env.h"
#include "engine/io/io_counters.h"

namespace stela {

class CountingEnv final : public Env {
 public:
  explicit CountingEnv(std::shared_ptr<Env> wrapped);
  ~CountingEnv() override;

  const IoCounters& counters() const { return *counters_; }

  Files& files() override { return *files_; }
  Result<std::unique_ptr<LogDevice>> open_log(uint64_t segment_bytes) override;
  Result<std::unique_ptr<Lease>> acquire_lease(const std::string& text) override;
  Clock& clock() override { return wrapped_->clock(); }
  Random& random() override { return wrapped_->random(); }
  void crash_point(const char* name) override { wrapped_->crash_point(name); }

 private:
  std::shared_ptr<Env> wrapped_;
  std::shared_ptr<IoCounters> counters_;
  std::unique_ptr<Files> files_;
};

}  // namespace stela

// Leaving the terminal: the command returns when the mount is ready, or with the sentence that says why not.
#pragma once

#include <functional>
#include <string>

#include "engine/base/status.h"

namespace stela::fsd {

// Where a daemon says once whether it is ready. Until then its stderr is the terminal's.
class Readiness {
 public:
  // `fd` < 0: there is nobody to tell (foreground).
  explicit Readiness(int fd) : fd_(fd) {}
  ~Readiness();
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;
  bool in_background() const { return background_; }
  void report(const Status& status);

 private:
  int fd_;
  const bool background_ = fd_ >= 0;
};

// Forks. The caller's process gets the Status the daemon reported, or kIo when it ended without a word. The
// daemon, in a session of its own with "/" as its folder, runs `body` and exits with what it returns.
// Only to be called while the process has one thread.
Status run_in_background(const std::function<int(Readiness&)>& body);

}  // namespace stela::fsd

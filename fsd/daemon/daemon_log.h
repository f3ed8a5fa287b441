// The daemon's log: what it writes to stderr, kept in a file of bounded size beside the store.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/status.h"

namespace stela::fsd {

// One thread. While it lives, stdout and stderr go to `path`.
class DaemonLog {
 public:
  DaemonLog(std::string path, uint64_t bytes_max) : path_(std::move(path)), bytes_max_(bytes_max) {}
  Status redirect();
  // When the file has grown past its limit it becomes PATH.old and a new one begins.
  void rotate_if_large();

 private:
  const std::string path_;
  const uint64_t bytes_max_;
};

// One line with the time: "2026-11-24T00:00:00Z text".
void log_line(const std::string& text);

}  // namespace stela::fsd

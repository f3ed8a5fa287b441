// A bound on how long a daemon may take to end: past it the mount is detached and the process is gone. What
// was acknowledged is in the log, so the next opening recovers it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace stela::fsd {

class ShutdownWatch {
 public:
  ShutdownWatch(std::chrono::milliseconds limit, std::string mount_point);
  ~ShutdownWatch();  // in time
  ShutdownWatch(const ShutdownWatch&) = delete;
  ShutdownWatch& operator=(const ShutdownWatch&) = delete;

 private:
  void run(std::chrono::milliseconds limit);
  const std::string mount_point_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace stela::fsd

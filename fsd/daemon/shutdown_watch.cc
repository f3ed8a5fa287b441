#include "fsd/daemon/shutdown_watch.h"

#include <unistd.h>

#include "fsd/daemon/daemon_log.h"
#include "fsd/daemon/mount_table.h"

namespace stela::fsd {

ShutdownWatch::ShutdownWatch(std::chrono::milliseconds limit, std::string mount_point)
    : mount_point_(std::move(mount_point)), thread_([this, limit] { run(limit); }) {}

ShutdownWatch::~ShutdownWatch() {
  {
    std::lock_guard lock(mutex_);
    done_ = true;
    wake_.notify_all();
  }
  thread_.join();
}

void ShutdownWatch::run(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  if (wake_.wait_for(lock, limit, [this] { return done_; })) return;
  log_line("the daemon did not end in time: it detaches " + mount_point_ +
           " and goes; the log is recovered at the next opening");
  auto mounts = stela_mounts();
  if (mounts.ok() && mount_at(*mounts, mount_point_)) (void)detach_mount(mount_point_, true).ok();
  _exit(1);
}

}  // namespace stela::fsd

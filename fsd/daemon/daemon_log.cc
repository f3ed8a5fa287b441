#include "fsd/daemon/daemon_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>

namespace stela::fsd {

Status DaemonLog::redirect() {
  int fd = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) fd = open("/dev/null", O_WRONLY | O_CLOEXEC);  // a store on a read-only medium
  if (fd < 0) return status_from_errno(errno, "opening " + path_);
  std::fflush(nullptr);
  dup2(fd, STDOUT_FILENO);
  dup2(fd, STDERR_FILENO);
  close(fd);
  return {};
}

void DaemonLog::rotate_if_large() {
  struct stat attributes;
  if (fstat(STDERR_FILENO, &attributes) != 0 || !S_ISREG(attributes.st_mode)) return;
  if (static_cast<uint64_t>(attributes.st_size) <= bytes_max_) return;
  if (std::rename(path_.c_str(), (path_ + ".old").c_str()) != 0) return;
  Status status = redirect();
  if (!status.ok()) std::fprintf(stderr, "stela: %s\n", status.message().c_str());
}

void log_line(const std::string& text) {
  time_t now = time(nullptr);
  struct tm parts = {};
  gmtime_r(&now, &parts);
  char stamp[32];
  std::strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &parts);
  std::fprintf(stderr, "%s %s\n", stamp, text.c_str());
}

}  // namespace stela::fsd

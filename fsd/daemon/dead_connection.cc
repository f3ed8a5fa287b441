#include "fsd/daemon/dead_connection.h"

#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "fsd/daemon/mount_table.h"

namespace stela::fsd {
namespace {

constexpr int kOwnDeathMs = 1000;  // what a killed process usually needs is a few milliseconds
constexpr int kAbortedMs = 3000;
constexpr const char* kConnections = "/sys/fs/fuse/connections";

std::string file_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// From "pid 17 on host.example, mounted at /mnt"; 0 when it says something else.
pid_t holder_of(const std::string& store) {
  std::string text = file_text(store + "/LOCK");
  if (!text.starts_with("pid ")) return 0;
  pid_t pid = 0;
  std::from_chars(text.data() + 4, text.data() + text.size(), pid);
  return pid;
}

// SIGKILL is pending in every thread of a process that was killed and is not gone.
bool is_killed(pid_t pid) {
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", error)) {
    std::string status = file_text(task.path() / "status");
    size_t at = status.find("\nSigPnd:\t");
    if (at == std::string::npos) continue;
    uint64_t pending = 0;
    std::from_chars(status.data() + at + 9, status.data() + status.size(), pending, 16);
    if ((pending >> (SIGKILL - 1)) & 1) return true;
  }
  return false;
}

bool ends_within(int process, int milliseconds) {
  pollfd wait{process, POLLIN, 0};
  return poll(&wait, 1, milliseconds) > 0;
}

bool abort_connection(const MountEntry& mount) {
  std::string minor = mount.device_number.substr(mount.device_number.find(':') + 1);
  std::filesystem::path place = std::filesystem::path(kConnections) / minor / "abort";
  std::error_code error;
  if (!std::filesystem::exists(place, error)) {
    (void)::mount("none", kConnections, "fusectl", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  }
  std::ofstream file(place);
  file << "1" << std::flush;
  return file.good();
}

}  // namespace

bool abort_dead_connection(const std::string& store) {
  pid_t pid = holder_of(store);
  if (pid <= 0) return false;
  int process = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (process < 0) return false;
  bool aborted = false;
  auto mounts = stela_mounts();
  auto mount = mounts.ok() ? mount_of_store(*mounts, store) : std::nullopt;
  if (mount && is_killed(pid) && !ends_within(process, kOwnDeathMs) && is_killed(pid)) {
    aborted = abort_connection(*mount) && ends_within(process, kAbortedMs);
  }
  ::close(process);
  return aborted;
}

}  // namespace stela::fsd

#include "fsd/tree/processes.h"

#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>
#include <string_view>
#include <vector>

namespace stela::fsd {
namespace {

constexpr uint64_t kPfExiting = 4;  // include/linux/sched.h

// Whole small file under /proc; "" when it is not there.
std::string read_proc(uint32_t thread, const char* file) {
  std::string path = "/proc/" + std::to_string(thread) + "/" + file;
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::string text(4096, '\0');
  ssize_t got = ::read(fd, text.data(), text.size());
  ::close(fd);
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return text;
}

uint64_t number(std::string_view text) {
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// Whether the thread's process still has its memory, which an exiting one gives up before it closes its files: then all
// of statm is 0. Not /proc/PID/stat, process_vm_readv() or the like: they wait for a lock that the process holds while
// execve() closes its files, and so would wait for the very request that asks.
bool has_memory(uint32_t thread) {
  std::string sizes = read_proc(thread, "statm");
  return !sizes.empty() && sizes.front() != '0';
}

// pidfd_open(2) takes the first thread of a process only.
bool leads_its_group(uint32_t thread) {
  long fd = ::syscall(SYS_pidfd_open, static_cast<pid_t>(thread), 0);
  if (fd < 0) return false;
  ::close(static_cast<int>(fd));
  return true;
}

// Words of a line, from `at` on.
std::vector<std::string_view> words(std::string_view line, size_t at = 0) {
  std::vector<std::string_view> fields;
  while (at < line.size()) {
    size_t begin = line.find_first_not_of(" \n", at);
    if (begin == std::string_view::npos) break;
    size_t end = std::min(line.find_first_of(" \n", begin), line.size());
    fields.push_back(line.substr(begin, end - begin));
    at = end;
  }
  return fields;
}

// Words after the command's name, which may hold anything, parentheses too.
std::vector<std::string_view> stat_fields(std::string_view stat) {
  size_t at = stat.rfind(')');
  return at == std::string_view::npos ? std::vector<std::string_view>() : words(stat, at + 1);
}

class SystemProcesses : public Processes {
 public:
  uint32_t thread_group(uint32_t thread) override {
    if (thread == 0) return 0;
    if (leads_its_group(thread)) return thread;
    std::string status = read_proc(thread, "status");
    size_t at = status.find("\nTgid:\t");
    if (at == std::string::npos) return 0;
    return static_cast<uint32_t>(number(std::string_view(status).substr(at + 7)));
  }

  ProcessState state(uint32_t thread) override {
    ProcessState state;
    if (thread == 0) return state;
    state.thread_group = thread_group(thread);
    if (has_memory(thread)) return state;
    std::string stat = read_proc(thread, "stat");
    std::vector<std::string_view> fields = stat_fields(stat);
    // proc(5): state is field 3, flags field 9, exit_code field 52.
    if (fields.size() < 50 || (number(fields[6]) & kPfExiting) == 0) return state;
    state.signal = static_cast<int>(number(fields[49]) & 0x7f);
    state.killed = state.signal != 0;
    return state;
  }

  std::optional<uint64_t> open_flags(uint32_t thread) override {
    // proc(5): the number and the arguments, in hexadecimal; "running" until the thread has gone to sleep.
    constexpr int kTriesMax = 50;
    std::string line;
    for (int tries = 0; tries < kTriesMax; ++tries) {
      line = read_proc(thread, "syscall");
      if (!line.starts_with("running")) break;
      sched_yield();
    }
    std::vector<std::string_view> call = words(line);
    if (call.size() < 7) return std::nullopt;
    uint64_t nr = number(call[0]);
    size_t flags_at = nr == SYS_openat ? 3 : 0;
#ifdef SYS_open
    if (nr == SYS_open) flags_at = 2;
#endif
#ifdef SYS_openat2
    if (nr == SYS_openat2) return std::nullopt;  // its flags are in the caller's memory
#endif
    if (flags_at == 0) return 0;
    uint64_t flags = 0;
    std::string_view text = call[flags_at].substr(2);  // 0x
    std::from_chars(text.data(), text.data() + text.size(), flags, 16);
    return flags;
  }

  std::string user_name(uint32_t uid) override {
    std::lock_guard lock(mutex_);
    auto found = names_.find(uid);
    if (found != names_.end()) return found->second;
    if (names_.size() >= 4096) names_.clear();
    return names_[uid] = look_up(uid);
  }

 private:
  static std::string look_up(uint32_t uid) {
    passwd entry{};
    passwd* result = nullptr;
    std::vector<char> buffer(16384);
    if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &result) != 0 || result == nullptr) {
      return std::to_string(uid);
    }
    return std::string(result->pw_name) + " (" + std::to_string(uid) + ")";
  }
  std::mutex mutex_;
  std::map<uint32_t, std::string> names_;
};

}  // namespace

std::unique_ptr<Processes> system_processes() { return std::make_unique<SystemProcesses>(); }

}  // namespace stela::fsd

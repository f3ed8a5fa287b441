#include "fsd/tree/processes.h"

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

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

// Words after the command's name, which may hold anything, parentheses too.
std::vector<std::string_view> stat_fields(std::string_view stat) {
  std::vector<std::string_view> fields;
  size_t at = stat.rfind(')');
  if (at == std::string_view::npos) return fields;
  at++;
  while (at < stat.size()) {
    size_t begin = stat.find_first_not_of(" \n", at);
    if (begin == std::string_view::npos) break;
    size_t end = stat.find_first_of(" \n", begin);
    if (end == std::string_view::npos) end = stat.size();
    fields.push_back(stat.substr(begin, end - begin));
    at = end;
  }
  return fields;
}

class SystemProcesses : public Processes {
 public:
  uint32_t thread_group(uint32_t thread) override {
    if (thread == 0) return 0;
    std::string status = read_proc(thread, "status");
    size_t at = status.find("\nTgid:\t");
    if (at == std::string::npos) return 0;
    return static_cast<uint32_t>(number(std::string_view(status).substr(at + 7)));
  }

  ProcessState state(uint32_t thread) override {
    ProcessState state;
    if (thread == 0) return state;
    state.thread_group = thread_group(thread);
    std::string stat = read_proc(thread, "stat");
    std::vector<std::string_view> fields = stat_fields(stat);
    // proc(5): state is field 3, flags field 9, exit_code field 52.
    if (fields.size() < 50 || (number(fields[6]) & kPfExiting) == 0) return state;
    state.signal = static_cast<int>(number(fields[49]) & 0x7f);
    state.killed = state.signal != 0;
    return state;
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

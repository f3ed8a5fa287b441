#include "fsd/daemon/background.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace stela::fsd {
namespace {

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t count = write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;  // the waiting command was interrupted: nobody is left to tell
    text.remove_prefix(static_cast<size_t>(count));
  }
}

std::string read_all(int fd) {
  std::string text;
  char bytes[4096];
  for (;;) {
    ssize_t count = read(fd, bytes, sizeof(bytes));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(bytes, static_cast<size_t>(count));
  }
}

[[noreturn]] void run_child(int fd, const std::function<int(Readiness&)>& body) {
  setsid();
  if (chdir("/") != 0) std::perror("stela: cannot change to the root folder");
  int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null >= 0) {
    dup2(null, STDIN_FILENO);
    close(null);
  }
  int result = 1;
  {
    Readiness readiness(fd);
    result = body(readiness);
  }
  std::exit(result);
}

}  // namespace

Readiness::~Readiness() {
  if (fd_ >= 0) close(fd_);
}

// The first byte is the code; a pipe that closes without a byte is a daemon that died.
void Readiness::report(const Status& status) {
  if (fd_ < 0) return;
  std::string text(1, static_cast<char>(status.code()));
  write_all(fd_, text + status.message());
  close(fd_);
  fd_ = -1;
}

Status run_in_background(const std::function<int(Readiness&)>& body) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return status_from_errno(errno, "making a pipe");
  std::fflush(nullptr);
  pid_t pid = fork();
  if (pid < 0) {
    int error = errno;
    close(ends[0]);
    close(ends[1]);
    return status_from_errno(error, "starting the daemon");
  }
  if (pid == 0) {
    close(ends[0]);
    run_child(ends[1], body);
  }
  close(ends[1]);
  std::string text = read_all(ends[0]);
  close(ends[0]);
  if (text.empty()) {
    int result = 0;
    while (waitpid(pid, &result, 0) < 0 && errno == EINTR) continue;
    std::string how = WIFSIGNALED(result) ? " by signal " + std::to_string(WTERMSIG(result)) : "";
    return Status(Code::kIo, "the daemon was ended" + how + " before the mount was ready");
  }
  auto code = static_cast<Code>(text.front());
  if (code == Code::kOk) return {};
  return Status(code, text.substr(1));
}

}  // namespace stela::fsd

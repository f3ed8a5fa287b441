#include "bench/support/duckdb_peer.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace stela::bench {
namespace {

class Process final : public DuckdbPeer {
 public:
  Process(pid_t pid, FILE* to, FILE* from) : pid_(pid), to_(to), from_(from) {}
  ~Process() override {
    std::fclose(to_);  // the end of its input ends it
    std::fclose(from_);
    waitpid(pid_, nullptr, 0);
  }
  bool is_ready() {
    char line[64];
    return std::fgets(line, sizeof(line), from_) != nullptr && std::strcmp(line, "ready\n") == 0;
  }
  std::vector<double> insert(uint64_t count) override {
    std::vector<double> seconds;
    std::fprintf(to_, "%lu\n", static_cast<unsigned long>(count));
    std::fflush(to_);
    unsigned long nanoseconds = 0;
    while (seconds.size() < count && std::fscanf(from_, "%lu", &nanoseconds) == 1) {
      seconds.push_back(static_cast<double>(nanoseconds) * 1e-9);
    }
    return seconds;
  }

 private:
  pid_t pid_;
  FILE *to_, *from_;
};

}  // namespace

std::unique_ptr<DuckdbPeer> DuckdbPeer::open(const std::string& path) {
  int input[2], output[2];
  if (pipe2(input, O_CLOEXEC) != 0 || pipe2(output, O_CLOEXEC) != 0) return nullptr;
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(input[0], STDIN_FILENO);
    dup2(output[1], STDOUT_FILENO);
    execl("/usr/bin/python3", "python3", STELA_BENCH_DIR "/support/duckdb_commits.py", path.c_str(), nullptr);
    _exit(127);
  }
  close(input[0]);
  close(output[1]);
  if (pid < 0) {
    close(input[1]);
    close(output[0]);
    return nullptr;
  }
  auto process = std::make_unique<Process>(pid, fdopen(input[1], "w"), fdopen(output[0], "r"));
  return process->is_ready() ? std::move(process) : nullptr;
}

}  // namespace stela::bench

// Processes: what the tree asks of the system about the process behind a request, so that tests can answer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace stela::fsd {

struct ProcessState {
  uint32_t thread_group = 0;  // 0 = not known
  bool killed = false;        // exiting because of a signal
  int signal = 0;
};

// Thread-safe.
class Processes {
 public:
  virtual ~Processes() = default;
  // `thread` as FUSE gives it; 0 is the kernel.
  virtual uint32_t thread_group(uint32_t thread) = 0;
  // With `killed`: meant for a thread that waits for the reply, so that its state does not move.
  virtual ProcessState state(uint32_t thread) = 0;
  // The flags of the open() that waits for the reply, O_CREAT among them; 0 for another call; nullopt: it cannot be told.
  virtual std::optional<uint64_t> open_flags(uint32_t thread) = 0;
  // "ada (1000)", or "1000" when the name is not known.
  virtual std::string user_name(uint32_t uid) = 0;
};

// From /proc and the user database.
std::unique_ptr<Processes> system_processes();

}  // namespace stela::fsd

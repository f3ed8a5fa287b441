// The daemon's end of the control socket: a thread that accepts, one for each connection up to a limit.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "engine/base/status.h"
#include "fsd/daemon/control_message.h"
#include "fsd/daemon/verb.h"

namespace stela::fsd {

struct ControlServerOptions {
  std::string store_directory;
  uint32_t connections_max = 32;
  // Runs one command; `connection` tells whether its caller is still there.
  std::function<VerbOutcome(const VerbRequest&, const Caller&, int output, const std::vector<int>& inputs,
                            const ProgressFunction&)>
      run;
  std::function<void()> stop;  // the verb "stop"
};

class ControlServer {
 public:
  static Result<std::unique_ptr<ControlServer>> start(ControlServerOptions options);
  ~ControlServer() { stop(); }
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;
  // Accepts no more, cancels what runs at its next progress, waits for it. From one thread.
  void stop();

 private:
  ControlServer(ControlServerOptions options, int listener, int wake_fd)
      : options_(std::move(options)), listener_(listener), wake_fd_(wake_fd) {}
  void accept_loop();
  void serve(int fd);
  void answer(ControlConnection& connection, const Caller& caller);
  bool is_trusted(int fd, Caller* caller) const;

  const ControlServerOptions options_;
  const int listener_;
  const int wake_fd_;
  std::atomic<bool> stopping_{false};
  std::atomic<uint32_t> serving_{0};
  std::thread acceptor_;
};

}  // namespace stela::fsd

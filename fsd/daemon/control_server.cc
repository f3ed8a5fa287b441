#include "fsd/daemon/control_server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <exception>
#include <new>
#include <system_error>

#include "fsd/daemon/control_address.h"

namespace stela::fsd {
namespace {

constexpr int kRequestWaitMs = 5000;
constexpr int64_t kProgressIntervalNs = 100'000'000;

int64_t monotonic_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Closes what came with a request.
class OwnedDescriptors {
 public:
  explicit OwnedDescriptors(std::vector<int> fds) : fds_(std::move(fds)) {}
  ~OwnedDescriptors() {
    for (int fd : fds_) close(fd);
  }
  OwnedDescriptors(const OwnedDescriptors&) = delete;
  OwnedDescriptors& operator=(const OwnedDescriptors&) = delete;
  const std::vector<int>& list() const { return fds_; }

 private:
  const std::vector<int> fds_;
};

}  // namespace

Result<std::unique_ptr<ControlServer>> ControlServer::start(ControlServerOptions options) {
  STELA_ASSIGN(ControlAddress address, ControlAddress::of_store(options.store_directory));
  // The lease is held, so whatever lies there was left by a daemon that is gone.
  address.remove();
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener < 0) return status_from_errno(errno, "making the control socket");
  mode_t before = umask(0177);
  int bound = bind(listener, address.name(), address.length());
  int error = errno;
  umask(before);
  if (bound != 0 || listen(listener, 64) != 0) {
    if (bound == 0) error = errno;
    close(listener);
    return status_from_errno(error, "making the control socket in " + options.store_directory);
  }
  int wake_fd = eventfd(0, EFD_CLOEXEC);
  if (wake_fd < 0) {
    error = errno;
    close(listener);
    return status_from_errno(error, "making the control socket");
  }
  std::unique_ptr<ControlServer> server(new ControlServer(std::move(options), listener, wake_fd));
  server->acceptor_ = std::thread([raw = server.get()] { raw->accept_loop(); });
  return server;
}

void ControlServer::stop() {
  if (!acceptor_.joinable()) return;
  stopping_.store(true);
  uint64_t one = 1;
  while (write(wake_fd_, &one, sizeof(one)) < 0 && errno == EINTR) continue;
  acceptor_.join();
  for (uint32_t left = serving_.load(); left > 0; left = serving_.load()) serving_.wait(left);
  Result<ControlAddress> address = ControlAddress::of_store(options_.store_directory);
  if (address.ok()) address->remove();
  close(listener_);
  close(wake_fd_);
}

void ControlServer::accept_loop() {
  while (!stopping_.load()) {
    pollfd waits[2] = {{listener_, POLLIN, 0}, {wake_fd_, POLLIN, 0}};
    if (poll(waits, 2, -1) < 0 && errno != EINTR) return;
    if (stopping_.load() || (waits[0].revents & POLLIN) == 0) continue;
    int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) {
      // Out of descriptors: the caller waits in the queue until some are back.
      if (errno == EMFILE || errno == ENFILE) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      continue;
    }
    serve(fd);
  }
}

void ControlServer::serve(int fd) {
  Caller caller;
  if (!is_trusted(fd, &caller)) {
    close(fd);
    return;
  }
  if (serving_.load() >= options_.connections_max) {
    ControlConnection connection(fd);
    VerbOutcome busy{1, "the daemon serves as many commands as control_connections allows; try again"};
    (void)connection.send_line(encode_reply({std::nullopt, busy}));
    return;
  }
  serving_.fetch_add(1);
  auto work = [this, fd, caller] {
    {
      ControlConnection connection(fd);
      answer(connection, caller);
    }
    serving_.fetch_sub(1);
    serving_.notify_all();
  };
  try {
    std::thread(work).detach();
  } catch (const std::system_error&) {
    work();
  }
}

bool ControlServer::is_trusted(int fd, Caller* caller) const {
  ucred credentials = {};
  socklen_t size = sizeof(credentials);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return false;
  caller->uid = credentials.uid;
  caller->gid = credentials.gid;
  caller->pid = static_cast<uint32_t>(credentials.pid);
  return credentials.uid == geteuid() || credentials.uid == 0;
}

void ControlServer::answer(ControlConnection& connection, const Caller& caller) {
  auto finish = [&](const VerbOutcome& outcome) {
    Status sent = connection.send_line(encode_reply({std::nullopt, outcome}));
    (void)sent.ok();  // the caller may be gone; what it asked for is done all the same
  };
  try {
    Result<std::string> line = connection.receive_line(kRequestWaitMs);
    OwnedDescriptors descriptors(connection.take_descriptors());
    if (!line.ok()) return;
    Result<VerbRequest> request = decode_request(*line);
    if (!request.ok()) return finish({2, request.status().message()});
    if (request->verb == "ping") return finish({});
    if (request->verb == "stop") {
      finish({});
      options_.stop();
      return;
    }
    // From here on a connection that breaks is a command that may have been done.
    if (!connection.send_line(encode_reply({VerbProgress{}, {}})).ok()) return;
    if (descriptors.list().empty()) return finish({2, "the request came without a file for its output"});
    int64_t told_ns = monotonic_ns();
    ProgressFunction progress = [&](const VerbProgress& now) {
      if (stopping_.load() || connection.is_closed()) return false;
      if (monotonic_ns() - told_ns < kProgressIntervalNs) return true;
      told_ns = monotonic_ns();
      return connection.send_line(encode_reply({now, {}})).ok();
    };
    std::vector<int> inputs(descriptors.list().begin() + 1, descriptors.list().end());
    finish(options_.run(*request, caller, descriptors.list().front(), inputs, progress));
  } catch (const std::bad_alloc&) {
    finish({1, "the daemon is out of memory"});
  } catch (const std::exception& exception) {
    finish({1, std::string("the command failed: ") + exception.what()});
  }
}

}  // namespace stela::fsd

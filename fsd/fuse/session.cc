#include "fsd/fuse/session.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "fsd/fuse/adapter.h"
#include "fsd/fuse/notifier.h"

namespace stela::fsd::fuse {
namespace {

constexpr uint32_t kBackgroundMax = 64;
constexpr size_t kWaitingQueueMax = 1024;
// Interrupts the wait of libfuse's loop; its handler does nothing.
constexpr int kWakeSignal = SIGUSR2;

void install_wake_handler() {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  sigaction(kWakeSignal, &action, nullptr);
}

std::string join_options(const MountOptions& options) {
  std::string joined = "default_permissions,subtype=stela,fsname=";
  for (char c : options.source) {
    if (c == ',' || c == '\\') joined.push_back('\\');
    joined.push_back(c);
  }
  if (options.allow_other) joined += ",allow_other";
  if (options.read_only) joined += ",ro";
  for (const std::string& option : options.kernel_options) joined += "," + option;
  return joined;
}

void set(fuse_conn_info* connection, unsigned wanted) { connection->want |= connection->capable & wanted; }

void on_init(void*, fuse_conn_info* connection) {
  set(connection, FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_READDIRPLUS |
                      FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_ASYNC_DIO);
  // Content of a node never changes, so its pages are never to be dropped, whatever times are set on it.
  connection->want &= ~static_cast<unsigned>(FUSE_CAP_AUTO_INVAL_DATA);
  set(connection, FUSE_CAP_EXPLICIT_INVAL_DATA);
  // Requests and replies lie in memory: pipes between would only copy them once more.
  connection->want &= ~static_cast<unsigned>(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE |
                                             FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_HANDLE_KILLPRIV);
  connection->max_background = kBackgroundMax;
  connection->congestion_threshold = kBackgroundMax * 3 / 4;
}

fuse_lowlevel_ops make_operations() {
  fuse_lowlevel_ops operations = {};
  operations.init = on_init;
  add_name_operations(operations);
  add_attribute_operations(operations);
  add_file_operations(operations);
  add_directory_operations(operations);
  return operations;
}

}  // namespace

// What libfuse's callbacks are given: all that they may touch.
struct Session::Wire {
  explicit Wire(const InitWishes& wishes) : init(wishes) {}
  InitExchange init;
  std::unique_ptr<Adapter> adapter;

  static Wire& of(void* userdata) { return *static_cast<Wire*>(userdata); }

  // The plain system calls, but for INIT.
  static ssize_t read(int fd, void* bytes, size_t size, void* userdata) {
    ssize_t count = ::read(fd, bytes, size);
    Wire& wire = of(userdata);
    if (count > 0 && !wire.init.done()) wire.init.request_read(bytes, static_cast<size_t>(count));
    return count;
  }
  static ssize_t writev(int fd, iovec* parts, int count, void* userdata) {
    Wire& wire = of(userdata);
    if (!wire.init.done()) wire.init.reply_about_to_be_written(parts, count);
    return ::writev(fd, parts, count);
  }
  static ssize_t splice(int from, off_t* from_offset, int to, off_t* to_offset, size_t size, unsigned flags, void*) {
    return ::splice(from, from_offset, to, to_offset, size, flags);
  }
};

Adapter& adapter_of(fuse_req_t request) { return Session::adapter(fuse_req_userdata(request)); }

Adapter& Session::adapter(void* wire) { return *Wire::of(wire).adapter; }

Session::Session(const MountOptions& options) : options_(options), wire_(std::make_unique<Wire>(options.wishes)) {}

Result<std::unique_ptr<Session>> Session::mount(const MountOptions& options) {
  std::unique_ptr<Session> session(new Session(options));
  STELA_TRY(session->start());
  return session;
}

Status Session::start() {
  install_wake_handler();
  static const fuse_lowlevel_ops operations = make_operations();
  std::string joined = join_options(options_);
  std::string program = "stela", dash_o = "-o";
  char* words[] = {program.data(), dash_o.data(), joined.data(), nullptr};
  fuse_args args = FUSE_ARGS_INIT(3, words);
  session_ = fuse_session_new(&args, &operations, sizeof(operations), wire_.get());
  fuse_opt_free_args(&args);
  if (session_ == nullptr) return invalid("the mount options are not accepted: " + joined);
  if (fuse_session_mount(session_, options_.mount_point.c_str()) != 0) {
    return Status(Code::kNotPermitted, "cannot mount at " + options_.mount_point +
                                           ": the line before this one says why; /dev/fuse must be there and, "
                                           "without root, the program fusermount3 (package fuse3)");
  }
  mounted_ = true;
  static const fuse_custom_io io = {
      .writev = Wire::writev, .read = Wire::read, .splice_receive = Wire::splice, .splice_send = Wire::splice};
  int error = fuse_session_custom_io(session_, &io, fuse_session_fd(session_));
  if (error != 0) return status_from_errno(-error, "preparing the session of the mount");
  STELA_TRY(answer_init());
  use_grants();
  return {};
}

Status Session::answer_init() {
  fuse_buf buffer = {};
  while (!wire_->init.done()) {
    int count = fuse_session_receive_buf(session_, &buffer);
    if (count == -EINTR) continue;
    if (count <= 0) {
      std::free(buffer.mem);
      return status_from_errno(count < 0 ? -count : ENODEV, "waiting for the kernel's first request");
    }
    fuse_session_process_buf(session_, &buffer);
  }
  std::free(buffer.mem);
  if (fuse_session_exited(session_) != 0) return unsupported("the kernel's FUSE protocol is too old for this program");
  return {};
}

void Session::use_grants() {
  grants_ = wire_->init.grants();
  if (grants_.passthrough) grants_.passthrough = BackingFiles(fuse_session_fd(session_)).probe();
}

void Session::attach(Tree& tree) {
  tree_ = &tree;
  // One thread in four stays free to take requests, however long the others need.
  size_t inline_max = std::max(1u, options_.workers_max - options_.workers_max / 4);
  wire_->adapter = std::make_unique<Adapter>(tree, fuse_session_fd(session_), grants_.passthrough, inline_max,
                                             options_.waiting_threads_max, kWaitingQueueMax);
  notifier_ = std::make_unique<Notifier>(session_);
  tree.set_observer(notifier_.get());
}

Status Session::run() {
  loop_thread_.store(pthread_self());
  fuse_loop_config* config = fuse_loop_cfg_create();
  if (config == nullptr) return Status(Code::kNoMemory, "no memory for the threads of the mount");
  fuse_loop_cfg_set_clone_fd(config, 1);
  fuse_loop_cfg_set_max_threads(config, options_.workers_max);
  fuse_loop_cfg_set_idle_threads(config, options_.workers_max);
  int error = stopping_.load() ? 0 : fuse_session_loop_mt(session_, config);
  fuse_loop_cfg_destroy(config);
  wire_->adapter->pool().drain();
  tree_->set_observer(nullptr);
  finished_.store(true);
  // ENODEV and EINTR are how a detached and a stopped mount end.
  if (error < 0 && error != -ENODEV && error != -EINTR) return status_from_errno(-error, "answering the mount");
  return {};
}

void Session::stop() {
  stopping_.store(true);
  fuse_session_exit(session_);
  // The loop may be about to wait: it is woken until it is seen to have ended.
  while (loop_thread_.load() != 0 && !finished_.load()) {
    pthread_kill(loop_thread_.load(), kWakeSignal);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void Session::unmount() {
  if (!mounted_) return;
  mounted_ = false;
  wire_->adapter.reset();  // closes backing files while the device is still open
  fuse_session_unmount(session_);
}

Session::~Session() {
  if (session_ == nullptr) return;
  unmount();
  fuse_session_destroy(session_);
}

}  // namespace stela::fsd::fuse

#include "fsd/daemon/mount_daemon.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "fsd/daemon/background.h"
#include "fsd/daemon/control_client.h"
#include "fsd/daemon/control_server.h"
#include "fsd/daemon/daemon_log.h"
#include "fsd/daemon/dead_connection.h"
#include "fsd/daemon/kept_errors.h"
#include "fsd/daemon/mount_table.h"
#include "fsd/daemon/shutdown_watch.h"
#include "fsd/daemon/store_folder.h"
#include "fsd/fuse/session.h"

namespace stela::fsd {
namespace {

constexpr uint64_t kReadAheadBytes = 1 << 20;
constexpr int kHousekeepingMs = 30'000;
constexpr auto kShutdownLimit = std::chrono::milliseconds(9500);
constexpr auto kBusyLimit = std::chrono::seconds(5);
constexpr long kOverlayMagic = 0x794c7630;

sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) sigaddset(&set, number);
  return set;
}

void raise_descriptor_limit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

// A daemon that is just ending (its mount is gone already), or a short command, is waited for; others are not.
Result<std::unique_ptr<Store>> open_when_free(const std::string& directory, const StoreOptions& store_options,
                                              const OpenStoreOptions& options) {
  auto limit = std::chrono::steady_clock::now() + kBusyLimit;
  for (;;) {
    Result<std::unique_ptr<Store>> store = open_store_folder(directory, store_options, options);
    if (store.ok() || store.status().code() != Code::kBusy) return store;
    Result<std::vector<MountEntry>> mounts = stela_mounts();
    bool mounted = mounts.ok() && mount_of_store(*mounts, directory).has_value();
    if ((mounted && connect_control(directory).ok()) || std::chrono::steady_clock::now() > limit) return store;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

Status check_places(const MountRequest& request) {
  struct stat attributes;
  if (stat(request.mount_point.c_str(), &attributes) != 0) {
    if (errno == ENOENT) return not_found("the mount point " + request.mount_point + " does not exist; mkdir it first");
    return status_from_errno(errno, "the mount point " + request.mount_point);
  }
  if (!S_ISDIR(attributes.st_mode)) {
    return Status(Code::kNotDirectory, "the mount point " + request.mount_point + " is not a folder");
  }
  STELA_ASSIGN(std::vector<MountEntry> mounts, stela_mounts());
  if (auto mount = mount_at(mounts, request.mount_point)) {
    return Status(Code::kBusy,
                  request.mount_point + " already shows the store " + mount->source + "; unmount it first");
  }
  auto is_within = [](const std::string& inner, const std::string& outer) {
    return inner == outer || inner.starts_with(outer + "/");
  };
  if (is_within(request.mount_point, request.store) || is_within(request.store, request.mount_point)) {
    return invalid("the store " + request.store + " and the mount point " + request.mount_point +
                   " must not lie within each other");
  }
  return {};
}

// Everything between the open store and the end. Members end in the opposite order of their making.
class MountDaemon {
 public:
  explicit MountDaemon(const MountRequest& request)
      : request_(request), settings_(request.configuration.settings()), ended_(eventfd(0, EFD_CLOEXEC)) {}
  ~MountDaemon() { close(ended_); }
  MountDaemon(const MountDaemon&) = delete;
  MountDaemon& operator=(const MountDaemon&) = delete;

  Status start();
  // Until a signal, the verb "stop", or a detached mount.
  void wait(DaemonLog* log);
  Status finish();

 private:
  fuse::MountOptions mount_options() const;
  Status start_tree();
  Status start_control();
  void signal_end() const {
    uint64_t one = 1;
    while (write(ended_, &one, sizeof(one)) < 0 && errno == EINTR) continue;
  }

  const MountRequest& request_;
  const Settings& settings_;
  const int ended_;
  ServiceInfo info_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<fuse::Session> session_;
  std::unique_ptr<Tree> tree_;
  std::unique_ptr<ControlServer> control_;
  std::thread loop_;
  Status loop_status_;
};

Status MountDaemon::start() {
  if (ended_ < 0) return status_from_errno(errno, "making an event descriptor");
  OpenStoreOptions options{.create_if_absent = !settings_.tree.read_only,
                           .holder = "mounted at " + request_.mount_point};
  STELA_ASSIGN(store_, open_when_free(request_.store, settings_.store, options));
  STELA_ASSIGN(session_, fuse::Session::mount(mount_options()));
  STELA_TRY(start_tree());
  loop_ = std::thread([this] {
    loop_status_ = session_->run();
    signal_end();
  });
  STELA_TRY(start_control());
  Result<std::vector<MountEntry>> mounts = stela_mounts();
  if (mounts.ok()) {
    if (auto mount = mount_at(*mounts, request_.mount_point)) set_read_ahead(*mount, kReadAheadBytes);
  }
  return {};
}

fuse::MountOptions MountDaemon::mount_options() const {
  fuse::MountOptions options;
  options.mount_point = request_.mount_point;
  options.source = request_.store;
  options.read_only = settings_.tree.read_only;
  options.allow_other = settings_.service.allow_other;
  options.kernel_options = request_.configuration.kernel_options();
  options.wishes.passthrough = settings_.tree.passthrough;
  options.wishes.kernel_max = settings_.service.kernel_max;
  options.workers_max = settings_.service.workers;
  options.waiting_threads_max = settings_.service.waiting_threads;
  struct statfs filesystem = {};
  if (statfs(request_.store.c_str(), &filesystem) == 0 && filesystem.f_type == kOverlayMagic) {
    options.wishes.stack_depth = 2;
  }
  return options;
}

Status MountDaemon::start_tree() {
  TreeOptions options = settings_.tree;
  options.passthrough = options.passthrough && session_->grants().passthrough;
  options.direct_mmap = session_->grants().direct_mmap;
  options.earlier_errors = load_errors(request_.store);
  options.version = request_.program_version;
  options.config_json = [this] { return request_.configuration.json(); };
  STELA_ASSIGN(tree_, Tree::create(*store_, std::move(options)));
  session_->attach(*tree_);
  return {};
}

Status MountDaemon::start_control() {
  info_ = {.mount_point = request_.mount_point,
           .pid = static_cast<uint64_t>(getpid()),
           .started_ns = store_->env().clock().utc_ns(),
           .passthrough = settings_.tree.passthrough && session_->grants().passthrough,
           .read_only = settings_.tree.read_only};
  ControlServerOptions options;
  options.store_directory = request_.store;
  options.connections_max = settings_.service.control_connections;
  options.stop = [this] { signal_end(); };
  options.run = [this](const VerbRequest& verb, const Caller& caller, int output, const std::vector<int>& inputs,
                       const ProgressFunction& progress) {
    uint64_t commits = store_->counters().commits;
    VerbOutcome done = request_.run_verb({.store = *store_,
                                          .tree = *tree_,
                                          .request = verb,
                                          .caller = caller,
                                          .inputs = inputs,
                                          .output = output,
                                          .progress = progress,
                                          .service = &info_});
    // What the verb committed is seen through the mount at once, whatever names the kernel holds.
    if (store_->counters().commits != commits) tree_->heads_moved();
    return done;
  };
  Result<std::unique_ptr<ControlServer>> server = ControlServer::start(std::move(options));
  if (server.ok()) {
    control_ = std::move(server).value();
    return {};
  }
  // On a read-only medium there is no place for a socket; the mount works without.
  if (!settings_.tree.read_only) return server.status();
  log_line("no control socket: " + server.status().message());
  return {};
}

void MountDaemon::wait(DaemonLog* log) {
  sigset_t set = ending_signals();
  int signals = signalfd(-1, &set, SFD_CLOEXEC);
  pollfd waits[2] = {{ended_, POLLIN, 0}, {signals, POLLIN, 0}};
  for (;;) {
    int ready = poll(waits, 2, kHousekeepingMs);
    if (ready > 0) break;
    if (ready < 0 && errno != EINTR) break;
    if (log != nullptr) log->rotate_if_large();
  }
  if (signals >= 0) close(signals);
}

Status MountDaemon::finish() {
  ShutdownWatch watch(kShutdownLimit, request_.mount_point);
  control_.reset();
  if (tree_) tree_->shut_down();
  if (session_) session_->stop();
  if (loop_.joinable()) loop_.join();
  if (session_) session_->unmount();
  session_.reset();
  if (tree_ && !settings_.tree.read_only) save_errors(request_.store, tree_->recent_errors());
  tree_.reset();
  Status closed = store_ ? store_->close() : Status();
  store_.reset();
  return loop_status_.ok() ? closed : loop_status_;
}

Status serve(const MountRequest& request, Readiness& readiness) {
  sigset_t set = ending_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  MountDaemon daemon(request);
  Status started = daemon.start();
  if (!started.ok()) {
    Status ended = daemon.finish();
    (void)ended.ok();  // why it did not start is what counts
    return started;
  }
  const Settings& settings = request.configuration.settings();
  DaemonLog log(request.store + "/daemon.log", settings.service.log_bytes_max);
  if (readiness.in_background()) {
    STELA_TRY(log.redirect());
    log.rotate_if_large();
  }
  log_line("mounted " + request.store + " at " + request.mount_point);
  readiness.report({});
  daemon.wait(readiness.in_background() ? &log : nullptr);
  Status ended = daemon.finish();
  log_line(ended.ok() ? "unmounted " + request.mount_point : "ended: " + ended.message());
  return ended;
}

}  // namespace

Status run_mount(const MountRequest& request) {
  (void)abort_dead_connection(request.store);
  STELA_TRY(heal_mount_point(request.mount_point));
  STELA_TRY(check_places(request));
  if (request.foreground) {
    Readiness nobody(-1);
    return serve(request, nobody);
  }
  return run_in_background([&](Readiness& readiness) {
    Status status = serve(request, readiness);
    readiness.report(status);
    return status.ok() ? 0 : 1;
  });
}

}  // namespace stela::fsd

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "fsd/cli/client_context.h"
#include "fsd/cli/verbs/verbs.h"
#include "fsd/daemon/control_client.h"
#include "fsd/daemon/dead_connection.h"
#include "fsd/daemon/mount_table.h"

namespace stela::fsd {
namespace {

constexpr int kEndMs = 15'000;

// The daemon's process, to wait for its end. -1: no daemon listens (it is dead, or has ended).
int daemon_process(const std::string& store) {
  Result<std::unique_ptr<ControlConnection>> connection = connect_control(store);
  if (!connection.ok()) return -1;
  ucred credentials = {};
  socklen_t size = sizeof(credentials);
  if (getsockopt((*connection)->fd(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return -1;
  return static_cast<int>(syscall(SYS_pidfd_open, credentials.pid, 0));
}

Status wait_for_end(int process, const std::string& store) {
  if (process < 0) return {};
  pollfd wait{process, POLLIN, 0};
  int ready = 0;
  while ((ready = poll(&wait, 1, kEndMs)) < 0 && errno == EINTR) continue;
  close(process);
  if (ready > 0) return {};
  return Status(Code::kBusy, "the daemon of " + store + " still finishes commits; " + store + "/daemon.log says more");
}

// A mount that this process does not see (another namespace) is ended by its daemon.
Status stop_daemon(const std::string& store) {
  int process = daemon_process(store);
  Result<std::unique_ptr<ControlConnection>> connection = connect_control(store);
  if (!connection.ok()) return not_found(store + " is neither a mount of Stela nor a store that is mounted");
  VerbRequest request;
  request.verb = "stop";
  STELA_ASSIGN(VerbOutcome outcome, call_control(**connection, request, STDOUT_FILENO, {}, {}));
  if (outcome.exit_code != 0) return Status(Code::kIo, outcome.message);
  connection->reset();
  return wait_for_end(process, store);
}

Status unmount(const VerbRequest& request) {
  STELA_ASSIGN(std::string path, absolute_path(request.args[0]));
  STELA_ASSIGN(std::vector<MountEntry> mounts, stela_mounts());
  std::optional<MountEntry> mount = mount_at(mounts, path);
  if (!mount) mount = mount_of_store(mounts, path);
  if (!mount) return stop_daemon(path);
  (void)abort_dead_connection(mount->source);
  int process = daemon_process(mount->source);
  // Nobody answers for a dead daemon's mount, so nothing on it is worth keeping.
  Status detached = detach_mount(mount->mount_point, request.has("lazy") || process < 0);
  if (!detached.ok()) {
    if (process >= 0) close(process);
    return detached;
  }
  if (request.has("lazy")) {
    if (process >= 0) close(process);
    return {};
  }
  return wait_for_end(process, mount->source);
}

VerbOutcome client(ClientContext& context) { return VerbOutcome::from(unmount(context.request())); }

}  // namespace

const VerbSpec& umount_verb() {
  static const VerbSpec spec = {
      .name = "umount",
      .usage = "MNT|STORE",
      .summary = "unmount, and wait until the store is closed",
      .description =
          "Unmounts and returns when the daemon has finished its commits and closed the store. Refused while\n"
          "files on the mount are open.",
      .options = {{"lazy", 'z', OptionSpec::Kind::kSwitch, "", "detach now, also while files are open; do not wait"}},
      .args_min = 1,
      .args_max = 1,
      .client = client,
      .takes_store = false};
  return spec;
}

}  // namespace stela::fsd

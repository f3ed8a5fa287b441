#include "fsd/cli/client_context.h"
#include "fsd/cli/verbs/verbs.h"
#include "fsd/daemon/mount_daemon.h"
#include "fsd/daemon/mount_table.h"

namespace stela::fsd {
namespace {

Status mount_store(const VerbRequest& request) {
  MountRequest mount;
  STELA_ASSIGN(mount.store, absolute_path(request.args[0]));
  STELA_ASSIGN(mount.mount_point, absolute_path(request.args[1]));
  STELA_ASSIGN(mount.configuration, Configuration::load(mount.store));
  for (const std::string& options : request.values("options")) STELA_TRY(mount.configuration.apply_options(options));
  mount.foreground = request.has("foreground");
  mount.program_version = program_version();
  mount.run_verb = run_verb;
  return run_mount(mount);
}

VerbOutcome client(ClientContext& context) { return VerbOutcome::from(mount_store(context.request())); }

}  // namespace

const VerbSpec& mount_verb() {
  static const VerbSpec spec = {
      .name = "mount",
      .usage = "STORE MNT",
      .summary = "mount a store; creates it when absent",
      .description =
          "Mounts the store at the folder MNT and returns when it is ready; a daemon serves it until\n"
          "'stela umount', umount(8), SIGTERM or SIGINT. A mount that a dead daemon left at MNT is taken away first.\n"
          "The daemon's messages are in STORE/daemon.log.",
      .options = {{"foreground", 'f', OptionSpec::Kind::kSwitch, "", "stay in the foreground, messages to stderr"},
                  {"options", 'o', OptionSpec::Kind::kValues, "KEY[=VALUE],...",
                   "settings, as in STORE/stela.conf, and words of mount(8)"}},
      .args_min = 2,
      .args_max = 2,
      .client = client,
      .takes_store = false};
  return spec;
}

}  // namespace stela::fsd

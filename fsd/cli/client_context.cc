#include "fsd/cli/client_context.h"

#include <unistd.h>

#include <chrono>
#include <thread>

#include "fsd/cli/progress_line.h"
#include "fsd/daemon/mount_table.h"

namespace stela::fsd {
namespace {

constexpr auto kEndingLimit = std::chrono::seconds(12);  // longer than a daemon takes to end

}  // namespace

Result<Channel*> ClientContext::channel() {
  if (!channel_) {
    STELA_ASSIGN(channel_,
                 open_channel({.store = store_, .verb = spec_.name, .create_if_absent = spec_.creates_store}));
  }
  return channel_.get();
}

VerbOutcome ClientContext::call(const VerbRequest& request, int output, const std::vector<int>& inputs,
                                bool shows_progress) {
  ProgressLine line(shows_progress && isatty(STDOUT_FILENO) != 0 && isatty(STDERR_FILENO) != 0);
  auto limit = std::chrono::steady_clock::now() + kEndingLimit;
  for (;;) {
    Result<Channel*> opened = channel();
    if (!opened.ok()) return VerbOutcome::from(opened.status());
    Result<VerbOutcome> outcome =
        (*opened)->call(request, output, inputs, [&](const VerbProgress& progress) { return line.show(progress); });
    if (outcome.ok()) return *outcome;
    if (outcome.status().code() != Code::kBusy || std::chrono::steady_clock::now() > limit) {
      return VerbOutcome::from(outcome.status());
    }
    // The daemon is just ending: soon the store is free to be opened here.
    channel_.reset();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

VerbOutcome ClientContext::finish(VerbOutcome outcome) {
  if (!channel_) return outcome;
  Status closed = channel_->close();
  channel_.reset();
  if (outcome.exit_code == 0 && !closed.ok()) return VerbOutcome::from(closed);
  return outcome;
}

Result<Location> resolve_location(const std::vector<std::string>& words, bool takes_path) {
  STELA_ASSIGN(std::string first, absolute_path(words.front()));
  Location location{first, {words.begin() + 1, words.end()}};
  Result<std::vector<MountEntry>> mounts = stela_mounts();
  std::optional<MountEntry> mount = mounts.ok() ? mount_containing(*mounts, first) : std::nullopt;
  if (mount) {
    location.store = mount->source;
    std::string inside = first.substr(mount->mount_point == "/" ? 0 : mount->mount_point.size());
    if (!inside.empty()) location.rest.insert(location.rest.begin(), inside);
  }
  if (takes_path && !location.rest.empty() && !location.rest.front().starts_with('/')) {
    location.rest.front().insert(0, "/");
  }
  return location;
}

}  // namespace stela::fsd

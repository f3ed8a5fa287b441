// The life of a mounted store: open, mount, serve, stop.
#pragma once

#include <string>
#include <vector>

#include "engine/base/status.h"
#include "fsd/daemon/configuration.h"
#include "fsd/daemon/verb.h"

namespace stela::fsd {

struct MountRequest {
  std::string store;        // absolute
  std::string mount_point;  // absolute
  bool foreground = false;
  Configuration configuration;
  std::string program_version;
  VerbRunner run_verb;  // commands that arrive on the control socket
};

// Background: returns when the mount is ready, or why it is not. Foreground: returns when it has ended.
Status run_mount(const MountRequest& request);

}  // namespace stela::fsd

// A command's end of the control socket.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "fsd/daemon/control_message.h"
#include "fsd/daemon/verb.h"

namespace stela::fsd {

// kNotFound: no daemon listens there.
Result<std::unique_ptr<ControlConnection>> connect_control(const std::string& store_directory);

// Runs `request` in the daemon. A status only when the daemon went away: kBusy when it had not begun, so that
// the command may be given again; kIo when it may have done it.
Result<VerbOutcome> call_control(ControlConnection& connection, const VerbRequest& request, int output,
                                 const std::vector<int>& inputs, const ProgressFunction& progress);

}  // namespace stela::fsd

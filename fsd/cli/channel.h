// How a command reaches its store: in this process when nobody holds it, else through the daemon's control
// socket. The caller sees no difference.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fsd/daemon/verb.h"

namespace stela::fsd {

class Channel {
 public:
  virtual ~Channel() = default;
  // `output` and `inputs` stay the caller's. kBusy: nothing was done, because the daemon is ending; the
  // channel is of no more use, a new one may be.
  virtual Result<VerbOutcome> call(const VerbRequest& request, int output, const std::vector<int>& inputs,
                                   const ProgressFunction& progress) = 0;
  // What could only be found at the end of everything (closing a store opened here).
  virtual Status close() { return {}; }
};

struct ChannelOptions {
  std::string store;  // absolute
  std::string verb;   // said in the lease while it is held here
  bool create_if_absent = false;
};

// kBusy: held by a process that does not listen; the sentence says who.
Result<std::unique_ptr<Channel>> open_channel(const ChannelOptions& options);

}  // namespace stela::fsd

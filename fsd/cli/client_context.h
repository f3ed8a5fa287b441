// What a verb has at hand in the caller's process.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fsd/cli/channel.h"
#include "fsd/cli/verb_spec.h"

namespace stela::fsd {

class ClientContext {
 public:
  // `request.args` are the words after STORE; for verbs without a store all words.
  ClientContext(const VerbSpec& spec, std::string store, VerbRequest request)
      : spec_(spec), store_(std::move(store)), request_(std::move(request)) {}

  const VerbRequest& request() const { return request_; }
  const std::string& store() const { return store_; }
  // Opened at the first call.
  Result<Channel*> channel();
  // The channel's call, with a progress line when `shows_progress` and stdout is a terminal.
  VerbOutcome call(const VerbRequest& request, int output, const std::vector<int>& inputs, bool shows_progress);
  // Closes what was opened here; its error when `outcome` has none.
  VerbOutcome finish(VerbOutcome outcome);

 private:
  const VerbSpec& spec_;
  const std::string store_;
  const VerbRequest request_;
  std::unique_ptr<Channel> channel_;
};

// A path of this machine as given, relative to the working folder.
struct Location {
  std::string store;              // absolute
  std::vector<std::string> rest;  // what follows, paths of the store beginning with '/'
};
// The first word is a store, or a path on a mount of one, which stands for STORE and /PATH.
Result<Location> resolve_location(const std::vector<std::string>& words, bool takes_path);

}  // namespace stela::fsd

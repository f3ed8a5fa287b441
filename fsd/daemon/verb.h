// A command of the program as data, so that it runs in the caller's process or in the daemon that holds the
// store, by the same code.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/store/store.h"
#include "fsd/tree/tree.h"

namespace stela::fsd {

struct VerbRequest {
  std::string verb;
  std::vector<std::string> args;  // after STORE
  std::map<std::string, std::vector<std::string>, std::less<>> options;
  std::vector<std::string> input_names;  // of the descriptors that come with it

  bool has(std::string_view option) const { return options.find(option) != options.end(); }
  // The last value given, or "".
  std::string value(std::string_view option) const;
  std::vector<std::string> values(std::string_view option) const;
};

// What a verb came to: an exit code, and for a failure the sentence for stderr.
struct VerbOutcome {
  int exit_code = 0;
  std::string message;
  static VerbOutcome from(const Status& status) {
    return status.ok() ? VerbOutcome{} : VerbOutcome{1, status.message()};
  }
};

struct VerbProgress {
  std::string what;    // "importing day.csv"
  uint64_t done = 0;   // bytes
  uint64_t total = 0;  // bytes; 0: unknown
  uint64_t rows = 0;
};
// False: the verb is no longer wanted.
using ProgressFunction = std::function<bool(const VerbProgress&)>;

// The daemon a verb runs in.
struct ServiceInfo {
  std::string mount_point;
  uint64_t pid = 0;
  int64_t started_ns = 0;
  bool passthrough = false;
  bool read_only = false;
};

struct VerbContext {
  Store& store;
  Tree& tree;
  const VerbRequest& request;
  Caller caller;
  std::vector<int> inputs;  // descriptors, owned by whoever runs the verb
  int output = -1;
  ProgressFunction progress;
  const ServiceInfo* service = nullptr;  // null: no daemon
};

using VerbRunner = std::function<VerbOutcome(const VerbContext&)>;

// "root (0)", for commits.
std::string author_of(const Caller& caller);

}  // namespace stela::fsd

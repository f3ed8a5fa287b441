// The general commit: a function that validates against the newest state and says what becomes true.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "engine/base/ids.h"
#include "engine/base/status.h"
#include "engine/store/options.h"

namespace stela {

// Handed to a CommitFunction by the leader of a group, one function at a time, in commit order. It reads
// the newest state including the commits before it in the same group. Nothing it does is visible before
// the group is durable; if the function returns an error, nothing of it remains.
class CommitBuilder {
 public:
  virtual ~CommitBuilder() = default;
  virtual Sequence sequence() const = 0;  // of this commit
  virtual int64_t time_ns() const = 0;
  virtual Status get(std::string_view key, std::string* value, Sequence* birth = nullptr) const = 0;
  virtual Status scan(
      std::string_view prefix, std::string_view after,
      const std::function<bool(std::string_view key, std::string_view value, Sequence birth)>& visit) const = 0;
  // An entry born with this commit.
  virtual void put(std::string_view key, std::string_view value) = 0;
};

// Must not block, do I/O or call the store.
using CommitFunction = std::function<Status(CommitBuilder&)>;

struct CommitResult {
  Sequence sequence;
  int64_t time_ns = 0;
};

}  // namespace stela

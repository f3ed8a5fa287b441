// FreshNames: names whose next lookups by one thread give a node of their own, because an open by that thread
// asked for one (FUSE.md, "Modes of one inode").
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "engine/io/env.h"
#include "fsd/tree/tree.h"

namespace stela::fsd {

// Thread-safe; bounded. The window is long, since it is the asking thread's alone: a busy machine may take its
// time between the refused open and the lookups that follow.
class FreshNames {
 public:
  static constexpr int64_t kWindowNs = 1'000'000'000;
  static constexpr size_t kNamesMax = 4096;

  explicit FreshNames(Clock& clock) : clock_(clock) {}
  void ask(const std::string& place, const Caller& caller);
  bool wanted(const std::string& place, const Caller& caller);
  // The thread's open has its node: what it looks up next is the name again.
  void settle(const std::string& place, const Caller& caller);

 private:
  Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<std::string, int64_t> until_ns_;  // by place and thread
};

}  // namespace stela::fsd

// FreshNames: names whose lookups give a node of their own for a moment, because an open asked for one
// (FUSE.md, "Modes of one inode").
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "engine/io/env.h"

namespace stela::fsd {

// Thread-safe; bounded.
class FreshNames {
 public:
  static constexpr int64_t kWindowNs = 100'000'000;
  static constexpr size_t kNamesMax = 4096;

  explicit FreshNames(Clock& clock) : clock_(clock) {}
  void ask(const std::string& place);
  bool wanted(const std::string& place);

 private:
  Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<std::string, int64_t> until_ns_;
};

}  // namespace stela::fsd

// DroppedTypes: what a column was that a program removed to make it anew (tar does, of what is in its way): numpy cannot
// say time zones and times of day, so a .npy that comes back from the same program has them from here.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "engine/io/env.h"
#include "engine/types/data_type.h"

namespace stela::fsd {

// Columns by place_of(), processes by thread group. Thread-safe; bounded.
class DroppedTypes {
 public:
  static constexpr int64_t kKeptNs = 60'000'000'000;
  static constexpr size_t kColumnsMax = 4096;

  explicit DroppedTypes(Clock& clock) : clock_(clock) {}

  void put(const std::string& place, uint32_t process, const DataType& type) {
    std::lock_guard lock(mutex_);
    int64_t now = clock_.monotonic_ns();
    if (dropped_.size() >= kColumnsMax) {
      std::erase_if(dropped_, [now](const auto& kept) { return kept.second.until_ns < now; });
      if (dropped_.size() >= kColumnsMax) dropped_.clear();
    }
    dropped_[place] = {process, type, now + kKeptNs};
  }
  std::optional<DataType> find(const std::string& place, uint32_t process) {
    std::lock_guard lock(mutex_);
    auto found = dropped_.find(place);
    if (found == dropped_.end() || found->second.process != process) return std::nullopt;
    if (found->second.until_ns < clock_.monotonic_ns()) return std::nullopt;
    return found->second.type;
  }

 private:
  struct Dropped {
    uint32_t process = 0;
    DataType type;
    int64_t until_ns = 0;
  };

  Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<std::string, Dropped> dropped_;
};

}  // namespace stela::fsd

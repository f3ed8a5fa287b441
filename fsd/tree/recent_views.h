// RecentViews: text and table views that were opened or sized lately. What one of them found out (where its lines
// begin) serves the next: stat, then cat, then tail -c.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "fsd/views/view.h"

namespace stela::fsd {

// Thread-safe. Each holds some MiB, so they are few.
class RecentViews {
 public:
  static constexpr size_t kViewsMax = 8;

  // The view of that content, made by `make` if none is held.
  template <typename Make>
  Result<std::shared_ptr<View>> find_or_make(const std::string& identity, Make&& make) {
    {
      std::lock_guard lock(mutex_);
      for (auto held = views_.begin(); held != views_.end(); ++held) {
        if (held->first != identity) continue;
        views_.splice(views_.begin(), views_, held);
        return held->second;
      }
    }
    STELA_ASSIGN(std::unique_ptr<View> made, make());
    std::shared_ptr<View> view = std::move(made);
    std::shared_ptr<View> dropped;  // destroyed after the lock is gone
    std::lock_guard lock(mutex_);
    views_.emplace_front(identity, view);
    if (views_.size() > kViewsMax) {
      dropped = std::move(views_.back().second);
      views_.pop_back();
    }
    return view;
  }

 private:
  std::mutex mutex_;
  std::list<std::pair<std::string, std::shared_ptr<View>>> views_;  // most recently used first
};

}  // namespace stela::fsd

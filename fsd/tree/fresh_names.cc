#include "fsd/tree/fresh_names.h"

namespace stela::fsd {

void FreshNames::ask(const std::string& place) {
  int64_t now = clock_.monotonic_ns();
  std::lock_guard lock(mutex_);
  if (until_ns_.size() >= kNamesMax) {
    std::erase_if(until_ns_, [now](const auto& name) { return name.second < now; });
    if (until_ns_.size() >= kNamesMax) until_ns_.clear();
  }
  until_ns_[place] = now + kWindowNs;
}

bool FreshNames::wanted(const std::string& place) {
  std::lock_guard lock(mutex_);
  auto found = until_ns_.find(place);
  if (found == until_ns_.end()) return false;
  if (found->second >= clock_.monotonic_ns()) return true;
  until_ns_.erase(found);
  return false;
}

}  // namespace stela::fsd

#include "fsd/tree/fresh_names.h"

namespace stela::fsd {

namespace {
std::string name_of(const std::string& place, const Caller& caller) {
  return place + '\n' + std::to_string(caller.pid);
}
}  // namespace

void FreshNames::ask(const std::string& place, const Caller& caller) {
  int64_t now = clock_.monotonic_ns();
  std::lock_guard lock(mutex_);
  if (until_ns_.size() >= kNamesMax) {
    std::erase_if(until_ns_, [now](const auto& name) { return name.second < now; });
    if (until_ns_.size() >= kNamesMax) until_ns_.clear();
  }
  until_ns_[name_of(place, caller)] = now + kWindowNs;
}

bool FreshNames::wanted(const std::string& place, const Caller& caller) {
  std::lock_guard lock(mutex_);
  auto found = until_ns_.find(name_of(place, caller));
  if (found == until_ns_.end()) return false;
  if (found->second >= clock_.monotonic_ns()) return true;
  until_ns_.erase(found);
  return false;
}

void FreshNames::settle(const std::string& place, const Caller& caller) {
  std::lock_guard lock(mutex_);
  until_ns_.erase(name_of(place, caller));
}

}  // namespace stela::fsd

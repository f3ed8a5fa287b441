#include "fsd/tree/side_files.h"

namespace stela::fsd {

namespace {
constexpr int kEvictionsTried = 16;
}

SideFileRef SideFiles::find(const std::string& place) {
  SideFileRef ended;
  std::lock_guard lock(mutex_);
  auto found = files_.find(place);
  if (found == files_.end()) return nullptr;
  if (found->second.until_ns >= clock_.monotonic_ns()) return found->second.file;
  ended = erase_locked(place);
  return nullptr;
}

SideFileRef SideFiles::erase_locked(const std::string& place) {
  auto found = files_.find(place);
  if (found == files_.end()) return nullptr;
  SideFileRef file = std::move(found->second.file);
  order_.erase(found->second.order);
  files_.erase(found);
  return file;
}

void SideFiles::put(const std::string& place, SideFileRef file, int64_t keep_ns) {
  std::vector<SideFileRef> dropped;  // destroyed after the lock is gone
  int64_t now = clock_.monotonic_ns();
  std::lock_guard lock(mutex_);
  dropped.push_back(erase_locked(place));
  order_.push_back(place);
  int64_t until = keep_ns > INT64_MAX - now ? INT64_MAX : now + keep_ns;
  files_[place] = Slot{std::move(file), until, std::prev(order_.end())};
  // Those that must stay, drafts that are open, go behind the others: thousands of them are not asked each time.
  for (int tried = 0; files_.size() > files_max_ && tried < kEvictionsTried; ++tried) {
    const std::string candidate = order_.front();
    Slot& slot = files_.at(candidate);
    if (candidate != place && (slot.until_ns < now || slot.file->evictable())) {
      dropped.push_back(erase_locked(candidate));
    } else {
      order_.splice(order_.end(), order_, slot.order);
    }
  }
}

SideFileRef SideFiles::remove(const std::string& place) {
  std::lock_guard lock(mutex_);
  return erase_locked(place);
}

void SideFiles::remove_if(const std::string& place, const Node* file) {
  SideFileRef removed;
  std::lock_guard lock(mutex_);
  auto found = files_.find(place);
  if (found != files_.end() && found->second.file.get() == file) removed = erase_locked(place);
}

size_t SideFiles::size() const {
  std::lock_guard lock(mutex_);
  return files_.size();
}

}  // namespace stela::fsd

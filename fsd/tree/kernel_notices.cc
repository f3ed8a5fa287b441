#include "fsd/tree/kernel_notices.h"

#include <chrono>

namespace stela::fsd {

KernelNotices::KernelNotices(Clock& clock, int64_t timeout_ns, std::function<void()> idle)
    : clock_(clock), timeout_ns_(idle ? timeout_ns : 0), idle_(std::move(idle)) {
  if (idle_) thread_ = std::thread([this] { run(); });
}

KernelNotices::~KernelNotices() { stop(); }

void KernelNotices::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void KernelNotices::set_observer(TreeObserver* observer) {
  std::lock_guard lock(mutex_);
  observer_ = observer;
}

int64_t KernelNotices::grant(NodeId dataset, uint64_t parent, std::string_view name) {
  int64_t now = clock_.monotonic_ns();
  std::lock_guard lock(mutex_);
  if (timeout_ns_ <= 0 || stopping_) return 0;
  Names& names = granted_[dataset.value];
  if (names.until_ns < now) names.parent_of.clear();
  if (names.parent_of.size() >= kNamesMax && !names.parent_of.contains(std::string(name))) return 0;
  names.parent_of[std::string(name)] = parent;
  names.until_ns = now + timeout_ns_;
  return timeout_ns_;
}

void KernelNotices::head_moved(NodeId dataset) {
  std::lock_guard lock(mutex_);
  auto found = granted_.find(dataset.value);
  if (found == granted_.end()) return;
  for (auto& [name, parent] : found->second.parent_of) {
    queue_.push_back({parent, name, true});
    queued_++;
  }
  granted_.erase(found);
  wake_.notify_all();
}

void KernelNotices::entry_changed(uint64_t parent, std::string name) {
  if (!idle_) return;
  std::lock_guard lock(mutex_);
  queue_.push_back({parent, std::move(name), true});
  queued_++;
  wake_.notify_all();
}

void KernelNotices::attributes_changed(uint64_t node) {
  if (node == 0 || !idle_) return;
  std::lock_guard lock(mutex_);
  queue_.push_back({node, {}, false});
  queued_++;
  wake_.notify_all();
}

void KernelNotices::drain(int64_t wait_ns) {
  std::unique_lock lock(mutex_);
  uint64_t upto = queued_;
  if (observer_ == nullptr) return;
  said_.wait_for(lock, std::chrono::nanoseconds(wait_ns), [&] { return told_ >= upto || stopping_; });
}

std::vector<NodeId> KernelNotices::watched() {
  int64_t now = clock_.monotonic_ns();
  std::lock_guard lock(mutex_);
  std::erase_if(granted_, [now](const auto& item) { return item.second.until_ns < now; });
  std::vector<NodeId> datasets;
  for (const auto& [dataset, names] : granted_) datasets.push_back(NodeId(dataset));
  return datasets;
}

void KernelNotices::run() {
  std::unique_lock lock(mutex_);
  auto next_idle = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  while (!stopping_) {
    wake_.wait_until(lock, next_idle, [&] { return stopping_ || !queue_.empty(); });
    while (!queue_.empty() && !stopping_) {
      Notice notice = std::move(queue_.front());
      queue_.pop_front();
      TreeObserver* observer = observer_;
      lock.unlock();
      if (observer != nullptr && notice.entry) observer->entry_changed(notice.node, notice.name);
      if (observer != nullptr && !notice.entry) observer->attributes_changed(notice.node);
      lock.lock();
      told_++;
      said_.notify_all();
    }
    if (std::chrono::steady_clock::now() < next_idle && !stopping_) continue;
    lock.unlock();
    idle_();
    lock.lock();
    next_idle = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  }
  lock.unlock();
  idle_();
  said_.notify_all();
}

}  // namespace stela::fsd

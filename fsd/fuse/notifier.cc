#include "fsd/fuse/notifier.h"

#include <utility>

#include "fsd/fuse/libfuse.h"

namespace stela::fsd::fuse {

Notifier::Notifier(fuse_session* session) : session_(session), thread_([this] { run(); }) {}

void Notifier::entry_changed(uint64_t parent_node, const std::string& name) { push({parent_node, name}); }

void Notifier::attributes_changed(uint64_t node) { push({node, {}}); }

void Notifier::push(Change change) {
  std::lock_guard lock(mutex_);
  if (stopping_) return;
  if (queue_.size() == kQueuedMax) queue_.pop_front();
  queue_.push_back(std::move(change));
  wake_.notify_one();
}

void Notifier::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    Change change = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    // ENOENT only says that the kernel had nothing to forget. The negative offset leaves pages alone.
    if (change.name.empty()) {
      (void)fuse_lowlevel_notify_inval_inode(session_, change.node, -1, 0);
    } else {
      (void)fuse_lowlevel_notify_inval_entry(session_, change.node, change.name.data(), change.name.size());
    }
    lock.lock();
  }
}

void Notifier::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    queue_.clear();
    wake_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace stela::fsd::fuse

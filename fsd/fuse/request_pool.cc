#include "fsd/fuse/request_pool.h"

#include <system_error>
#include <utility>

namespace stela::fsd::fuse {

bool RequestPool::start_thread_if_needed() {
  if (idle_ > queue_.size() || threads_.size() == threads_max_) return !threads_.empty();
  try {
    threads_.emplace_back([this] { work(); });
  } catch (const std::system_error&) {
    return !threads_.empty();
  }
  return true;
}

void RequestPool::submit(std::function<void()> task) {
  {
    std::lock_guard lock(mutex_);
    if (!draining_ && queue_.size() < queue_max_ && start_thread_if_needed()) {
      queue_.push_back(std::move(task));
      wake_.notify_one();
      return;
    }
  }
  task();
}

void RequestPool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    wake_.wait(lock, [this] { return draining_ || !queue_.empty(); });
    --idle_;
    if (queue_.empty()) return;
    std::function<void()> task = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
}

void RequestPool::drain() {
  std::vector<std::thread> threads;
  {
    std::lock_guard lock(mutex_);
    draining_ = true;
    threads.swap(threads_);
    wake_.notify_all();
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace stela::fsd::fuse

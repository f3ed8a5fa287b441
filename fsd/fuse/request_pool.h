// Threads for requests that may wait (commits, syncs, cold files), so that those that read /dev/fuse never do.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace stela::fsd::fuse {

// Tasks start in the order of submission. Thread-safe.
class RequestPool {
 public:
  // Threads are started when they are needed, up to `threads_max`; at most `queue_max` tasks wait.
  RequestPool(size_t threads_max, size_t queue_max) : threads_max_(threads_max), queue_max_(queue_max) {}
  ~RequestPool() { drain(); }
  RequestPool(const RequestPool&) = delete;
  RequestPool& operator=(const RequestPool&) = delete;

  // Runs `task` on a thread of the pool; on the caller's own when the queue is full, no thread can be
  // started, or the pool is drained: a task is never lost.
  void submit(std::function<void()> task);
  // Finishes what was submitted and ends the threads.
  void drain();

 private:
  void work();
  bool start_thread_if_needed();  // under mutex_

  const size_t threads_max_;
  const size_t queue_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
  bool draining_ = false;
};

}  // namespace stela::fsd::fuse

// OrderedWork: pieces of work on several threads, each followed by a part that runs in the order in which they were
// given.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/base/status.h"

namespace stela {

// Used by one thread, which works too while it waits. Threads are made when there is work for them. What `work` refers
// to must live until its `land` was called, or this is destroyed, which waits for what is running and drops the rest.
class OrderedWork {
 public:
  // At most that many pieces are given and not landed. `threads` counts the caller's: with one, all is done at once.
  OrderedWork(unsigned threads, size_t pieces_max);
  ~OrderedWork();
  OrderedWork(const OrderedWork&) = delete;
  OrderedWork& operator=(const OrderedWork&) = delete;

  // `work` on any thread, then `land` on the caller's, in this call or a later one; not if `work` failed. An error is
  // that of any piece, after which nothing more is to be given. What `work` throws is thrown here.
  Status add(std::function<Status()> work, std::function<Status()> land);
  // The same for work that is not worth another thread.
  Status add_small(const std::function<Status()>& work, std::function<Status()> land);
  // Lands everything.
  Status finish();
  // After an error: waits for what is running and drops the rest.
  void drop();

 private:
  enum class State : uint8_t { kWaiting, kRunning, kDone };
  struct Piece {
    std::function<Status()> work;
    std::function<Status()> land;
    State state = State::kWaiting;
    Status status;
    std::exception_ptr thrown;
  };

  Status land_front();
  Status land_down_to(size_t pieces);
  void add_worker();
  Piece* take_waiting();
  void run(Piece& piece);
  void serve();

  const unsigned threads_;
  const size_t pieces_max_;
  std::deque<std::unique_ptr<Piece>> pieces_;  // changed by the caller's thread, under the mutex
  std::mutex mutex_;                           // of the pieces' states; nothing is called under it
  std::condition_variable given_, done_;
  bool ending_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace stela

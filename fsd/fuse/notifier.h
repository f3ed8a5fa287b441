// Tells the kernel which names and attributes changed. A notification may wait for a directory's lock that a
// request still being answered holds, so it has a thread of its own that holds no lock and handles no request.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "fsd/tree/tree.h"

struct fuse_session;

namespace stela::fsd::fuse {

class Notifier : public TreeObserver {
 public:
  explicit Notifier(fuse_session* session);
  ~Notifier() override { stop(); }
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  void entry_changed(uint64_t parent_node, const std::string& name) override;
  void attributes_changed(uint64_t node) override;
  // Drops what is still queued and ends the thread. The session must be answering requests, or gone.
  void stop();

 private:
  // Beyond this many the oldest is dropped: what changes has short timeouts as well.
  static constexpr size_t kQueuedMax = 65536;
  struct Change {
    uint64_t node = 0;
    std::string name;  // "": attributes of `node`, else the entry below it
  };
  void push(Change change);
  void run();

  fuse_session* const session_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Change> queue_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace stela::fsd::fuse

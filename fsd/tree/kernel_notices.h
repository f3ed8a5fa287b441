// KernelNotices: which names of a dataset's head the kernel may have cached, and the thread that tells it
// when a commit made them old.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "engine/io/env.h"
#include "fsd/tree/tree.h"

namespace stela::fsd {

// Thread-safe. The observer is called from its own thread, which holds no lock.
class KernelNotices {
 public:
  // A dataset with more cached names than this grants no more: a commit stays cheap.
  static constexpr size_t kNamesMax = 1024;

  // `idle` is called from the thread about once a second, and at the end. Without it there is no thread and nothing is
  // said: of names that nobody may keep.
  KernelNotices(Clock& clock, int64_t timeout_ns, std::function<void()> idle);
  ~KernelNotices();
  KernelNotices(const KernelNotices&) = delete;
  KernelNotices& operator=(const KernelNotices&) = delete;

  void set_observer(TreeObserver* observer);
  // How long the kernel may keep this name of the head.
  int64_t grant(NodeId dataset, uint64_t parent, std::string_view name);
  // The dataset has a new version: every name granted is announced as changed.
  void head_moved(NodeId dataset);
  void entry_changed(uint64_t parent, std::string name);
  void attributes_changed(uint64_t node);
  // Until everything announced so far has been said, at most `wait_ns`.
  void drain(int64_t wait_ns);
  // Datasets with names granted that may still be cached.
  std::vector<NodeId> watched();
  // Last call of `idle`, then the thread ends. Later calls do nothing.
  void stop();

 private:
  struct Notice {
    uint64_t node = 0;
    std::string name;  // empty: attributes of `node`
    bool entry = false;
  };
  void run();

  Clock& clock_;
  const int64_t timeout_ns_;
  const std::function<void()> idle_;
  std::mutex mutex_;
  std::condition_variable wake_, said_;
  TreeObserver* observer_ = nullptr;
  bool stopping_ = false;
  uint64_t queued_ = 0, told_ = 0;
  std::deque<Notice> queue_;
  struct Names {
    std::unordered_map<std::string, uint64_t> parent_of;
    int64_t until_ns = 0;
  };
  std::unordered_map<uint64_t, Names> granted_;  // by dataset
  std::thread thread_;
};

}  // namespace stela::fsd

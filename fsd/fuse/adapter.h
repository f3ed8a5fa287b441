// What a callback of libfuse has at hand: the tree, the pool for requests that may wait, registered backing
// files. Callbacks hold no logic: each turns its arguments into one call of Tree and the result into a reply;
// answer() below is the one boundary where a Status becomes an errno and an exception ENOMEM or EIO.
#pragma once

#include <atomic>
#include <exception>
#include <mutex>
#include <new>
#include <unordered_map>
#include <utility>

#include "fsd/fuse/backing_files.h"
#include "fsd/fuse/libfuse.h"
#include "fsd/fuse/reply.h"
#include "fsd/fuse/request_pool.h"
#include "fsd/tree/tree.h"

namespace stela::fsd::fuse {

// How an error of a request is worded for the kernel.
enum class ErrorRule : uint8_t {
  kPlain,
  kPath,   // rename, unlink, mkdir, ...: a lost race is EBUSY, because the kernel repeats them after ESTALE
  kXattr,  // no such attribute is ENODATA
};

// Thread-safe.
class Adapter {
 public:
  // Inline requests beyond `inline_max` at a time go to the pool, so that some thread always reads the device.
  Adapter(Tree& tree, int device, bool passthrough, size_t inline_max, size_t pool_threads, size_t pool_queue)
      : tree_(tree),
        passthrough_(passthrough),
        inline_max_(inline_max),
        backing_files_(device),
        pool_(pool_threads, pool_queue) {}

  Tree& tree() { return tree_; }
  RequestPool& pool() { return pool_; }

  // Registers the file of a passthrough open. 0: the daemon serves it.
  int32_t register_backing(const OpenReply& open);
  // Before the handle is released.
  void unregister_backing(uint64_t handle);

  // One of the few inline places, or false when none is left.
  bool enter_inline() {
    if (inline_busy_.fetch_add(1, std::memory_order_relaxed) < inline_max_) return true;
    leave_inline();
    return false;
  }
  void leave_inline() { inline_busy_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  Tree& tree_;
  const bool passthrough_;
  const size_t inline_max_;
  std::atomic<size_t> inline_busy_{0};
  BackingFiles backing_files_;
  std::mutex handles_mutex_;
  std::unordered_map<uint64_t, uint64_t> key_of_handle_;  // passthrough handles only
  RequestPool pool_;                                      // last: its tasks use all of the above
};

Adapter& adapter_of(fuse_req_t request);
int errno_for(const Status& status, ErrorRule rule);
// A failure of this program itself, told in the daemon's log.
void log_exception(const char* what) noexcept;

// Runs `body(adapter, caller)`, which replies when it succeeds; answers with the errno when it does not.
template <typename Body>
void answer(fuse_req_t request, ErrorRule rule, Body&& body) {
  int error = 0;
  try {
    Status status = body(adapter_of(request), to_caller(*fuse_req_ctx(request)));
    if (status.ok()) return;
    error = errno_for(status, rule);
  } catch (const std::bad_alloc&) {
    error = ENOMEM;
  } catch (const std::exception& exception) {
    log_exception(exception.what());
    error = EIO;
  }
  fuse_reply_err(request, error);
}

// The same on a thread that may wait. `body` owns what it needs (names, bytes).
template <typename Body>
void answer_later(fuse_req_t request, ErrorRule rule, Body body) {
  adapter_of(request).pool().submit(
      [request, rule, body = std::move(body)]() mutable { answer(request, rule, std::move(body)); });
}

// On this thread, unless too many requests are being answered that way already.
template <typename Body>
void answer_soon(fuse_req_t request, ErrorRule rule, Body body) {
  Adapter& adapter = adapter_of(request);
  if (!adapter.enter_inline()) {
    answer_later(request, rule, std::move(body));
    return;
  }
  answer(request, rule, std::move(body));
  adapter.leave_inline();
}

// Fill in their part of the table; one for each file operations_*.cc.
void add_name_operations(fuse_lowlevel_ops& operations);
void add_attribute_operations(fuse_lowlevel_ops& operations);
void add_file_operations(fuse_lowlevel_ops& operations);
void add_directory_operations(fuse_lowlevel_ops& operations);

}  // namespace stela::fsd::fuse

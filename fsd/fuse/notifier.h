// Tells the kernel which names and attributes changed. A notification may wait for a directory's lock that a
// request still being answered holds; the tree calls from a thread of its own that holds no lock and handles no
// request, and waits for it (a bounded time) before it answers the request that made the change.
#pragma once

#include <cstdint>
#include <string>

#include "fsd/tree/tree.h"

struct fuse_session;

namespace stela::fsd::fuse {

// Any thread, while the session exists. Pages are never invalidated: content never changes under a node.
class Notifier : public TreeObserver {
 public:
  explicit Notifier(fuse_session* session) : session_(session) {}
  void entry_changed(uint64_t parent_node, const std::string& name) override;
  void attributes_changed(uint64_t node) override;

 private:
  fuse_session* const session_;
};

}  // namespace stela::fsd::fuse

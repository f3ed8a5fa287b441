#include "fsd/fuse/notifier.h"

#include "fsd/fuse/libfuse.h"

namespace stela::fsd::fuse {

// ENOENT only says that the kernel had nothing to forget, others that the mount is gone.
void Notifier::entry_changed(uint64_t parent_node, const std::string& name) {
  (void)fuse_lowlevel_notify_inval_entry(session_, parent_node, name.data(), name.size());
}

// The negative offset leaves pages alone.
void Notifier::attributes_changed(uint64_t node) { (void)fuse_lowlevel_notify_inval_inode(session_, node, -1, 0); }

}  // namespace stela::fsd::fuse

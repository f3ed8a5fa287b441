#include "fsd/fuse/adapter.h"

#include <cerrno>
#include <cstdio>

namespace stela::fsd::fuse {

int32_t Adapter::register_backing(const OpenReply& open) {
  if (!passthrough_ || open.serving != Serving::kPassthrough || open.backing_fd < 0) return 0;
  Result<int32_t> id = backing_files_.acquire(open.backing_key, open.backing_fd);
  if (!id.ok()) return 0;
  std::lock_guard lock(handles_mutex_);
  key_of_handle_.emplace(open.handle, open.backing_key);
  return *id;
}

void Adapter::unregister_backing(uint64_t handle) {
  uint64_t key = 0;
  {
    std::lock_guard lock(handles_mutex_);
    auto found = key_of_handle_.find(handle);
    if (found == key_of_handle_.end()) return;
    key = found->second;
    key_of_handle_.erase(found);
  }
  backing_files_.release(key);
}

int errno_for(const Status& status, ErrorRule rule) {
  if (rule == ErrorRule::kXattr && status.code() == Code::kNotFound) return ENODATA;
  return errno_of(status.code(), rule == ErrorRule::kPath);
}

void log_exception(const char* what) noexcept { std::fprintf(stderr, "stela: a request failed: %s\n", what); }

}  // namespace stela::fsd::fuse

// Backing files registered with the kernel for passthrough: one registration for all handles on one file,
// because the kernel refuses two backing files under one inode.
#pragma once

#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "engine/base/status.h"

namespace stela::fsd::fuse {

// Thread-safe. The lock is held over the ioctl, which does no I/O.
class BackingFiles {
 public:
  // `device`: the session's /dev/fuse, which outlives this.
  explicit BackingFiles(int device) : device_(device) {}
  ~BackingFiles();
  BackingFiles(const BackingFiles&) = delete;
  BackingFiles& operator=(const BackingFiles&) = delete;

  // Whether the kernel lets this process register files at all (it takes CAP_SYS_ADMIN).
  bool probe() const;
  // The kernel's id for the file behind `fd`; equal keys are the same file. Each success is undone by
  // release(key).
  Result<int32_t> acquire(uint64_t key, int fd);
  void release(uint64_t key);

 private:
  struct Registration {
    int32_t id = 0;
    uint64_t handles = 0;
  };
  Result<int32_t> open_backing(int fd) const;
  void close_backing(int32_t id) const;

  const int device_;
  std::mutex mutex_;
  std::unordered_map<uint64_t, Registration> registrations_;
};

}  // namespace stela::fsd::fuse

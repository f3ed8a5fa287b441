// What the kernel's FUSE protocol has beyond libfuse 3.14 and the headers of Linux 6.1: numbers of flags,
// and the registration of backing files. Source: the kernel's include/uapi/linux/fuse.h, protocol 7.40.
#pragma once

#include <linux/fuse.h>
#include <sys/ioctl.h>

#include <cstddef>
#include <cstdint>

namespace stela::fsd::fuse {

// Bits of fuse_init_in::flags2 and fuse_init_out::flags2 (bit 32 of the protocol is bit 0 here).
inline constexpr uint32_t kInit2DirectIoAllowMmap = 1u << 4;  // Linux 6.6
inline constexpr uint32_t kInit2Passthrough = 1u << 5;        // Linux 6.9
// Where fuse_init_out holds max_stack_depth; headers before 6.9 have it as unused space.
inline constexpr size_t kInitOutStackDepthOffset = 36;
static_assert(sizeof(fuse_init_out) == 64);
static_assert(offsetof(fuse_init_out, flags2) == 32);

// Bit of fuse_open_out::open_flags.
inline constexpr uint32_t kOpenPassthrough = 1u << 7;

// Body of an OPEN reply; `backing_id` is padding in headers before 6.9.
struct OpenOut {
  uint64_t handle;
  uint32_t open_flags;
  int32_t backing_id;
};
static_assert(sizeof(OpenOut) == sizeof(fuse_open_out));

struct BackingMap {
  int32_t fd;
  uint32_t flags;
  uint64_t padding;
};
static_assert(sizeof(BackingMap) == 16);
inline constexpr unsigned long kIoctlBackingOpen = _IOW(229, 1, BackingMap);
inline constexpr unsigned long kIoctlBackingClose = _IOW(229, 2, uint32_t);

}  // namespace stela::fsd::fuse

// The INIT exchange, amended: libfuse 3.14 knows neither passthrough nor mappings of direct handles, so the
// hooks through which its session reads and writes /dev/fuse ask for them (docs/fuse in this folder's README).
#pragma once

#include <sys/uio.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace stela::fsd::fuse {

// "6.1"; all zero: no limit.
struct KernelVersion {
  uint32_t major = 0;
  uint32_t minor = 0;
  auto operator<=>(const KernelVersion&) const = default;
};

struct InitWishes {
  bool passthrough = true;
  bool direct_mmap = true;
  uint32_t stack_depth = 1;  // 2 when the store lies on an overlay filesystem
  KernelVersion kernel_max;  // flags that are newer than it are hidden from us
};

struct InitGrants {
  bool passthrough = false;
  bool direct_mmap = false;
};

// Sees each request read and each reply written until INIT has been answered; changes only that pair.
// The exchange happens on one thread; done() and grants() may be called from any.
class InitExchange {
 public:
  explicit InitExchange(const InitWishes& wishes) : wishes_(wishes) {}
  bool done() const { return done_.load(std::memory_order_acquire); }
  // Hides flags newer than the wished kernel in an INIT request; remembers what is offered.
  void request_read(void* bytes, size_t size);
  // Adds what was wished and offered to the reply.
  void reply_about_to_be_written(const iovec* parts, int count);
  InitGrants grants() const { return done() ? grants_ : InitGrants{}; }

 private:
  const InitWishes wishes_;
  bool seen_ = false;
  uint64_t unique_ = 0;
  bool extended_ = false;
  uint32_t offered2_ = 0;
  InitGrants grants_;
  std::atomic<bool> done_{false};
};

}  // namespace stela::fsd::fuse

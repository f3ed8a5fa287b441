#include "fsd/fuse/init_exchange.h"

#include <cstring>

#include "fsd/fuse/kernel_protocol.h"

namespace stela::fsd::fuse {
namespace {

// First kernel that offers each bit of flags2.
struct FlagSince {
  uint32_t bits;
  KernelVersion kernel;
};
constexpr FlagSince kFlags2Since[] = {
    {0x00000003u, {5, 17}},  // security context, per-inode DAX
    {0x00000008u, {6, 2}},   // expire-only invalidation
    {0x00000004u, {6, 3}},   // supplementary group at create
    {0x00000010u, {6, 6}},   // mappings of direct handles
    {0x000000e0u, {6, 9}},   // passthrough, no export support, resend
    {0xffffff00u, {6, 12}},  // id-mapped mounts and later
};

uint32_t flags2_known_to(KernelVersion kernel) {
  uint32_t known = 0;
  for (const FlagSince& flag : kFlags2Since) {
    if (flag.kernel <= kernel) known |= flag.bits;
  }
  return known;
}

}  // namespace

void InitExchange::request_read(void* bytes, size_t size) {
  if (seen_ || size < sizeof(fuse_in_header) + offsetof(fuse_init_in, flags2)) return;
  fuse_in_header header;
  std::memcpy(&header, bytes, sizeof(header));
  if (header.opcode != FUSE_INIT) return;
  seen_ = true;
  unique_ = header.unique;
  if (size < sizeof(header) + sizeof(fuse_init_in)) return;
  auto* body = static_cast<char*>(bytes) + sizeof(header);
  fuse_init_in init;
  std::memcpy(&init, body, sizeof(init));
  extended_ = (init.flags & FUSE_INIT_EXT) != 0;
  if (!extended_) return;
  if (wishes_.kernel_max.major != 0) init.flags2 &= flags2_known_to(wishes_.kernel_max);
  offered2_ = init.flags2;
  std::memcpy(body, &init, sizeof(init));
}

void InitExchange::reply_about_to_be_written(const iovec* parts, int count) {
  if (!seen_ || count < 1 || parts[0].iov_len < sizeof(fuse_out_header)) return;
  fuse_out_header header;
  std::memcpy(&header, parts[0].iov_base, sizeof(header));
  if (header.unique != unique_) return;
  if (header.error != 0 || !extended_ || count < 2 || parts[1].iov_len != sizeof(fuse_init_out)) {
    done_.store(true, std::memory_order_release);
    return;
  }
  auto* body = static_cast<char*>(parts[1].iov_base);
  fuse_init_out init;
  std::memcpy(&init, body, sizeof(init));
  grants_.direct_mmap = wishes_.direct_mmap && (offered2_ & kInit2DirectIoAllowMmap) != 0;
  grants_.passthrough = wishes_.passthrough && (offered2_ & kInit2Passthrough) != 0;
  if (grants_.direct_mmap) init.flags2 |= kInit2DirectIoAllowMmap;
  if (grants_.passthrough) init.flags2 |= kInit2Passthrough;
  if (init.flags2 != 0) init.flags |= FUSE_INIT_EXT;
  std::memcpy(body, &init, sizeof(init));
  if (grants_.passthrough) std::memcpy(body + kInitOutStackDepthOffset, &wishes_.stack_depth, sizeof(uint32_t));
  done_.store(true, std::memory_order_release);
}

}  // namespace stela::fsd::fuse

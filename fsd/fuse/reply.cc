#include "fsd/fuse/reply.h"

#include <sys/stat.h>

#include <limits>

namespace stela::fsd::fuse {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;
// What cp, tar and languages' runtimes take as the size of their buffers.
constexpr blksize_t kPreferredIoBytes = 128 << 10;

timespec to_timespec(int64_t ns) {
  int64_t seconds = ns / kNsPerSecond;
  int64_t rest = ns % kNsPerSecond;
  if (rest < 0) {
    rest += kNsPerSecond;
    --seconds;
  }
  return {.tv_sec = seconds, .tv_nsec = rest};
}

mode_t type_bits(FileType type) {
  switch (type) {
    case FileType::kRegular: return S_IFREG;
    case FileType::kDirectory: return S_IFDIR;
    case FileType::kSymlink: return S_IFLNK;
  }
  return S_IFREG;
}

}  // namespace

struct stat to_stat(const Attributes& attributes) {
  struct stat out = {};
  out.st_ino = attributes.inode;
  out.st_mode = type_bits(attributes.type) | (attributes.mode & 07777u);
  out.st_nlink = attributes.links;
  out.st_uid = attributes.uid;
  out.st_gid = attributes.gid;
  out.st_size = static_cast<off_t>(attributes.size);
  out.st_blocks = static_cast<blkcnt_t>(attributes.blocks);
  out.st_blksize = kPreferredIoBytes;
  out.st_atim = to_timespec(attributes.atime_ns);
  out.st_mtim = to_timespec(attributes.mtime_ns);
  out.st_ctim = to_timespec(attributes.ctime_ns);
  return out;
}

double to_timeout(int64_t timeout_ns) {
  constexpr double kForEver = 1e9;  // 31 years: far below what overflows the kernel's jiffies
  if (timeout_ns == std::numeric_limits<int64_t>::max()) return kForEver;
  if (timeout_ns <= 0) return 0;
  return static_cast<double>(timeout_ns) / 1e9;
}

fuse_entry_param to_entry(const EntryReply& entry) {
  fuse_entry_param out = {};
  out.ino = entry.node;
  out.generation = entry.generation;
  out.attr = to_stat(entry.attributes);
  out.attr_timeout = to_timeout(entry.attributes_timeout_ns);
  out.entry_timeout = to_timeout(entry.entry_timeout_ns);
  return out;
}

Caller to_caller(const fuse_ctx& context) {
  return {.uid = context.uid,
          .gid = context.gid,
          .pid = static_cast<uint32_t>(context.pid),
          .umask = static_cast<uint32_t>(context.umask)};
}

void fill_file_info(const OpenReply& open, bool noflush, fuse_file_info& info) {
  info.fh = open.handle;
  info.direct_io = open.serving == Serving::kDirect ? 1 : 0;
  info.keep_cache = open.serving == Serving::kDirect ? 0 : 1;
  info.noflush = noflush ? 1 : 0;
}

}  // namespace stela::fsd::fuse

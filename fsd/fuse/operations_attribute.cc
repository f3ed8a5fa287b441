// Attributes: getattr, setattr, access, statfs, extended attributes.
#include <sys/statvfs.h>

#include <string>
#include <vector>

#include "fsd/fuse/adapter.h"

namespace stela::fsd::fuse {
namespace {

uint64_t handle_of(const fuse_file_info* info) { return info == nullptr ? 0 : info->fh; }

Status reply_attributes(fuse_req_t request, const AttributesReply& reply) {
  struct stat out = to_stat(reply.attributes);
  fuse_reply_attr(request, &out, to_timeout(reply.timeout_ns));
  return {};
}

void do_getattr(fuse_req_t request, fuse_ino_t node, fuse_file_info* info) {
  uint64_t handle = handle_of(info);
  // The first stat of a text view formats it whole.
  answer_soon(request, ErrorRule::kPlain, [=](Adapter& adapter, const Caller& caller) -> Status {
    STELA_ASSIGN(AttributesReply reply, adapter.tree().get_attributes(node, handle, caller));
    return reply_attributes(request, reply);
  });
}

int64_t to_ns(const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; }

SetAttributes wanted_changes(const struct stat& attributes, int to_set) {
  SetAttributes set;
  if ((to_set & FUSE_SET_ATTR_MODE) != 0) set.mode = attributes.st_mode & 07777u;
  if ((to_set & FUSE_SET_ATTR_UID) != 0) set.uid = attributes.st_uid;
  if ((to_set & FUSE_SET_ATTR_GID) != 0) set.gid = attributes.st_gid;
  if ((to_set & FUSE_SET_ATTR_SIZE) != 0) set.size = static_cast<uint64_t>(attributes.st_size);
  set.atime_now = (to_set & FUSE_SET_ATTR_ATIME_NOW) != 0;
  set.mtime_now = (to_set & FUSE_SET_ATTR_MTIME_NOW) != 0;
  if ((to_set & FUSE_SET_ATTR_ATIME) != 0 && !set.atime_now) set.atime_ns = to_ns(attributes.st_atim);
  if ((to_set & FUSE_SET_ATTR_MTIME) != 0 && !set.mtime_now) set.mtime_ns = to_ns(attributes.st_mtim);
  return set;
}

void do_setattr(fuse_req_t request, fuse_ino_t node, struct stat* attributes, int to_set, fuse_file_info* info) {
  uint64_t handle = handle_of(info);
  answer_later(request, ErrorRule::kPlain,
               [=, set = wanted_changes(*attributes, to_set)](Adapter& adapter, const Caller& caller) -> Status {
                 STELA_ASSIGN(AttributesReply reply, adapter.tree().set_attributes(node, handle, set, caller));
                 return reply_attributes(request, reply);
               });
}

void do_access(fuse_req_t request, fuse_ino_t node, int mask) {
  answer(request, ErrorRule::kPlain, [=](Adapter& adapter, const Caller& caller) -> Status {
    STELA_TRY(adapter.tree().access(node, static_cast<uint32_t>(mask), caller));
    fuse_reply_err(request, 0);
    return {};
  });
}

void do_statfs(fuse_req_t request, fuse_ino_t) {
  answer_soon(request, ErrorRule::kPlain, [=](Adapter& adapter, const Caller&) -> Status {
    STELA_ASSIGN(FilesystemStatistics statistics, adapter.tree().statistics());
    struct statvfs out = {};
    out.f_bsize = statistics.block_bytes;
    out.f_frsize = statistics.block_bytes;
    out.f_blocks = statistics.blocks;
    out.f_bfree = statistics.blocks_free;
    out.f_bavail = statistics.blocks_available;
    out.f_files = statistics.files;
    out.f_ffree = statistics.files_free;
    out.f_favail = statistics.files_free;
    out.f_namemax = 255;
    fuse_reply_statfs(request, &out);
    return {};
  });
}

// A size of 0 asks how long the value is.
Status reply_value(fuse_req_t request, size_t size, const std::string& value) {
  if (size == 0) {
    fuse_reply_xattr(request, value.size());
  } else if (value.size() > size) {
    fuse_reply_err(request, ERANGE);
  } else {
    fuse_reply_buf(request, value.data(), value.size());
  }
  return {};
}

void do_getxattr(fuse_req_t request, fuse_ino_t node, const char* name, size_t size) {
  answer(request, ErrorRule::kXattr, [=](Adapter& adapter, const Caller& caller) -> Status {
    STELA_ASSIGN(std::string value, adapter.tree().get_xattr(node, name, caller));
    return reply_value(request, size, value);
  });
}

// Attributes are read by name and not listed: what lists them copies them (cp --preserve=all, rsync -X, tar --xattrs), and
// user.stela.* says what is known about a file here, which no copy has.
void do_listxattr(fuse_req_t request, fuse_ino_t, size_t size) {
  answer(request, ErrorRule::kPlain,
         [=](Adapter&, const Caller&) -> Status { return reply_value(request, size, std::string()); });
}

void do_setxattr(fuse_req_t request, fuse_ino_t node, const char* name, const char* value, size_t size, int) {
  answer_later(request, ErrorRule::kXattr,
               [=, name = std::string(name), value = std::string(value, size)](Adapter& adapter,
                                                                               const Caller& caller) -> Status {
                 STELA_TRY(adapter.tree().set_xattr(node, name, as_bytes(value), caller));
                 fuse_reply_err(request, 0);
                 return {};
               });
}

void do_removexattr(fuse_req_t request, fuse_ino_t node, const char* name) {
  answer_later(request, ErrorRule::kXattr,
               [=, name = std::string(name)](Adapter& adapter, const Caller& caller) -> Status {
                 STELA_TRY(adapter.tree().remove_xattr(node, name, caller));
                 fuse_reply_err(request, 0);
                 return {};
               });
}

}  // namespace

void add_attribute_operations(fuse_lowlevel_ops& operations) {
  operations.getattr = do_getattr;
  operations.setattr = do_setattr;
  operations.access = do_access;
  operations.statfs = do_statfs;
  operations.getxattr = do_getxattr;
  operations.listxattr = do_listxattr;
  operations.setxattr = do_setxattr;
  operations.removexattr = do_removexattr;
}

}  // namespace stela::fsd::fuse

#include "engine/base/status.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace stela {

int errno_of(Code code, bool path_operation) {
  switch (code) {
    case Code::kOk: return 0;
    case Code::kNotFound: return ENOENT;
    case Code::kInvalid: return EINVAL;
    case Code::kReadOnly: return EROFS;
    case Code::kConflict: return path_operation ? EBUSY : ESTALE;
    case Code::kDamaged: return EIO;
    case Code::kIo: return EIO;
    case Code::kNoSpace: return ENOSPC;
    case Code::kQuota: return EDQUOT;
    case Code::kLimit: return EFBIG;
    case Code::kDeadline: return ETIMEDOUT;
    case Code::kNotPermitted: return EPERM;
    case Code::kAccess: return EACCES;
    case Code::kCrossDataset: return EXDEV;
    case Code::kNotEmpty: return ENOTEMPTY;
    case Code::kUnsupported: return ENOTSUP;
    case Code::kExists: return EEXIST;
    case Code::kNameTooLong: return ENAMETOOLONG;
    case Code::kNotDirectory: return ENOTDIR;
    case Code::kIsDirectory: return EISDIR;
    case Code::kBadHandle: return EBADF;
    case Code::kBusy: return EBUSY;
    case Code::kTooManyFiles: return EMFILE;
    case Code::kNoMemory: return ENOMEM;
  }
  return EIO;
}

std::string errno_name(int error) {
  if (error == ENOTSUP) return "ENOTSUP";  // EOPNOTSUPP is the same number
  const char* name = strerrorname_np(error);
  return name != nullptr ? name : "E" + std::to_string(error);
}

const std::string& Status::message() const {
  static const std::string empty;
  return rep_ ? rep_->message : empty;
}

Status Status::with_context(std::string_view context) const {
  if (ok()) return {};
  return {code(), std::string(context) + ": " + message()};
}

namespace {
Code code_of_errno(int error) {
  switch (error) {
    case ENOENT: return Code::kNotFound;
    case EINVAL: return Code::kInvalid;
    case EROFS: return Code::kReadOnly;
    case ENOSPC: return Code::kNoSpace;
    case EDQUOT: return Code::kQuota;
    case EFBIG: return Code::kLimit;
    case ETIMEDOUT: return Code::kDeadline;
    case EPERM: return Code::kNotPermitted;
    case EACCES: return Code::kAccess;
    case EXDEV: return Code::kCrossDataset;
    case ENOTEMPTY: return Code::kNotEmpty;
    case ENOTSUP: return Code::kUnsupported;
    case EEXIST: return Code::kExists;
    case ENAMETOOLONG: return Code::kNameTooLong;
    case ENOTDIR: return Code::kNotDirectory;
    case EISDIR: return Code::kIsDirectory;
    case EBADF: return Code::kBadHandle;
    case EBUSY: return Code::kBusy;
    case EMFILE:
    case ENFILE: return Code::kTooManyFiles;
    case ENOMEM: return Code::kNoMemory;
    default: return Code::kIo;
  }
}
}  // namespace

Status status_from_errno(int error, std::string_view what) {
  const char* text = strerrordesc_np(error);
  std::string sentence = std::string(what) + ": " + (text != nullptr ? text : errno_name(error).c_str());
  if (error == ENOSPC) sentence += "; the disk is full: remove data or free space, then write again";
  if (error == EDQUOT) sentence += "; the quota is used up: remove data or raise it, then write again";
  return {code_of_errno(error), std::move(sentence)};
}

void check_failed(const char* file, int line, const char* expression, const std::string& values) {
  std::fprintf(stderr, "%s:%d: check failed: %s %s\n", file, line, expression, values.c_str());
  std::abort();
}

}  // namespace stela

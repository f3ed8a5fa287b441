#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "fsd/ingest/ingest.h"

namespace stela::fsd {
namespace {

class DescriptorSource final : public ByteSource {
 public:
  DescriptorSource(int fd, std::string what, uint64_t size) : fd_(fd), what_(std::move(what)), size_(size) {}
  ~DescriptorSource() override { ::close(fd_); }
  // As it was when opened: a file that others go on writing is taken in as far as that.
  uint64_t size() const override { return size_; }

  Status read(uint64_t offset, MutableByteSpan into) override {
    while (!into.empty()) {
      ssize_t got = ::pread(fd_, into.data(), into.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return status_from_errno(errno, what_);
      if (got == 0) return invalid(what_ + ": the file became shorter while it was being read");
      into = into.subspan(static_cast<size_t>(got));
      offset += static_cast<uint64_t>(got);
    }
    return {};
  }

 private:
  int fd_;
  std::string what_;
  uint64_t size_;
};

}  // namespace

Result<std::unique_ptr<ByteSource>> descriptor_source(int fd, std::string what) {
  struct stat info = {};
  Status status;
  if (::fstat(fd, &info) != 0) {
    status = status_from_errno(errno, what);
  } else if (S_ISDIR(info.st_mode)) {
    status = Status(Code::kIsDirectory, what + " is a folder; name a file");
  } else if (!S_ISREG(info.st_mode)) {
    status = invalid(what + " is not a regular file; write its contents to one first");
  }
  if (!status.ok()) {
    ::close(fd);
    return status;
  }
  return std::unique_ptr<ByteSource>(
      std::make_unique<DescriptorSource>(fd, std::move(what), static_cast<uint64_t>(info.st_size)));
}

}  // namespace stela::fsd

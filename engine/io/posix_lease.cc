#include "engine/io/posix_lease.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "engine/io/unnamed_file.h"

namespace stela {

namespace {

constexpr const char* kLockName = "LOCK";
constexpr size_t kHolderBytesMax = 512;
constexpr int kAttemptsMax = 8;

class PosixLease final : public Lease {
 public:
  explicit PosixLease(Descriptor file) : file_(std::move(file)), owner_(::getpid()) {}
  ~PosixLease() override {
    // A child that inherited the lease leaves the text alone. A stale text is harmless: it is read only while
    // somebody holds the lock.
    if (::getpid() == owner_ && ::ftruncate(file_.get(), 0) != 0) return;
  }

 private:
  Descriptor file_;
  pid_t owner_;
};

// What the holder wrote, with bytes that could disturb a terminal replaced.
std::string holder_text(int fd) {
  std::array<std::byte, kHolderBytesMax> bytes;
  auto count = read_up_to(fd, 0, bytes, kLockName);
  if (!count.ok() || *count == 0) return "a process that has not said who it is";
  std::string text(as_text({bytes.data(), *count}));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  }
  return text;
}

// Whether LOCK still names this file: another process may have removed it in between.
bool still_named(const PosixDirectory& directory, int fd) {
  struct stat locked = {};
  struct stat named = {};
  if (::fstat(fd, &locked) != 0) return false;
  if (::fstatat(directory.fd(), kLockName, &named, AT_SYMLINK_NOFOLLOW) != 0) return false;
  return locked.st_ino == named.st_ino && locked.st_dev == named.st_dev;
}

Status write_holder(int fd, const std::string& text, const std::string& path) {
  if (::ftruncate(fd, 0) != 0) return status_from_errno(errno, "cannot write " + path);
  return write_fully(fd, 0, as_bytes(text.substr(0, kHolderBytesMax)), path);
}

}  // namespace

Result<std::unique_ptr<Lease>> acquire_posix_lease(std::shared_ptr<PosixDirectory> directory, const std::string& text) {
  std::string path = directory->full_path(kLockName);
  for (int i = 0; i < kAttemptsMax; ++i) {
    STELA_ASSIGN(Descriptor file, directory->open_beneath(kLockName, O_RDWR | O_CREAT, 0600));
    struct flock lock = {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    if (::fcntl(file.get(), F_OFD_SETLK, &lock) != 0) {
      if (errno != EAGAIN && errno != EACCES) return status_from_errno(errno, "cannot lock " + path);
      return Status(Code::kBusy, "the store " + directory->path() + " is in use by " + holder_text(file.get()));
    }
    if (!still_named(*directory, file.get())) continue;
    STELA_TRY(write_holder(file.get(), text, path));
    clear_scratch_folder(*directory);
    return std::unique_ptr<Lease>(std::make_unique<PosixLease>(std::move(file)));
  }
  return Status(Code::kBusy, path + " is removed and made again by another program; stop that program first");
}

}  // namespace stela

#include "engine/io/posix_directory.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "engine/io/file_name.h"
#include "engine/io/system_clock.h"

namespace stela {

namespace {

int open_with_openat2(int directory, const char* name, int flags, mode_t mode) {
  open_how how = {};
  how.flags = static_cast<uint64_t>(flags);
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(::syscall(SYS_openat2, directory, name, &how, sizeof(how)));
}

// EPERM: container runtimes filter system calls that they do not know.
bool openat2_missing(int error) { return error == ENOSYS || error == EPERM; }

// Failures that say nothing about what the filesystem can do.
bool passes(Code code) {
  return code == Code::kTooManyFiles || code == Code::kNoSpace || code == Code::kQuota || code == Code::kNoMemory;
}

}  // namespace

std::shared_ptr<PosixDirectory> PosixDirectory::open(const std::string& path, const PosixOptions& options) {
  auto directory = std::shared_ptr<PosixDirectory>(new PosixDirectory(path, options));
  directory->status_ = directory->open_root();
  return directory;
}

Status PosixDirectory::open_root() {
  if (options_.create_directory && ::mkdir(path_.c_str(), 0700) != 0 && errno != EEXIST) {
    return status_from_errno(errno, "cannot make the store's directory " + path_);
  }
  fd_ = Descriptor(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd_.valid()) return status_from_errno(errno, "cannot open the store's directory " + path_);
  return {};
}

std::string PosixDirectory::full_path(std::string_view name) const { return join_name(path_, name); }

Result<Descriptor> PosixDirectory::open_beneath(std::string_view name, int flags, mode_t mode) const {
  STELA_TRY(status_);
  std::string path(name.empty() ? "." : name);
  flags |= O_CLOEXEC;
  int fd = -1;
  bool tried = false;
  do {
    if (options_.use_openat2) {
      fd = open_with_openat2(fd_.get(), path.c_str(), flags, mode);
      tried = fd >= 0 || !openat2_missing(errno);
    }
    if (!tried) fd = ::openat(fd_.get(), path.c_str(), flags | O_NOFOLLOW, mode);
  } while (fd < 0 && (errno == EINTR || (tried && errno == EAGAIN)));
  if (fd < 0) return failed_at(errno, "cannot open " + full_path(name));
  return Descriptor(fd);
}

// In a directory that was removed under us nothing can be made or found, with one errno or another.
Status PosixDirectory::failed_at(int error, const std::string& what) const {
  struct stat root = {};
  if (::fstat(fd_.get(), &root) == 0 && root.st_nlink == 0) {
    return {Code::kIo, what + ": the store's directory was removed while it was in use"};
  }
  return status_from_errno(error, what);
}

Result<Descriptor> PosixDirectory::make_folder(std::string_view folder) const {
  STELA_TRY(status_);
  auto opened = open_beneath(folder, O_PATH | O_DIRECTORY);
  if (opened.ok() || opened.status().code() != Code::kNotFound) return opened;
  STELA_ASSIGN(Descriptor above, make_folder(folder_of(folder)));
  std::string name(last_component(folder));
  if (::mkdirat(above.get(), name.c_str(), 0700) != 0 && errno != EEXIST) {
    return failed_at(errno, "cannot make the folder " + full_path(folder));
  }
  return open_beneath(folder, O_PATH | O_DIRECTORY);
}

Result<bool> PosixDirectory::can_link_unnamed() {
  std::lock_guard lock(mutex_);
  if (!unnamed_works_) {
    Status tried = options_.use_tmpfile ? try_link_unnamed() : unsupported("O_TMPFILE is switched off");
    if (passes(tried.code())) return tried;
    unnamed_works_ = tried.ok();
  }
  return *unnamed_works_;
}

Status PosixDirectory::try_link_unnamed() const {
  STELA_ASSIGN(Descriptor file, open_beneath("", O_TMPFILE | O_RDWR, 0600));
  std::string source = "/proc/self/fd/" + std::to_string(file.get());
  std::string name = ".probe-" + std::to_string(::getpid()) + "-" + std::to_string(system_random());
  if (::linkat(AT_FDCWD, source.c_str(), fd_.get(), name.c_str(), AT_SYMLINK_FOLLOW) != 0) {
    return status_from_errno(errno, "cannot link a file into " + path_);
  }
  return ::unlinkat(fd_.get(), name.c_str(), 0) == 0 ? Status() : status_from_errno(errno, "cannot remove " + name);
}

Result<PosixDirectory::OpenFolders> PosixDirectory::open_folders(const std::set<std::string>& folders) {
  std::set<std::string> wanted = folders;
  OpenFolders result;
  {
    std::lock_guard lock(mutex_);
    if (!sync_failure_.ok()) return sync_failure_.with_context("an earlier sync failed, open the store again");
    for (const std::string& folder : folders) {
      for (std::string_view at = folder; !at.empty(); at = folder_of(at)) {
        if (durable_folders_.contains(std::string(at))) break;
        result.settled.emplace(at);
        wanted.emplace(folder_of(at));
      }
    }
  }
  // Deepest first: a folder's entry is made durable after what it holds.
  for (auto at = wanted.rbegin(); at != wanted.rend(); ++at) {
    STELA_ASSIGN(Descriptor opened, open_beneath(*at, O_RDONLY | O_DIRECTORY));
    result.opened.push_back(std::move(opened));
    result.names.push_back(*at);
  }
  return result;
}

Status PosixDirectory::sync_folders(const OpenFolders& folders) {
  for (size_t i = 0; i < folders.opened.size(); ++i) {
    if (::fsync(folders.opened[i].get()) == 0) continue;
    Status failure = status_from_errno(errno, "cannot sync the folder " + full_path(folders.names[i]));
    std::lock_guard lock(mutex_);
    sync_failure_ = failure;
    return failure;
  }
  std::lock_guard lock(mutex_);
  durable_folders_.insert(folders.settled.begin(), folders.settled.end());
  return {};
}

}  // namespace stela

#include "engine/io/posix_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "engine/io/file_name.h"
#include "engine/io/posix_writer.h"
#include "engine/io/unnamed_file.h"

namespace stela {

namespace {

class PosixReader final : public FileReader {
 public:
  PosixReader(std::string path, Descriptor file, uint64_t size)
      : path_(std::move(path)), file_(std::move(file)), size_(size) {}

  Status read(std::span<const ReadRange> ranges) override { return read_ranges(file_.get(), size_, ranges, path_); }
  uint64_t size() const override { return size_; }
  int native_fd() const override { return file_.get(); }
  std::string fingerprint() const override {
    struct stat now = {};
    if (::fstat(file_.get(), &now) != 0) return {};
    return std::to_string(now.st_size) + ":" + std::to_string(now.st_ino) + ":" + std::to_string(now.st_ctim.tv_sec) +
           "." + std::to_string(now.st_ctim.tv_nsec);
  }

 private:
  std::string path_;
  Descriptor file_;
  uint64_t size_;
};

class PosixScratch final : public ScratchFile {
 public:
  explicit PosixScratch(Descriptor file) : file_(std::move(file)) {}

  Status write(uint64_t offset, ByteSpan bytes) override {
    if (bytes.empty()) return {};
    STELA_TRY(write_fully(file_.get(), offset, bytes, "a scratch file"));
    size_ = std::max(size_, offset + bytes.size());
    return {};
  }
  Status read(uint64_t offset, MutableByteSpan into) override {
    STELA_ASSIGN(size_t count, read_up_to(file_.get(), offset, into, "a scratch file"));
    std::fill(into.begin() + static_cast<ptrdiff_t>(count), into.end(), std::byte{0});
    return {};
  }
  Status truncate(uint64_t size) override {
    if (size > INT64_MAX) return {Code::kLimit, "a scratch file cannot be that long"};
    if (::ftruncate(file_.get(), static_cast<off_t>(size)) != 0) {
      return status_from_errno(errno, "cannot truncate a scratch file");
    }
    size_ = size;
    return {};
  }
  uint64_t size() const override { return size_; }
  int native_fd() const override { return file_.get(); }

 private:
  Descriptor file_;
  uint64_t size_ = 0;
};

class PosixFiles final : public Files {
 public:
  explicit PosixFiles(std::shared_ptr<PosixDirectory> directory) : directory_(std::move(directory)) {}

  Result<std::unique_ptr<FileWriter>> create(const std::string& name) override {
    STELA_TRY(check_file_name(name));
    STELA_TRY(check_free(name));
    return create_posix_writer(directory_, name);
  }

  Status finish(std::span<FileWriter* const> writers) override { return finish_posix_writers(*directory_, writers); }

  Result<std::shared_ptr<FileReader>> open(const std::string& name) override {
    STELA_TRY(check_file_name(name));
    // Without O_NONBLOCK a FIFO under that name would block for ever.
    STELA_ASSIGN(Descriptor file, directory_->open_beneath(name, O_RDONLY | O_NONBLOCK));
    struct stat found = {};
    if (::fstat(file.get(), &found) != 0) return status_from_errno(errno, "cannot stat " + full_path(name));
    if (S_ISDIR(found.st_mode)) return Status(Code::kIsDirectory, full_path(name) + " is a folder");
    if (!S_ISREG(found.st_mode)) return damaged(full_path(name) + " is not a regular file");
    auto size = static_cast<uint64_t>(found.st_size);
    return std::shared_ptr<FileReader>(std::make_shared<PosixReader>(full_path(name), std::move(file), size));
  }

  Status put_if_absent(const std::string& name, ByteSpan bytes) override {
    STELA_ASSIGN(auto writer, create(name));
    STELA_TRY(writer->append(bytes));
    FileWriter* one = writer.get();
    return finish({&one, 1});
  }

  Status remove(const std::string& name) override {
    STELA_TRY(check_file_name(name));
    return remove_file(*directory_, name);
  }

  Result<std::vector<std::string>> list(const std::string& folder) override {
    STELA_TRY(check_folder_name(folder));
    return list_folder(*directory_, folder);
  }

  Result<uint64_t> free_space() override {
    STELA_TRY(directory_->status());
    struct statvfs space = {};
    if (::fstatvfs(directory_->fd(), &space) != 0) {
      return status_from_errno(errno, "cannot ask for the free space of " + directory_->path());
    }
    return static_cast<uint64_t>(space.f_bavail) * space.f_frsize;
  }

  Result<std::unique_ptr<ScratchFile>> scratch() override {
    STELA_ASSIGN(UnnamedFile file, UnnamedFile::make(directory_, ""));
    return std::unique_ptr<ScratchFile>(std::make_unique<PosixScratch>(std::move(file).take_descriptor()));
  }

 private:
  std::string full_path(const std::string& name) const { return directory_->full_path(name); }
  Status check_free(const std::string& name) const {
    auto taken = directory_->open_beneath(name, O_PATH | O_NOFOLLOW);
    if (taken.ok()) return {Code::kExists, full_path(name) + " exists already"};
    return taken.status().code() == Code::kNotFound ? Status() : taken.status();
  }

  std::shared_ptr<PosixDirectory> directory_;
};

// The entry's name, with '/' after a folder's; "" for what is not shown.
std::string listed_name(const dirent& entry, int folder) {
  std::string name = entry.d_name;
  if (name.empty() || name.front() == '.') return {};
  unsigned char type = entry.d_type;
  if (type == DT_UNKNOWN) {
    struct stat found = {};
    if (::fstatat(folder, entry.d_name, &found, AT_SYMLINK_NOFOLLOW) != 0) return {};
    type = S_ISDIR(found.st_mode) ? DT_DIR : S_ISREG(found.st_mode) ? DT_REG : DT_UNKNOWN;
  }
  if (type == DT_DIR) return name + "/";
  return type == DT_REG ? name : std::string();
}

}  // namespace

std::unique_ptr<Files> make_posix_files(std::shared_ptr<PosixDirectory> directory) {
  return std::make_unique<PosixFiles>(std::move(directory));
}

Result<std::vector<std::string>> list_folder(const PosixDirectory& directory, const std::string& folder) {
  STELA_TRY(directory.status());
  std::vector<std::string> names;
  auto opened = directory.open_beneath(folder, O_RDONLY | O_DIRECTORY);
  if (!opened.ok() && opened.status().code() == Code::kNotFound) return names;
  if (!opened.ok()) return opened.status();
  int duplicate = ::fcntl(opened->get(), F_DUPFD_CLOEXEC, 0);
  if (duplicate < 0) return status_from_errno(errno, "cannot list " + directory.full_path(folder));
  DIR* stream = ::fdopendir(duplicate);
  if (stream == nullptr) {
    int error = errno;
    ::close(duplicate);
    return status_from_errno(error, "cannot list " + directory.full_path(folder));
  }
  errno = 0;
  while (const dirent* entry = ::readdir(stream)) {
    std::string name = listed_name(*entry, opened->get());
    if (!name.empty()) names.push_back(std::move(name));
    errno = 0;
  }
  int error = errno;
  ::closedir(stream);
  if (error != 0) return status_from_errno(error, "cannot list " + directory.full_path(folder));
  std::sort(names.begin(), names.end());
  return names;
}

Status remove_file(const PosixDirectory& directory, const std::string& name) {
  STELA_TRY(directory.status());
  // The folder is resolved beneath the store; unlinkat itself follows no link at the end.
  STELA_ASSIGN(Descriptor folder, directory.open_beneath(folder_of(name), O_PATH | O_DIRECTORY));
  std::string last(last_component(name));
  if (::unlinkat(folder.get(), last.c_str(), 0) == 0) return {};
  return status_from_errno(errno, "cannot remove " + directory.full_path(name));
}

}  // namespace stela

#include "engine/io/posix_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <utility>
#include <vector>

#include "engine/io/file_name.h"
#include "engine/io/unnamed_file.h"

namespace stela {

namespace {

// A write ends at a multiple of this, unless the caller asks for another.
constexpr size_t kPieceBytes = 256 * 1024;
// Dirty bytes after which the kernel is asked to begin writing, so that the disk works while we encode.
constexpr uint64_t kWritebackBytes = 8 * 1024 * 1024;
// Blocks of zeros are left out of the file, which then has a hole there: an array of few values takes no more room than
// where it came from.
constexpr size_t kHoleBytes = 64 * 1024;

bool is_zero(ByteSpan bytes) {
  const std::byte* data = bytes.data();
  return data[0] == std::byte{0} && std::memcmp(data, data + 1, bytes.size() - 1) == 0;
}

// How many bytes at the beginning, which lie at `offset` of the file, are whole blocks that are zero, or are not.
size_t blocks_alike(ByteSpan bytes, uint64_t offset, bool zero) {
  size_t end = 0;
  while (end < bytes.size()) {
    const size_t block = std::min<size_t>(kHoleBytes - (offset + end) % kHoleBytes, bytes.size() - end);
    if ((block == kHoleBytes && is_zero(bytes.subspan(end, block))) != zero) break;
    end += block;
  }
  return end;
}

class PosixWriter final : public FileWriter {
 public:
  PosixWriter(std::string name, std::string path, UnnamedFile file)
      : name_(std::move(name)), path_(std::move(path)), file_(std::move(file)) {}

  Status append(ByteSpan bytes) override {
    STELA_TRY(check_open());
    size_ += bytes.size();
    while (!bytes.empty()) {
      const size_t room = piece_bytes_ - (written_ + buffer_.size()) % piece_bytes_;
      if (buffer_.empty() && bytes.size() >= room) {
        const size_t whole = room + (bytes.size() - room) / piece_bytes_ * piece_bytes_;
        STELA_TRY(write_through(bytes.first(whole)));
        bytes = bytes.subspan(whole);
        continue;
      }
      const size_t taken = std::min(room, bytes.size());
      buffer_.append(bytes.first(taken));
      bytes = bytes.subspan(taken);
      if (taken == room) STELA_TRY(flush());
    }
    return {};
  }

  void gather(size_t bytes) override { piece_bytes_ = bytes; }
  void leave_holes() override { leaves_holes_ = true; }

  Status fill_head(ByteSpan bytes) override {
    STELA_TRY(check_open());
    if (head_filled_) return invalid(path_ + ": the head can be filled only once");
    if (bytes.size() > size_) return invalid(path_ + ": the head is longer than the file");
    STELA_TRY(flush());
    STELA_TRY(keep(write_fully(file_.fd(), 0, bytes, path_)));
    head_filled_ = true;
    return {};
  }

  uint64_t size() const override { return size_; }

  Status read_back(uint64_t offset, MutableByteSpan into) override {
    STELA_TRY(failure_);
    STELA_TRY(flush());
    STELA_TRY(end_hole());
    ReadRange range{offset, into};
    return read_ranges(file_.fd(), written_, {&range, 1}, path_);
  }

  const std::string& name() const { return name_; }

  // The steps of finish; whatever happens the writer takes no more bytes.
  Status begin_finish() {
    STELA_TRY(check_open());
    Status flushed = flush();
    finished_ = true;
    STELA_TRY(flushed);
    return end_hole();
  }
  void start_writeback() const { ::sync_file_range(file_.fd(), 0, 0, SYNC_FILE_RANGE_WRITE); }
  Status sync_bytes() const {
    return ::fdatasync(file_.fd()) == 0 ? Status() : status_from_errno(errno, "cannot sync " + path_);
  }
  Status link() { return file_.link(name_); }
  // The link count: without a journal it is not written with the folder, and a file without links is none.
  Status sync_inode() const {
    return ::fsync(file_.fd()) == 0 ? Status() : status_from_errno(errno, "cannot sync " + path_);
  }

 private:
  Status check_open() const {
    if (finished_) return invalid(path_ + " is finished and takes no more bytes");
    return failure_;
  }
  // A write that failed leaves a hole: nothing after it may succeed.
  Status keep(Status status) {
    if (!status.ok()) failure_ = status;
    return status;
  }
  Status flush() {
    if (buffer_.empty()) return {};
    STELA_TRY(write_through(buffer_.span()));
    buffer_.clear();
    return {};
  }
  Status write_through(ByteSpan bytes) {
    while (!bytes.empty()) {
      const size_t zeros = leaves_holes_ ? blocks_alike(bytes, written_, true) : 0;
      written_ += zeros;
      ends_in_hole_ |= zeros > 0;
      bytes = bytes.subspan(zeros);
      const size_t others = leaves_holes_ ? blocks_alike(bytes, written_, false) : bytes.size();
      if (others == 0) continue;
      STELA_TRY(keep(write_fully(file_.fd(), written_, bytes.first(others), path_)));
      written_ += others;
      ends_in_hole_ = false;
      bytes = bytes.subspan(others);
    }
    if (written_ - asked_ >= kWritebackBytes) {
      ::sync_file_range(file_.fd(), static_cast<off64_t>(asked_), static_cast<off64_t>(written_ - asked_),
                        SYNC_FILE_RANGE_WRITE);
      asked_ = written_;
    }
    return {};
  }

  // The file is as long as what was given to it.
  Status end_hole() {
    if (!ends_in_hole_) return {};
    ends_in_hole_ = false;
    const int truncated = ::ftruncate(file_.fd(), static_cast<off_t>(written_));
    return truncated == 0 ? Status() : keep(status_from_errno(errno, "cannot write " + path_));
  }

  std::string name_;
  std::string path_;
  UnnamedFile file_;
  Buffer buffer_;
  size_t piece_bytes_ = kPieceBytes;
  uint64_t size_ = 0;     // appended
  uint64_t written_ = 0;  // given to the kernel
  uint64_t asked_ = 0;    // writeback begun
  bool leaves_holes_ = false;
  bool ends_in_hole_ = false;
  bool head_filled_ = false;
  bool finished_ = false;
  Status failure_;
};

Result<std::vector<PosixWriter*>> begin_finish(std::span<FileWriter* const> writers) {
  std::vector<PosixWriter*> begun;
  for (FileWriter* each : writers) {
    auto* writer = dynamic_cast<PosixWriter*>(each);
    if (writer == nullptr) return invalid("finish of a writer that was not made here");
    STELA_TRY(writer->begin_finish());
    begun.push_back(writer);
  }
  return begun;
}

}  // namespace

Result<std::unique_ptr<FileWriter>> create_posix_writer(std::shared_ptr<PosixDirectory> directory,
                                                        const std::string& name) {
  std::string path = directory->full_path(name);
  STELA_ASSIGN(UnnamedFile file, UnnamedFile::make(std::move(directory), folder_of(name)));
  return std::unique_ptr<FileWriter>(std::make_unique<PosixWriter>(name, std::move(path), std::move(file)));
}

Status finish_posix_writers(PosixDirectory& directory, std::span<FileWriter* const> writers) {
  STELA_ASSIGN(auto begun, begin_finish(writers));
  if (begun.size() > 1) {
    for (PosixWriter* writer : begun) writer->start_writeback();
  }
  for (PosixWriter* writer : begun) STELA_TRY(writer->sync_bytes());
  std::set<std::string> folders;
  for (PosixWriter* writer : begun) folders.emplace(folder_of(writer->name()));
  STELA_ASSIGN(auto opened, directory.open_folders(folders));
  for (PosixWriter* writer : begun) STELA_TRY(writer->link());
  for (PosixWriter* writer : begun) STELA_TRY(writer->sync_inode());
  return directory.sync_folders(opened);
}

}  // namespace stela

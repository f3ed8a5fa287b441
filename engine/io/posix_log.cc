#include "engine/io/posix_log.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/io/log_geometry.h"
#include "engine/io/posix_files.h"

namespace stela {

namespace {

constexpr const char* kLogFolder = "log";
constexpr size_t kZeroBytes = 1024 * 1024;

std::string segment_name(uint64_t number) { return std::string(kLogFolder) + "/" + std::to_string(number); }

// Exactly what segment_name writes: no sign, no leading zero.
bool parse_segment(const std::string& text, uint64_t* number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size() && std::to_string(*number) == text;
}

class PosixLog final : public LogDevice {
 public:
  PosixLog(std::shared_ptr<PosixDirectory> directory, uint64_t segment_bytes)
      : directory_(std::move(directory)), files_(make_posix_files(directory_)), segment_bytes_(segment_bytes) {}

  Status load() {
    STELA_ASSIGN(auto names, list_folder(*directory_, kLogFolder));
    for (const std::string& name : names) {
      uint64_t number = 0;
      if (parse_segment(name, &number)) segments_.emplace(number, nullptr);
    }
    // A process that was killed may have named a segment and not synced the folder.
    if (segments_.empty()) return {};
    STELA_ASSIGN(auto folders, directory_->open_folders({kLogFolder}));
    return directory_->sync_folders(folders);
  }

  uint64_t segment_bytes() const override { return segment_bytes_; }
  Status append(uint64_t position, ByteSpan blocks) override;
  Status sync() override;
  Status read(uint64_t position, MutableByteSpan into) override;
  Status prepare(uint64_t segment) override;
  Status release(uint64_t position, uint32_t keep) override;
  Result<std::vector<uint64_t>> segments() override;

 private:
  using Segment = std::shared_ptr<Descriptor>;

  Result<Segment> open_segment(uint64_t number) const;
  Result<Segment> find(uint64_t number, bool for_append);
  // True when a released segment took the number; false when there was none to take.
  Result<bool> recycle(uint64_t number);
  // 0 or the errno.
  int rename_segment(uint64_t from, uint64_t to) const;
  Status make_fresh(uint64_t number);
  Status fail_for_ever(Status failure);

  std::shared_ptr<PosixDirectory> directory_;
  std::unique_ptr<Files> files_;
  uint64_t segment_bytes_;

  std::mutex structure_mutex_;            // prepare and release; before mutex_
  std::mutex mutex_;                      // the members below; never held over I/O but the first open of a segment
  std::map<uint64_t, Segment> segments_;  // null until first used
  std::set<uint64_t> released_;
  std::map<uint64_t, Segment> unsynced_;
  Status failure_;
  mutable std::atomic<bool> counts_links_{true};  // some filesystems say 0 of every file
};

Result<PosixLog::Segment> PosixLog::open_segment(uint64_t number) const {
  std::string name = segment_name(number);
  STELA_ASSIGN(Descriptor file, directory_->open_beneath(name, O_RDWR | O_NONBLOCK));
  struct stat found = {};
  if (::fstat(file.get(), &found) != 0) return status_from_errno(errno, "cannot stat " + directory_->full_path(name));
  if (!S_ISREG(found.st_mode) || static_cast<uint64_t>(found.st_size) != segment_bytes_) {
    return damaged(directory_->full_path(name) + " is a log segment of " + std::to_string(found.st_size) +
                   " bytes instead of " + std::to_string(segment_bytes_));
  }
  if (found.st_nlink == 0) counts_links_ = false;
  return std::make_shared<Descriptor>(std::move(file));
}

Result<PosixLog::Segment> PosixLog::find(uint64_t number, bool for_append) {
  std::lock_guard lock(mutex_);
  auto found = segments_.find(number);
  if (found == segments_.end()) return segment_missing(number);
  if (for_append && released_.contains(number)) return segment_released(number);
  if (found->second == nullptr) {
    STELA_ASSIGN(found->second, open_segment(number));
    // A process that was killed may have left groups that the disk does not have yet. What recovery read here
    // is relied upon by all that follows, so the next sync covers it.
    unsynced_.emplace(number, found->second);
  }
  return found->second;
}

Status PosixLog::append(uint64_t position, ByteSpan blocks) {
  STELA_TRY(check_append_range(segment_bytes_, position, blocks.size()));
  if (blocks.empty()) return {};
  uint64_t number = position / segment_bytes_;
  STELA_ASSIGN(Segment segment, find(number, true));
  {
    std::lock_guard lock(mutex_);
    if (!failure_.ok()) return failure_;
    unsynced_.emplace(number, segment);
  }
  return write_fully(segment->get(), position % segment_bytes_, blocks, directory_->full_path(segment_name(number)));
}

Status PosixLog::sync() {
  std::map<uint64_t, Segment> written;
  {
    std::lock_guard lock(mutex_);
    if (!failure_.ok()) return failure_;
    written.swap(unsynced_);
  }
  for (const auto& [number, segment] : written) {
    if (::fdatasync(segment->get()) != 0) {
      return fail_for_ever(status_from_errno(errno, "cannot sync " + directory_->full_path(segment_name(number))));
    }
    // What lies in a file without a name goes with this process.
    struct stat found = {};
    if (!counts_links_ || (::fstat(segment->get(), &found) == 0 && found.st_nlink > 0)) continue;
    return fail_for_ever({Code::kIo, directory_->full_path(segment_name(number)) + " was removed while it was in use"});
  }
  return {};
}

Status PosixLog::fail_for_ever(Status failure) {
  std::lock_guard lock(mutex_);
  // The kernel forgets what it could not write: a later sync that succeeds would prove nothing.
  failure_ = failure.with_context("the log stopped at a failed sync, open the store again");
  return failure;
}

Status PosixLog::read(uint64_t position, MutableByteSpan into) {
  STELA_TRY(check_log_range(position, into.size()));
  while (!into.empty()) {
    uint64_t number = position / segment_bytes_;
    uint64_t within = position % segment_bytes_;
    size_t count = std::min<size_t>(into.size(), segment_bytes_ - within);
    STELA_ASSIGN(Segment segment, find(number, false));
    ReadRange range{within, into.first(count)};
    STELA_TRY(read_ranges(segment->get(), segment_bytes_, {&range, 1}, directory_->full_path(segment_name(number))));
    into = into.subspan(count);
    position += count;
  }
  return {};
}

Status PosixLog::prepare(uint64_t segment) {
  if (!segment_addressable(segment_bytes_, segment)) return segment_number_too_large(segment);
  std::lock_guard structure(structure_mutex_);
  {
    std::lock_guard lock(mutex_);
    released_.erase(segment);
    if (!segments_.emplace(segment, nullptr).second) return {};
  }
  // Also where an exception ends it: a segment that is there and not known would be in the way of the next attempt.
  struct Unless {
    ~Unless() {
      if (made) return;
      std::lock_guard lock(log.mutex_);
      log.segments_.erase(segment);
    }
    PosixLog& log;
    uint64_t segment;
    bool made = false;
  } unless{*this, segment};
  STELA_ASSIGN(bool recycled, recycle(segment));
  if (!recycled) STELA_TRY(make_fresh(segment));
  unless.made = true;
  // Opened here so that no append waits for it; should that fail, append tries again.
  auto opened = open_segment(segment);
  std::lock_guard lock(mutex_);
  if (opened.ok()) segments_[segment] = std::move(opened).value();
  return {};
}

Result<bool> PosixLog::recycle(uint64_t number) {
  {
    std::lock_guard lock(mutex_);
    if (released_.empty()) return false;
  }
  STELA_ASSIGN(auto folders, directory_->open_folders({kLogFolder}));
  uint64_t old = 0;
  {
    std::lock_guard lock(mutex_);
    old = *released_.begin();
    released_.erase(released_.begin());
    segments_.erase(old);
    unsynced_.erase(old);
  }
  // A segment of another size, or a filesystem that cannot rename without replacing: the old one goes.
  int error = open_segment(old).ok() ? rename_segment(old, number) : EINVAL;
  if (error == EINVAL || error == ENOSYS || error == ENOENT) {
    Status ignored = remove_file(*directory_, segment_name(old));
    return false;
  }
  if (error != 0) {
    std::lock_guard lock(mutex_);
    segments_.emplace(old, nullptr);
    released_.insert(old);
    return status_from_errno(error,
                             "cannot rename log segment " + std::to_string(old) + " to " + std::to_string(number));
  }
  Status synced = directory_->sync_folders(folders);
  if (!synced.ok()) return fail_for_ever(synced);
  return true;
}

int PosixLog::rename_segment(uint64_t from, uint64_t to) const {
  auto folder = directory_->open_beneath(kLogFolder, O_PATH | O_DIRECTORY);
  if (!folder.ok()) return errno_of(folder.status().code());
  std::string old_name = std::to_string(from);
  std::string new_name = std::to_string(to);
  bool renamed = ::renameat2(folder->get(), old_name.c_str(), folder->get(), new_name.c_str(), RENAME_NOREPLACE) == 0;
  return renamed ? 0 : errno;
}

Status PosixLog::make_fresh(uint64_t number) {
  STELA_ASSIGN(auto writer, files_->create(segment_name(number)));
  Buffer zeros;
  zeros.append_zeros(std::min<uint64_t>(kZeroBytes, segment_bytes_));
  for (uint64_t left = segment_bytes_; left > 0;) {
    size_t count = std::min<size_t>(zeros.size(), left);
    STELA_TRY(writer->append(zeros.span(0, count)));
    left -= count;
  }
  FileWriter* one = writer.get();
  return files_->finish({&one, 1});
}

Status PosixLog::release(uint64_t position, uint32_t keep) {
  std::lock_guard structure(structure_mutex_);
  std::vector<uint64_t> surplus;
  {
    std::lock_guard lock(mutex_);
    auto end = segments_.lower_bound(first_live_segment(segment_bytes_, position));
    for (auto at = segments_.begin(); at != end; ++at) released_.insert(at->first);
    while (released_.size() > keep) {
      surplus.push_back(*released_.begin());
      segments_.erase(*released_.begin());
      released_.erase(released_.begin());
    }
  }
  Status first;
  for (uint64_t number : surplus) {
    Status removed = remove_file(*directory_, segment_name(number));
    if (!removed.ok() && removed.code() != Code::kNotFound && first.ok()) first = removed;
  }
  return first;
}

Result<std::vector<uint64_t>> PosixLog::segments() {
  std::lock_guard lock(mutex_);
  std::vector<uint64_t> numbers;
  for (const auto& [number, segment] : segments_) numbers.push_back(number);
  return numbers;
}

}  // namespace

Result<std::unique_ptr<LogDevice>> open_posix_log(std::shared_ptr<PosixDirectory> directory, uint64_t segment_bytes) {
  STELA_TRY(directory->status());
  STELA_TRY(check_segment_bytes(segment_bytes));
  auto log = std::make_unique<PosixLog>(std::move(directory), segment_bytes);
  STELA_TRY(log->load());
  return std::unique_ptr<LogDevice>(std::move(log));
}

}  // namespace stela

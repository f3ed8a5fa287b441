#include "fsd/tree/spool.h"

#include <algorithm>
#include <cstring>

namespace stela::fsd {

namespace {
// Of all spools of a budget together.
constexpr uint64_t kMemoryBytesOfAllMax = 64 << 20;
constexpr size_t kMemoryStepBytes = 64 << 10;
constexpr size_t kCopyBytes = 1 << 20;
}  // namespace

Status DraftBudget::open() {
  std::lock_guard lock(mutex_);
  if (files_ >= files_max_) {
    return {Code::kNoSpace, "there are " + std::to_string(files_max_) + " " + what_ +
                                " already: close or remove some, or raise the limit"};
  }
  files_++;
  return {};
}

void DraftBudget::close(uint64_t bytes) {
  std::lock_guard lock(mutex_);
  files_--;
  bytes_ -= bytes;
}

Status DraftBudget::resize(uint64_t from, uint64_t to) {
  std::lock_guard lock(mutex_);
  if (to > from && to > bytes_max_) {
    return {Code::kLimit, "a file of " + std::to_string(to) + " bytes is over the limit for " + what_ + " (" +
                              std::to_string(bytes_max_) + "): raise " + option_};
  }
  if (to > from && to - from > bytes_max_ - std::min<uint64_t>(bytes_, bytes_max_)) {
    return {Code::kNoSpace, what_ + " hold " + std::to_string(bytes_) + " of " + std::to_string(bytes_max_) +
                                " bytes: finish some, or raise " + option_};
  }
  bytes_ += to;
  bytes_ -= from;
  return {};
}

bool DraftBudget::take_memory(uint64_t bytes) {
  if (memory_bytes_.fetch_add(bytes) + bytes <= kMemoryBytesOfAllMax) return true;
  memory_bytes_ -= bytes;
  return false;
}

void DraftBudget::return_memory(uint64_t bytes) { memory_bytes_ -= bytes; }

Result<std::unique_ptr<Spool>> Spool::create(Files& files, DraftBudget& budget, StartStream start_stream) {
  STELA_TRY(budget.open());
  return std::unique_ptr<Spool>(new Spool(files, budget, std::move(start_stream)));
}

Spool::~Spool() {
  budget_.close(size());
  drop_memory();
}

uint64_t Spool::size() const {
  if (file_ != nullptr) return file_->size();
  return stream_ != nullptr ? stream_->size() : memory_.size();
}

void Spool::drop_memory() {
  memory_ = {};
  budget_.return_memory(memory_taken_);
  memory_taken_ = 0;
}

bool Spool::grow_memory(size_t bytes) {
  if (bytes <= memory_taken_) return true;
  size_t wanted = (bytes + kMemoryStepBytes - 1) / kMemoryStepBytes * kMemoryStepBytes;
  if (!budget_.take_memory(wanted - memory_taken_)) return false;
  memory_taken_ = wanted;
  return true;
}

Status Spool::write(uint64_t offset, ByteSpan bytes) {
  if (bytes.empty()) return {};
  if (offset > UINT64_MAX - bytes.size()) return {Code::kLimit, "the file would be larger than any file can be"};
  uint64_t before = size();
  uint64_t after = std::max<uint64_t>(before, offset + bytes.size());
  STELA_TRY(budget_.resize(before, after));
  Status status = put(offset, bytes);
  // A failed write may have grown the file by less.
  if (size() != after) (void)budget_.resize(after, size());
  return status;
}

Status Spool::put(uint64_t offset, ByteSpan bytes) {
  if (file_ == nullptr) {
    STELA_ASSIGN(bool kept, stream_ == nullptr ? put_in_memory(offset, bytes) : put_in_stream(offset, bytes));
    if (kept) return {};
    STELA_TRY(make_file());
  }
  return file_->write(offset, bytes);
}

Result<bool> Spool::put_in_memory(uint64_t offset, ByteSpan bytes) {
  uint64_t end = offset + bytes.size();
  size_t limit = start_stream_ ? kStreamHeadBytes : kMemoryBytesMax;
  if (std::max<uint64_t>(end, memory_.size()) <= limit && grow_memory(end)) {
    if (end > memory_.size()) memory_.append_zeros(end - memory_.size());
    if (!bytes.empty()) std::memcpy(memory_.data() + offset, bytes.data(), bytes.size());
    return true;
  }
  if (!start_stream_ || offset != memory_.size()) return false;
  stream_ = std::exchange(start_stream_, {})(memory_.span());
  if (stream_ == nullptr) return false;
  drop_memory();
  return put_in_stream(offset, bytes);
}

Result<bool> Spool::put_in_stream(uint64_t offset, ByteSpan bytes) {
  return offset == stream_->size() ? stream_->take(bytes) : Result<bool>(false);
}

Status Spool::make_file() {
  start_stream_ = {};
  STELA_ASSIGN(auto file, files_.scratch());
  if (stream_ == nullptr) {
    STELA_TRY(file->write(0, memory_.span()));
  } else {
    Buffer piece;
    uint64_t end = stream_->size();
    for (uint64_t at = 0; at < end; at += piece.size()) {
      piece.resize(std::min<uint64_t>(kCopyBytes, end - at));
      STELA_TRY(stream_->read(at, piece.span()));
      STELA_TRY(file->write(at, piece.span()));
    }
  }
  file_ = std::move(file);
  stream_.reset();
  drop_memory();
  return {};
}

Status Spool::read(uint64_t offset, MutableByteSpan into) {
  if (file_ != nullptr) return file_->read(offset, into);
  uint64_t end = size();
  size_t present = offset < end ? std::min<uint64_t>(into.size(), end - offset) : 0;
  if (present > 0 && stream_ != nullptr) STELA_TRY(stream_->read(offset, into.first(present)));
  if (present > 0 && stream_ == nullptr) std::memcpy(into.data(), memory_.data() + offset, present);
  std::fill(into.begin() + static_cast<ptrdiff_t>(present), into.end(), std::byte{0});
  return {};
}

Result<size_t> Spool::read_up_to(uint64_t offset, MutableByteSpan into) {
  uint64_t end = size();
  if (offset >= end) return size_t{0};
  size_t count = static_cast<size_t>(std::min<uint64_t>(into.size(), end - offset));
  STELA_TRY(read(offset, into.subspan(0, count)));
  return count;
}

Status Spool::truncate(uint64_t size) {
  uint64_t before = this->size();
  if (size == before) return {};
  STELA_TRY(budget_.resize(before, size));
  Status status;
  if (size == 0) {
    stream_.reset();
    file_.reset();
    drop_memory();
  } else if (file_ == nullptr && stream_ == nullptr && size <= kMemoryBytesMax && grow_memory(size)) {
    if (size > before) memory_.append_zeros(size - before);
    memory_.resize(size);
  } else {
    if (file_ == nullptr) status = make_file();
    if (status.ok()) status = file_->truncate(size);
  }
  if (this->size() != size) (void)budget_.resize(size, this->size());
  return status;
}

}  // namespace stela::fsd

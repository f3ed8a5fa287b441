#include "fsd/tree/spool.h"

#include <algorithm>

namespace stela::fsd {

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

Result<std::unique_ptr<Spool>> Spool::create(Files& files, DraftBudget& budget) {
  STELA_TRY(budget.open());
  auto file = files.scratch();
  if (!file.ok()) {
    budget.close(0);
    return file.status();
  }
  return std::unique_ptr<Spool>(new Spool(budget, std::move(*file)));
}

Spool::~Spool() { budget_.close(file_->size()); }

Status Spool::write(uint64_t offset, ByteSpan bytes) {
  if (bytes.empty()) return {};
  if (offset > UINT64_MAX - bytes.size()) return {Code::kLimit, "the file would be larger than any file can be"};
  uint64_t before = file_->size();
  uint64_t after = std::max<uint64_t>(before, offset + bytes.size());
  STELA_TRY(budget_.resize(before, after));
  Status status = file_->write(offset, bytes);
  // A failed write may have grown the file by less.
  if (file_->size() != after) (void)budget_.resize(after, file_->size());
  return status;
}

Result<size_t> Spool::read(uint64_t offset, MutableByteSpan into) {
  uint64_t size = file_->size();
  if (offset >= size) return size_t{0};
  size_t count = static_cast<size_t>(std::min<uint64_t>(into.size(), size - offset));
  STELA_TRY(file_->read(offset, into.subspan(0, count)));
  return count;
}

Status Spool::truncate(uint64_t size) {
  uint64_t before = file_->size();
  STELA_TRY(budget_.resize(before, size));
  Status status = file_->truncate(size);
  if (!status.ok()) (void)budget_.resize(size, file_->size());
  return status;
}

}  // namespace stela::fsd

// Spool: bounded unnamed files for what is being written; DraftBudget: their common limit.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "engine/io/env.h"

namespace stela::fsd {

// Bytes and number of spools that may exist at once. Thread-safe; outlives its drafts.
class DraftBudget {
 public:
  // `what` and `option` name the limit in sentences.
  DraftBudget(std::string what, std::string option, uint64_t bytes_max, uint32_t files_max)
      : what_(std::move(what)), option_(std::move(option)), bytes_max_(bytes_max), files_max_(files_max) {}
  // One file more; kNoSpace.
  Status open();
  void close(uint64_t bytes);
  // From `from` to `to` bytes; kLimit when one file can never fit, kNoSpace when others hold the room.
  Status resize(uint64_t from, uint64_t to);
  uint64_t bytes() const { return bytes_; }
  uint32_t files() const { return files_; }

 private:
  const std::string what_, option_;
  const uint64_t bytes_max_;
  const uint32_t files_max_;
  std::mutex mutex_;
  std::atomic<uint64_t> bytes_ = 0;
  std::atomic<uint32_t> files_ = 0;
};

// A bounded scratch file. Not thread-safe.
class Spool {
 public:
  static Result<std::unique_ptr<Spool>> create(Files& files, DraftBudget& budget);
  ~Spool();
  ScratchFile& file() { return *file_; }
  uint64_t size() const { return file_->size(); }
  Status write(uint64_t offset, ByteSpan bytes);
  // Short only at the end.
  Result<size_t> read(uint64_t offset, MutableByteSpan into);
  Status truncate(uint64_t size);

 private:
  Spool(DraftBudget& budget, std::unique_ptr<ScratchFile> file) : budget_(budget), file_(std::move(file)) {}
  DraftBudget& budget_;
  std::unique_ptr<ScratchFile> file_;
};

}  // namespace stela::fsd

// Spool: bounded bytes of what is being written; DraftBudget: the common limit of many.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "engine/io/env.h"
#include "fsd/ingest/ingest.h"

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

  // Memory for the first bytes of spools; false: there is none left, and they go to a file at once.
  bool take_memory(uint64_t bytes);
  void return_memory(uint64_t bytes);

 private:
  const std::string what_, option_;
  const uint64_t bytes_max_;
  const uint32_t files_max_;
  std::mutex mutex_;
  std::atomic<uint64_t> bytes_ = 0;
  std::atomic<uint32_t> files_ = 0;
  std::atomic<uint64_t> memory_bytes_ = 0;
};

// Takes a file's bytes as they come, so that little is left to do at its end.
class SpoolStream {
 public:
  virtual ~SpoolStream() = default;
  // The bytes that follow, all of them. False: they were not taken, nor will any more be.
  virtual Result<bool> take(ByteSpan bytes) = 0;
  virtual uint64_t size() const = 0;
  virtual Status read(uint64_t offset, MutableByteSpan into) = 0;
};

// Where a draft's bytes are kept. Not thread-safe.
class DraftBytes : public ByteSource {
 public:
  // Short only at the end.
  virtual Result<size_t> read_up_to(uint64_t offset, MutableByteSpan into) = 0;
  virtual Status write(uint64_t offset, ByteSpan bytes) = 0;
  virtual Status truncate(uint64_t size) = 0;
  // That wait for a commit.
  virtual uint64_t held_bytes() const { return size(); }
  // What was written is forgotten.
  virtual void drop() = 0;
};

// The bytes of one file: in memory while they are few, then in a stream as long as they come in order and the
// stream takes them, else in a scratch file.
class Spool final : public DraftBytes {
 public:
  // Given the first bytes, the stream that takes them and what follows; null: there is none.
  using StartStream = std::function<std::shared_ptr<SpoolStream>(ByteSpan head)>;
  static constexpr size_t kMemoryBytesMax = 256 << 10;  // before a scratch file is made
  static constexpr size_t kStreamHeadBytes = 2 << 20;   // before a stream is asked for

  static Result<std::unique_ptr<Spool>> create(Files& files, DraftBudget& budget, StartStream start_stream = {});
  ~Spool() override;

  uint64_t size() const override;
  // Bytes beyond the end read as zero.
  Status read(uint64_t offset, MutableByteSpan into) override;
  Result<size_t> read_up_to(uint64_t offset, MutableByteSpan into) override;
  Status write(uint64_t offset, ByteSpan bytes) override;
  Status truncate(uint64_t size) override;
  void drop() override { (void)truncate(0); }

 private:
  Spool(Files& files, DraftBudget& budget, StartStream start_stream)
      : files_(files), budget_(budget), start_stream_(std::move(start_stream)) {}
  Status put(uint64_t offset, ByteSpan bytes);
  Result<bool> put_in_memory(uint64_t offset, ByteSpan bytes);
  Result<bool> put_in_stream(uint64_t offset, ByteSpan bytes);
  bool grow_memory(size_t bytes);
  void drop_memory();
  // Moves what there is into a scratch file.
  Status make_file();

  Files& files_;
  DraftBudget& budget_;
  StartStream start_stream_;  // empty once it was asked
  Buffer memory_;             // while there is neither stream nor file
  uint64_t memory_taken_ = 0;
  std::shared_ptr<SpoolStream> stream_;
  std::unique_ptr<ScratchFile> file_;
};

}  // namespace stela::fsd

// The seam to the operating system: every file, log, clock and random operation of the engine goes
// through these interfaces, so that tests can fail, tear, lose and reorder them and a store can live
// somewhere else than on a POSIX filesystem. There is no rename-over and no overwrite: what an object
// store cannot do, the engine does not ask for.
//
// Three implementations: posix_env.h, memory_env.h, fault_env.h.
// Thread safety: Files, Lease, Clock and Random may be used from any thread. One FileWriter, LogDevice
// append/sync: one thread at a time. FileReader: any thread.
// Errors: kNotFound, kExists, kNoSpace, kQuota, kTooManyFiles, kIo and what status_from_errno gives.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/buffer.h"
#include "engine/base/status.h"

namespace stela {

// Where and whither of one read; `into` is filled whole or the read fails (kDamaged: past the end).
struct ReadRange {
  uint64_t offset = 0;
  MutableByteSpan into;
};

class FileReader {
 public:
  virtual ~FileReader() = default;
  virtual Status read(std::span<const ReadRange> ranges) = 0;
  virtual uint64_t size() const = 0;
  // A descriptor of the whole file that the kernel may serve, or -1. Owned by the reader.
  virtual int native_fd() const { return -1; }
  // A text that changes whenever the file's size, inode or ctime does; "" where there is no such thing.
  virtual std::string fingerprint() const { return {}; }

  Status read_at(uint64_t offset, MutableByteSpan into) {
    ReadRange range{offset, into};
    return read({&range, 1});
  }
};

// A file in the making: invisible under its name until Files::finish. Destroyed unfinished = discarded.
class FileWriter {
 public:
  virtual ~FileWriter() = default;
  virtual Status append(ByteSpan bytes) = 0;
  // Replaces the first `bytes.size()` bytes, which append() wrote before; once, before finish.
  virtual Status fill_head(ByteSpan bytes) = 0;
  virtual uint64_t size() const = 0;
  // Bytes are given to the system in pieces that end at multiples of `bytes` (memory that the writer keeps): the larger
  // the piece, the larger the units of the page cache that later reads and mappings go by. Before the first append.
  virtual void gather(size_t bytes) { (void)bytes; }
  // Blocks of zeros may be holes in what is appended from here on: they take no room, and none is kept for them.
  virtual void leave_holes() {}
  // What was written before, also after finish; `into` is filled whole or the read fails.
  virtual Status read_back(uint64_t offset, MutableByteSpan into) {
    (void)offset, (void)into;
    return unsupported("this file cannot be read while it is written");
  }
};

// Local, unnamed, not durable: spools of drafts, transposition, sorting. Gone when destroyed.
class ScratchFile {
 public:
  virtual ~ScratchFile() = default;
  virtual Status write(uint64_t offset, ByteSpan bytes) = 0;
  // Bytes beyond the end (holes too) read as zero.
  virtual Status read(uint64_t offset, MutableByteSpan into) = 0;
  virtual Status truncate(uint64_t size) = 0;
  virtual uint64_t size() const = 0;
  virtual int native_fd() const { return -1; }
};

class Files {
 public:
  virtual ~Files() = default;
  // Names are relative paths of digits, lower-case letters, '.' and '/': "data/0/12.frag". Folders are
  // made as needed. kExists when the name is taken.
  virtual Result<std::unique_ptr<FileWriter>> create(const std::string& name) = 0;
  // All writers' bytes and names are durable when it returns ok, each folder synced once. On error some
  // may exist; none may be relied on.
  virtual Status finish(std::span<FileWriter* const> writers) = 0;
  virtual Result<std::shared_ptr<FileReader>> open(const std::string& name) = 0;
  // The whole file or nothing, durable; kExists when the name is taken.
  virtual Status put_if_absent(const std::string& name, ByteSpan bytes) = 0;
  // kNotFound when absent. Not durable before the next finish or put_if_absent in that folder.
  virtual Status remove(const std::string& name) = 0;
  // Names in `folder` ("catalog", "data/3"), without the folder, ascending; folders end in '/'.
  virtual Result<std::vector<std::string>> list(const std::string& folder) = 0;
  virtual Result<uint64_t> free_space() = 0;
  virtual Result<std::unique_ptr<ScratchFile>> scratch() = 0;
};

inline constexpr uint64_t kLogBlock = 4096;

// The log as an endless array of 4 KiB blocks, cut into segments of equal size; segment n holds
// positions [n * segment_bytes, (n + 1) * segment_bytes). What was never written in a prepared segment
// is zeros, or older bytes of a recycled segment.
class LogDevice {
 public:
  virtual ~LogDevice() = default;
  virtual uint64_t segment_bytes() const = 0;
  // Position and size are multiples of kLogBlock, within one prepared segment. Blocks become readable at
  // once and durable by sync().
  virtual Status append(uint64_t position, ByteSpan blocks) = 0;
  virtual Status sync() = 0;
  // Whole blocks; kNotFound when the segment does not exist.
  virtual Status read(uint64_t position, MutableByteSpan into) = 0;
  // Makes `segment` exist, zero-filled or recycled from a released one, durably. Ok if it exists. May be
  // called from another thread than append.
  virtual Status prepare(uint64_t segment) = 0;
  // Segments that lie wholly below `position` may be recycled or removed; `keep` of them are kept ready.
  virtual Status release(uint64_t position, uint32_t keep) = 0;
  // Numbers of the existing segments, ascending; released ones waiting for reuse included.
  virtual Result<std::vector<uint64_t>> segments() = 0;
};

// Exclusive ownership of a store. Released when destroyed.
class Lease {
 public:
  virtual ~Lease() = default;
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t utc_ns() = 0;        // since 1970-01-01T00:00:00Z; may step back
  virtual int64_t monotonic_ns() = 0;  // never steps back
};

class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t next() = 0;
};

// All of them, owned together; members are never null.
class Env {
 public:
  virtual ~Env() = default;
  virtual Files& files() = 0;
  // Opens the log folder; `segment_bytes` comes from the store's manifest or its creation options.
  virtual Result<std::unique_ptr<LogDevice>> open_log(uint64_t segment_bytes) = 0;
  // kBusy, with the holder's text in the sentence, when another process holds it. `text` says who we are.
  virtual Result<std::unique_ptr<Lease>> acquire_lease(const std::string& text) = 0;
  virtual Clock& clock() = 0;
  virtual Random& random() = 0;
  // A named place the fault layer may crash at ("flush.run_written"); does nothing elsewhere.
  virtual void crash_point(const char* name) { (void)name; }
};

}  // namespace stela

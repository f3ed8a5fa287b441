// One file of the fault layer: what a process sees of it, and what the disk would have after a power cut.
// Contents are 4 KiB blocks shared between copies, so that an image of the whole store costs pointers only.
// Not thread-safe; FaultState's mutex guards it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "engine/base/buffer.h"
#include "engine/io/crash_style.h"
#include "engine/io/manual_clock.h"

namespace stela {

class SimulatedFile {
 public:
  static constexpr size_t kBlock = 4096;
  static constexpr size_t kSector = 512;  // what a disk writes whole or not at all

  uint64_t size() const { return size_; }
  // Bytes beyond the end read as zero.
  void read(uint64_t offset, MutableByteSpan into) const;
  // Grows the file as needed. `operation` orders writes among files: the greatest is the last one.
  void write(uint64_t offset, ByteSpan bytes, uint64_t operation);
  void truncate(uint64_t size, uint64_t operation);

  // Everything written before is durable, but what an earlier failed sync lost.
  void sync();
  // What is unsynced now may or may not reach the disk, and no later sync decides it; a new write of the same
  // block starts afresh.
  void fail_sync();
  bool synced() const { return unsynced_.empty() && size_ == durable_size_; }
  // The operation of the newest unsynced write; 0 when there is none.
  uint64_t last_unsynced_write() const { return unsynced_.empty() ? 0 : last_operation_; }

  // The file after a crash, wholly durable. `is_last_write`: this file got the store's last unsynced write.
  std::shared_ptr<SimulatedFile> survivor(CrashStyle style, SeededRandom& random, bool is_last_write) const;
  std::shared_ptr<SimulatedFile> clone() const { return std::make_shared<SimulatedFile>(*this); }

  // A hash of the durable size and bytes.
  uint64_t durable_hash() const;
  // The visible bytes become the durable ones, as if the medium had changed.
  void settle();

 private:
  struct Block {
    std::array<std::byte, kBlock> bytes = {};
    mutable std::atomic<uint64_t> hash{0};  // 0: not computed yet
    Block() = default;
    Block(const Block& other) : bytes(other.bytes) {}
  };
  using BlockPtr = std::shared_ptr<Block>;
  struct Unsynced {
    bool failed = false;
  };

  static uint64_t hash_of(const Block& block);
  Block& writable(size_t index);
  BlockPtr durable_block(size_t index) const { return index < durable_.size() ? durable_[index] : nullptr; }
  // Sectors [first, end) of the block chosen one by one from the visible and the durable bytes.
  BlockPtr mixed_block(size_t index, size_t first, size_t end, SeededRandom& random, bool require_change) const;
  void tear_last_write(SimulatedFile& result, SeededRandom& random) const;
  void keep_random_blocks(SimulatedFile& result, SeededRandom& random) const;
  void choose_size(SimulatedFile& result, CrashStyle style, SeededRandom& random) const;

  uint64_t size_ = 0;
  uint64_t durable_size_ = 0;
  bool size_failed_ = false;
  std::vector<BlockPtr> blocks_;  // null: zeros
  std::vector<BlockPtr> durable_;
  std::map<size_t, Unsynced> unsynced_;  // by block
  uint64_t last_operation_ = 0;
  uint64_t last_offset_ = 0;
  uint64_t last_bytes_ = 0;
};

}  // namespace stela

// The same work on a plain file: what the engine's figures are ratios to.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/buffer.h"

namespace stela::bench {

// 4 KiB pwrite + fdatasync into blocks that were written with zeros and synced before: the cheapest durable
// write there is.
class PreparedBlocks {
 public:
  PreparedBlocks(const std::string& path, uint64_t blocks);
  ~PreparedBlocks();
  PreparedBlocks(const PreparedBlocks&) = delete;
  PreparedBlocks& operator=(const PreparedBlocks&) = delete;
  // Goes round when the blocks are used up.
  void write_next();

 private:
  int file_;
  uint64_t blocks_;
  uint64_t next_ = 0;
};

// `bytes` of `block` repeated, in writes of its size, then fdatasync. Seconds.
double write_plain_file(const std::string& path, ByteSpan block, uint64_t bytes);
// Whole file by reads of 1 MiB; seconds.
double read_plain_file(const std::string& path);
// open + pread of `bytes` at `offset` + close; seconds.
double open_and_read_plain_file(const std::string& path, uint64_t offset, uint64_t bytes);

}  // namespace stela::bench

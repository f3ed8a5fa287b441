// The body of one Arrow record batch: its nodes and buffers, checked against the message, decompressed where it is
// compressed.
#pragma once

#include <memory>
#include <vector>

#include "fsd/ingest/arrow_messages.h"

namespace stela::fsd {

// Of decompressed bytes of one record batch, which are held in memory.
inline constexpr uint64_t kArrowBodyBytesMax = 128 << 20;

// One thread at a time; the source of the message must outlive it.
class ArrowBody {
 public:
  struct Node {
    uint64_t length = 0;
    int64_t nulls = 0;  // as declared; below zero: not known
  };
  struct Place {
    uint64_t offset = 0;  // in source()
    uint64_t bytes = 0;
  };
  // Where the next column's nodes and buffers are.
  struct Cursor {
    size_t node = 0;
    size_t buffer = 0;
    size_t views = 0;  // in view_buffers()
  };

  // kInvalid where the message contradicts itself; kLimit when decompressed buffers would pass `bytes_max`, found
  // before anything is decompressed; kUnsupported for a codec that Arrow does not have yet.
  static Result<ArrowBody> open(ByteSource& source, const ArrowMessage& message, uint64_t bytes_max);

  ByteSource& source() const { return memory_ == nullptr ? *source_ : *memory_; }
  uint64_t rows() const { return rows_; }
  // kInvalid when nodes or buffers are left behind the last column's.
  Status check_used(const Cursor& end) const;
  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<Place>& buffers() const { return buffers_; }
  // Of each column of views: how many buffers of bytes it has. In order of the columns.
  const std::vector<uint64_t>& view_buffers() const { return view_buffers_; }

 private:
  explicit ArrowBody(ByteSource& source) : source_(&source) {}
  Status read_places(const ArrowMessage& message);
  Status decompress(bool zstd, uint64_t bytes_max);

  ByteSource* source_;
  std::unique_ptr<ByteSource> memory_;  // decompressed buffers, one after the other
  uint64_t rows_ = 0;
  std::vector<Node> nodes_;
  std::vector<Place> buffers_;
  std::vector<uint64_t> view_buffers_;
};

}  // namespace stela::fsd

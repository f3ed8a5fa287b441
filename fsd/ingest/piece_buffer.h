// PieceBuffer: the next bytes of a file, with room behind them that scanners may read.
#pragma once

#include <algorithm>
#include <cstring>

#include "engine/base/buffer.h"
#include "fsd/ingest/ingest.h"

namespace stela::fsd {

// One thread at a time. Memory: the piece, doubled for a record that is longer than one.
class PieceBuffer {
 public:
  PieceBuffer(size_t piece_bytes, size_t padding) : piece_bytes_(piece_bytes), padding_(padding) {}

  char* data() { return reinterpret_cast<char*>(bytes_.data()); }
  size_t size() const { return size_; }
  // Bytes at the front that are used up.
  size_t spent() const { return spent_; }
  void spend(size_t bytes) { spent_ += bytes; }

  // Drops what is spent and reads on: at least one byte more than before if there are any below `end`. The first byte
  // that is not spent lies at `offset` of the source. Padding is zero.
  Status fill(ByteSource& source, uint64_t offset, uint64_t end, bool* at_end) {
    const size_t kept = size_ - spent_;
    if (spent_ > 0 && kept > 0) std::memmove(bytes_.data(), bytes_.data() + spent_, kept);
    spent_ = 0;
    size_ = kept;
    const uint64_t next = offset + kept;
    const uint64_t left = end > next ? end - next : 0;
    const size_t room = kept < piece_bytes_ / 2 ? piece_bytes_ - kept : std::max<size_t>(kept, 1);
    const auto wanted = static_cast<size_t>(std::min<uint64_t>(left, room));
    bytes_.resize(kept + wanted + padding_);
    if (wanted > 0) STELA_TRY(source.read(next, {bytes_.data() + kept, wanted}));
    size_ = kept + wanted;
    std::memset(bytes_.data() + size_, 0, padding_);
    *at_end = wanted == left;
    return {};
  }

 private:
  const size_t piece_bytes_;
  const size_t padding_;
  Buffer bytes_;
  size_t size_ = 0;
  size_t spent_ = 0;
};

}  // namespace stela::fsd

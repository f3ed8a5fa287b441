// Page chunks: a page divided so that one value costs what all rows need, kept once it was read, and one chunk. Small
// values lie in chunks of some thousand (Lance calls that mini-block), large ones in chunks of their own (full-zip).
// Bytes: fragment_format.md, "Chunks".
#pragma once

#include <functional>
#include <optional>

#include "engine/base/status.h"
#include "engine/format/row_strips.h"

namespace stela::format {

// A chunk has fewer bytes than this, or one row.
inline constexpr uint64_t kChunkBytesMax = 32 << 10;
inline constexpr uint64_t kChunkRowsMax = 4096;
// Values of at least so many bytes are large: their chunks hold fewer bytes than the second number, or one row.
inline constexpr uint64_t kLargeValueBytes = 256, kLargeChunkBytesMax = 4 << 10;

// A page that is divided, as it is stored: the table and what all rows need in its front, then the chunks.
struct DividedPage {
  Buffer front;
  Buffer joined;  // the chunks, where they are not a part of the encoded page as it was
  ByteSpan chunks;
};
// Gives the seal of a chunk.
using ChunkSeal = std::function<uint32_t(uint64_t number, ByteSpan bytes)>;
// `encoded` must outlive what it gives: nothing where a chunk would be larger than it may. `lengths`: bytes at its
// beginning that tell lengths of values. O(bytes).
std::optional<DividedPage> divide_page(ByteSpan encoded, const RowStrips& strips, uint64_t rows, uint64_t value_bytes,
                                       uint64_t lengths, const ChunkSeal& seal);

struct PageChunk {
  uint64_t first_row = 0;
  uint64_t offset = 0;  // behind the front
  uint64_t bytes = 0;
  uint32_t crc = 0;
};

class ChunkTable {
 public:
  // Takes it from the beginning of `front`, which then is what all rows need. Untrusted bytes: kDamaged.
  static Result<ChunkTable> take(ByteSpan& front, uint64_t rows, uint64_t stored_bytes);

  // The lengths of values are told by what all rows need.
  bool has_lengths_in_front() const { return lengths_in_front_; }
  // What all rows need and then the chunks are the encoded page as it was.
  bool is_in_order() const { return strips_.size() == 1 && strips_[0] == shared_bytes_; }
  uint64_t encoded_bytes() const { return encoded_bytes_; }
  uint32_t chunks() const { return static_cast<uint32_t>(chunks_.size()); }
  const PageChunk& chunk(uint32_t number) const { return chunks_[number]; }
  // Of a row of the page.
  uint32_t chunk_of(uint64_t row) const;
  // Copies what all rows need, or a chunk, to its places in the encoded page.
  void place_shared(ByteSpan shared, std::byte* page) const;
  void place_chunk(uint32_t number, ByteSpan bytes, std::byte* page) const;

 private:
  struct Piece {
    uint64_t at = 0;  // in the encoded page
    uint64_t bytes = 0;
  };
  bool lengths_in_front_ = true;
  uint64_t encoded_bytes_ = 0;
  uint64_t shared_bytes_ = 0;
  PooledVector<uint64_t> strips_;  // where they begin
  PooledVector<PageChunk> chunks_;
  PooledVector<Piece> pieces_;  // of each chunk one of each strip
};

}  // namespace stela::format

#include "engine/format/page_chunks.h"

#include <algorithm>
#include <limits>

#include "engine/base/coding.h"

namespace stela::format {
namespace {

constexpr uint64_t kStripsMax = 32;
constexpr uint64_t kLengthsInChunks = 1;

// The rows at which every strip can be cut, with the bytes of each strip before them.
struct SharedCut {
  uint64_t rows = 0;
  std::vector<uint64_t> ends;
};

class SharedCuts {
 public:
  explicit SharedCuts(const RowStrips& strips) : strips_(strips), at_(strips.size()) {}
  // The next cut behind `rows` rows; false behind the last.
  bool next(SharedCut* cut) {
    for (; at_[0] < strips_[0].cuts.size(); ++at_[0]) {
      const uint64_t rows = strips_[0].cuts[at_[0]].rows;
      bool everywhere = rows > 0;
      for (size_t i = 1; i < strips_.size() && everywhere; ++i) {
        const std::vector<RowCut>& cuts = strips_[i].cuts;
        while (at_[i] < cuts.size() && cuts[at_[i]].rows < rows) ++at_[i];
        everywhere = at_[i] < cuts.size() && cuts[at_[i]].rows == rows;
      }
      if (!everywhere) continue;
      cut->rows = rows;
      cut->ends.clear();
      for (size_t i = 0; i < strips_.size(); ++i) cut->ends.push_back(strips_[i].cuts[at_[i]].end);
      ++at_[0];
      return true;
    }
    return false;
  }

 private:
  const RowStrips& strips_;
  std::vector<size_t> at_;
};

uint64_t sum_of_ends(const SharedCut& cut) {
  uint64_t sum = 0;
  for (uint64_t end : cut.ends) sum += end;
  return sum;
}

// Where chunks end; empty where one would be too large.
std::vector<SharedCut> chunk_ends(const RowStrips& strips, uint64_t bytes_max) {
  std::vector<SharedCut> ends;
  SharedCuts cuts(strips);
  SharedCut begin, last, cut;
  begin.ends.assign(strips.size(), 0);
  last = begin;
  auto close = [&] {
    const bool fits = sum_of_ends(last) - sum_of_ends(begin) < kChunkBytesMax || last.rows == begin.rows + 1;
    ends.push_back(last);
    begin = last;
    return fits;
  };
  while (cuts.next(&cut)) {
    const bool fits = sum_of_ends(cut) - sum_of_ends(begin) < bytes_max && cut.rows - begin.rows <= kChunkRowsMax;
    if (!fits && last.rows > begin.rows && !close()) return {};
    last = cut;
  }
  if (last.rows > begin.rows && !close()) return {};
  return ends;
}

}  // namespace

std::optional<DividedPage> divide_page(ByteSpan encoded, const RowStrips& strips, uint64_t rows, uint64_t value_bytes,
                                       uint64_t lengths, const ChunkSeal& seal) {
  if (strips.empty() || strips.size() > kStripsMax) return std::nullopt;
  const bool is_large = value_bytes / rows >= kLargeValueBytes;
  const std::vector<SharedCut> ends = chunk_ends(strips, is_large ? kLargeChunkBytesMax : kChunkBytesMax);
  if (ends.empty() || ends.back().rows != rows) return std::nullopt;
  DividedPage page;
  std::string table;
  const auto first_strip = static_cast<uint64_t>(strips[0].begin - encoded.data());
  put_varint(table, first_strip < lengths ? kLengthsInChunks : 0);
  put_varint(table, strips.size());
  Buffer shared;
  uint64_t at = 0;
  for (const RowStrip& strip : strips) {
    const auto begin = static_cast<uint64_t>(strip.begin - encoded.data());
    put_varint(table, begin - at);
    shared.append(encoded.subspan(at, begin - at));
    at = begin + strip.bytes();
  }
  shared.append(encoded.subspan(at));
  put_varint(table, ends.size());
  // Of one strip the chunks are already one behind the other.
  if (strips.size() == 1) page.chunks = {strips[0].begin, static_cast<size_t>(strips[0].bytes())};
  SharedCut before;
  before.ends.assign(strips.size(), 0);
  std::vector<uint64_t> chunk_bytes;
  for (const SharedCut& end : ends) {
    put_varint(table, end.rows - before.rows);
    for (size_t i = 0; i < strips.size(); ++i) {
      const uint64_t bytes = end.ends[i] - before.ends[i];
      put_varint(table, bytes);
      if (strips.size() > 1) page.joined.append({strips[i].begin + before.ends[i], static_cast<size_t>(bytes)});
    }
    chunk_bytes.push_back(sum_of_ends(end) - sum_of_ends(before));
    before = end;
  }
  if (strips.size() > 1) page.chunks = page.joined.span();
  uint64_t from = 0;
  for (size_t number = 0; number < ends.size(); ++number) {
    put_fixed(table, seal(number, page.chunks.subspan(from, chunk_bytes[number])));
    from += chunk_bytes[number];
  }
  page.front.append_value(static_cast<uint32_t>(table.size()));
  page.front.append(as_bytes(table));
  page.front.append(shared.span());
  return page;
}

Result<ChunkTable> ChunkTable::take(ByteSpan& front, uint64_t rows, uint64_t stored_bytes) {
  auto wrong = [] { return damaged("the table of its chunks is malformed"); };
  if (front.size() < sizeof(uint32_t)) return wrong();
  const uint64_t bytes = get_fixed<uint32_t>(front.data());
  if (bytes > front.size() - sizeof(uint32_t)) return wrong();
  Decoder in(as_text(front.subspan(sizeof(uint32_t), bytes)));
  front = front.subspan(sizeof(uint32_t) + bytes);
  ChunkTable table;
  table.shared_bytes_ = front.size();
  table.encoded_bytes_ = front.size() + stored_bytes;
  uint64_t flags = 0, strips = 0, chunks = 0;
  if (!in.varint_upto(kLengthsInChunks, &flags) || !in.varint_upto(kStripsMax, &strips) || strips == 0) return wrong();
  table.lengths_in_front_ = flags == 0;
  PooledVector<uint64_t> gaps(strips);
  uint64_t left = front.size();
  for (uint64_t& gap : gaps) {
    if (!in.varint_upto(left, &gap)) return wrong();
    left -= gap;
  }
  // A chunk says its rows, the bytes of each strip and its seal.
  if (!in.varint_upto(bytes / (1 + strips + sizeof(uint32_t)), &chunks) || chunks == 0) return wrong();
  table.chunks_.resize(chunks);
  table.pieces_.resize(chunks * strips);
  PooledVector<uint64_t> of_strip(strips);
  uint64_t rows_left = rows, bytes_left = stored_bytes;
  for (uint64_t number = 0; number < chunks; ++number) {
    PageChunk& chunk = table.chunks_[number];
    chunk.first_row = rows - rows_left;
    chunk.offset = stored_bytes - bytes_left;
    uint64_t chunk_rows = 0;
    if (!in.varint_upto(rows_left, &chunk_rows) || chunk_rows == 0) return wrong();
    rows_left -= chunk_rows;
    for (uint64_t strip = 0; strip < strips; ++strip) {
      Piece& piece = table.pieces_[number * strips + strip];
      if (!in.varint_upto(bytes_left, &piece.bytes)) return wrong();
      bytes_left -= piece.bytes;
      chunk.bytes += piece.bytes;
      piece.at = of_strip[strip];
      of_strip[strip] += piece.bytes;
    }
  }
  for (PageChunk& chunk : table.chunks_) {
    if (!in.fixed(&chunk.crc)) return wrong();
  }
  if (rows_left != 0 || bytes_left != 0 || !in.at_end()) return wrong();
  uint64_t at = 0;
  for (uint64_t strip = 0; strip < strips; ++strip) {
    table.strips_.push_back(at += gaps[strip]);
    for (uint64_t number = 0; number < chunks; ++number) table.pieces_[number * strips + strip].at += at;
    at += of_strip[strip];
  }
  return table;
}

uint32_t ChunkTable::chunk_of(uint64_t row) const {
  const auto behind = std::upper_bound(chunks_.begin(), chunks_.end(), row,
                                       [](uint64_t wanted, const PageChunk& chunk) { return wanted < chunk.first_row; });
  return static_cast<uint32_t>(behind - chunks_.begin() - 1);
}

void ChunkTable::place_shared(ByteSpan shared, std::byte* page) const {
  const Piece* last = &pieces_[pieces_.size() - strips_.size()];
  uint64_t at = 0, to = 0;
  for (size_t strip = 0; strip < strips_.size(); ++strip) {
    std::copy_n(shared.data() + at, strips_[strip] - to, page + to);
    at += strips_[strip] - to;
    to = last[strip].at + last[strip].bytes;
  }
  std::copy_n(shared.data() + at, shared.size() - at, page + to);
}

void ChunkTable::place_chunk(uint32_t number, ByteSpan bytes, std::byte* page) const {
  const Piece* pieces = &pieces_[number * strips_.size()];
  uint64_t at = 0;
  for (size_t strip = 0; strip < strips_.size(); ++strip) {
    std::copy_n(bytes.data() + at, pieces[strip].bytes, page + pieces[strip].at);
    at += pieces[strip].bytes;
  }
}

}  // namespace stela::format

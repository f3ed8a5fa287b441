#include "engine/format/roaring_encoding.h"

#include <roaring/roaring.h>

#include "engine/format/encoding_choice.h"
#include "engine/format/page_chunks.h"

namespace stela::format {
namespace {

// RoaringFormatSpec, without containers of runs: cookie u32, containers u32, of each key u16 and bits less one u16, of
// each where it begins u32, containers. One of up to 4,096 bits is their low halves u16, else it is 65,536 bits.
constexpr uint32_t kCookie = 12346;
constexpr uint64_t kBitmapHeadBytes = 2 * sizeof(uint32_t), kContainerHeadBytes = 2 * sizeof(uint32_t);
constexpr uint64_t kContainerRows = 1 << 16, kArrayBitsMax = 4096, kBitsBytes = kContainerRows / 8;
// Rows of which the index tells where they begin.
constexpr uint64_t kBlockRows = kChunkRowsMax, kContainerBlocks = kContainerRows / kBlockRows;

Status bad_bitmap() { return damaged("the bitmap of a Roaring page is malformed"); }

uint64_t blocks_of(uint64_t rows) { return (rows + kBlockRows - 1) / kBlockRows; }

uint32_t position_at(ByteSpan array, uint64_t index) {
  return get_fixed<uint16_t>(array.data() + index * sizeof(uint16_t));
}

// The least index, of [low, high), of a position that is not below; of ascending ones.
uint64_t index_of(ByteSpan array, uint64_t low, uint64_t high, uint32_t position) {
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    (position_at(array, middle) < position ? low = middle + 1 : high = middle);
  }
  return low;
}

struct BitContainer {
  uint64_t first_row = 0;
  bool is_array = false;
  ByteSpan bytes;
  uint64_t positions() const { return bytes.size() / sizeof(uint16_t); }  // of an array
};

// Value of the rows whose bits are set u8, the index, then their bitmap, read where it lies: nothing is allocated for
// what it says.
class RoaringPage {
 public:
  static Result<RoaringPage> open(ByteSpan encoded, uint64_t rows, bool is_indexed) {
    RoaringPage page;
    page.rows_ = rows;
    const uint64_t index_bytes = is_indexed ? blocks_of(rows) * sizeof(uint16_t) : 0;
    if (encoded.size() < 1 + index_bytes + kBitmapHeadBytes || encoded[0] > std::byte{1}) return bad_bitmap();
    page.marked_ = encoded[0];
    if (is_indexed) page.index_ = encoded.data() + 1;
    page.bitmap_ = encoded.subspan(1 + index_bytes);
    page.count_ = get_fixed<uint32_t>(page.bitmap_.data() + sizeof(uint32_t));
    if (get_fixed<uint32_t>(page.bitmap_.data()) != kCookie) return bad_bitmap();
    if (page.count_ > (rows + kContainerRows - 1) / kContainerRows) return bad_bitmap();
    if (page.count_ * kContainerHeadBytes > page.bitmap_.size() - kBitmapHeadBytes) return bad_bitmap();
    for (uint32_t i = 1; i < page.count_; ++i) {
      if (page.key(i) <= page.key(i - 1)) return bad_bitmap();
    }
    return page;
  }
  uint32_t containers() const { return count_; }
  // The first that ends behind `row`, or their number.
  uint32_t container_of(uint64_t row) const {
    uint32_t low = 0, high = count_;
    while (low < high) {
      const uint32_t middle = low + (high - low) / 2;
      (key(middle) < row / kContainerRows ? low = middle + 1 : high = middle);
    }
    return low;
  }
  Result<BitContainer> container(uint32_t i) const {
    const uint64_t bits = uint64_t{get_fixed<uint16_t>(head(i) + sizeof(uint16_t))} + 1;
    const uint64_t at = get_fixed<uint32_t>(bitmap_.data() + kBitmapHeadBytes + (count_ + i) * sizeof(uint32_t));
    BitContainer found;
    found.first_row = key(i) * kContainerRows;
    found.is_array = bits <= kArrayBitsMax;
    const uint64_t bytes = found.is_array ? bits * sizeof(uint16_t) : kBitsBytes;
    if (at > bitmap_.size() || bytes > bitmap_.size() - at) return bad_bitmap();
    found.bytes = bitmap_.subspan(at, bytes);
    return found;
  }
  // How many positions of an array are of rows before this block of it; the number of its blocks asks for all.
  uint64_t positions_before(const BitContainer& array, uint64_t block) const {
    const uint64_t of_page = array.first_row / kBlockRows + block;
    if (block >= kContainerBlocks || of_page >= blocks_of(rows_)) return array.positions();
    return std::min<uint64_t>(get_fixed<uint16_t>(index_ + of_page * sizeof(uint16_t)), array.positions());
  }
  // Rows [first, first + count).
  Status read(uint64_t first, uint64_t count, std::byte* to) const {
    std::memset(to, static_cast<int>(marked_ ^ std::byte{1}), count);
    for (uint32_t i = container_of(first); i < count_ && key(i) * kContainerRows < first + count; ++i) {
      STELA_ASSIGN(const BitContainer found, container(i));
      const uint64_t begin = std::max(first, found.first_row);
      const uint64_t end = std::min(first + count, found.first_row + kContainerRows);
      STELA_TRY(mark(found, static_cast<uint32_t>(begin - found.first_row), static_cast<uint32_t>(end - begin),
                     to + (begin - first)));
    }
    return {};
  }
  Result<std::byte> one(uint64_t row) const {
    std::byte value{};
    STELA_TRY(read(row, 1, &value));
    return value;
  }

 private:
  const std::byte* head(uint32_t i) const { return bitmap_.data() + kBitmapHeadBytes + i * sizeof(uint32_t); }
  uint64_t key(uint32_t i) const { return get_fixed<uint16_t>(head(i)); }
  // Positions [first, first + count) of a container; looks at the bytes of their blocks only.
  Status mark(const BitContainer& container, uint32_t first, uint32_t count, std::byte* to) const {
    if (!container.is_array) {
      for (uint32_t i = 0; i < count; ++i) {
        const uint32_t at = first + i;
        const std::byte bit = (container.bytes[at / 8] >> (at % 8)) & std::byte{1};
        to[i] = bit ^ marked_ ^ std::byte{1};
      }
      return {};
    }
    uint64_t low = 0, high = container.positions();
    if (index_ != nullptr) {
      low = positions_before(container, first / kBlockRows);
      high = positions_before(container, (first + count - 1) / kBlockRows + 1);
    }
    for (uint64_t i = index_of(container.bytes, low, high, first); i < high; ++i) {
      const uint32_t position = position_at(container.bytes, i);
      if (position < first) return bad_bitmap();
      if (position - first >= count) break;
      to[position - first] = marked_;
    }
    return {};
  }
  uint64_t rows_ = 0;
  std::byte marked_{};
  const std::byte* index_ = nullptr;  // of blocks u16; none in pages of earlier releases
  ByteSpan bitmap_;
  uint32_t count_ = 0;
};

struct FreeBitmap {
  void operator()(roaring_bitmap_t* bitmap) const { roaring_bitmap_free(bitmap); }
};

uint64_t trues_of(const ColumnView& values) {
  uint64_t trues = 0;
  for (uint64_t row = 0; row < values.rows; ++row) trues += values.values[row] == std::byte{1} ? 1 : 0;
  return trues;
}

}  // namespace

std::optional<uint64_t> RoaringEncoding::estimate(const ValueSample& sample, EncodingMode) const {
  if (!is_indexed_) return std::nullopt;
  const uint64_t rows = sample.all().rows;
  const uint64_t trues = std::min(rows, sample.scale_vectors(trues_of));
  const uint64_t containers = (rows + kContainerRows - 1) / kContainerRows;
  const uint64_t bits = std::min(trues, rows - trues) * sizeof(uint16_t);
  return 1 + blocks_of(rows) * sizeof(uint16_t) + kBitmapHeadBytes + containers * kContainerHeadBytes +
         std::min(bits, containers * kBitsBytes);
}

Status RoaringEncoding::encode(const ColumnView& values, EncodingMode, Buffer& out) const {
  if (!is_indexed_) return unsupported("Roaring pages without an index are not written any more");
  const std::byte marked = 2 * trues_of(values) <= values.rows ? std::byte{1} : std::byte{0};
  std::vector<uint32_t> positions;
  std::vector<uint16_t> index;
  uint64_t before_container = 0;
  for (uint64_t row = 0; row < values.rows; ++row) {
    if (values.values[row] > std::byte{1}) return unsupported("a boolean is neither 0 nor 1");
    if (row % kContainerRows == 0) before_container = positions.size();
    if (row % kBlockRows == 0) index.push_back(static_cast<uint16_t>(positions.size() - before_container));
    if (values.values[row] == marked) positions.push_back(static_cast<uint32_t>(row));
  }
  const std::unique_ptr<roaring_bitmap_t, FreeBitmap> bitmap(roaring_bitmap_of_ptr(positions.size(), positions.data()));
  if (bitmap == nullptr) throw std::bad_alloc();
  out.append_value(marked);
  for (uint16_t before : index) out.append_value(before);
  const size_t at = out.size();
  out.resize(at + roaring_bitmap_portable_size_in_bytes(bitmap.get()));
  roaring_bitmap_portable_serialize(bitmap.get(), reinterpret_cast<char*>(out.data() + at));
  return {};
}

Status RoaringEncoding::decode_range(ByteSpan encoded, const DataType&, uint64_t rows, uint64_t first, uint64_t count,
                                     ColumnData& out) const {
  STELA_TRY(check_page_range(rows, first, count));
  STELA_ASSIGN(const RoaringPage page, RoaringPage::open(encoded, rows, is_indexed_));
  if (count == 0) return {};
  return page.read(first, count, out.grow_fixed(count));
}

Status RoaringEncoding::decode_rows(ByteSpan encoded, const DataType&, uint64_t rows, std::span<const uint32_t> wanted,
                                    ColumnData& out) const {
  STELA_TRY(check_page_rows(rows, wanted));
  STELA_ASSIGN(const RoaringPage page, RoaringPage::open(encoded, rows, is_indexed_));
  std::byte* to = out.grow_fixed(wanted.size());
  for (uint32_t row : wanted) {
    STELA_ASSIGN(*to, page.one(row));
    ++to;
  }
  return {};
}

void RoaringEncoding::append_strips(ByteSpan encoded, const DataType&, uint64_t rows, RowStrips& out) const {
  const RoaringPage page = trusted(RoaringPage::open(encoded, rows, is_indexed_));
  if (page.containers() == 0) return;
  RowStrip strip;
  strip.begin = trusted(page.container(0)).bytes.data();
  uint64_t end = 0;  // of the containers so far
  uint32_t next = 0;
  for (uint64_t first = 0; first < rows; first += kContainerRows) {
    const bool is_told = next < page.containers() && trusted(page.container(next)).first_row == first;
    const BitContainer container = is_told ? trusted(page.container(next++)) : BitContainer();
    for (uint64_t block = 1; block <= kContainerBlocks && first + (block - 1) * kBlockRows < rows; ++block) {
      uint64_t bytes = block * (kBlockRows / 8);
      if (!is_told || container.is_array) bytes = page.positions_before(container, block) * sizeof(uint16_t);
      strip.cuts.push_back({std::min(rows, first + block * kBlockRows), end + bytes});
    }
    end += container.bytes.size();
  }
  strip.cuts.back().end = end;
  out.push_back(std::move(strip));
}

}  // namespace stela::format

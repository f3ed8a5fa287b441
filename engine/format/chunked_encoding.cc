#include "engine/format/chunked_encoding.h"

#include <limits>

#include "engine/format/encoding_choice.h"
#include "engine/format/packed_vectors.h"
#include "engine/format/page_chunks.h"
#include "engine/format/row_groups.h"

namespace stela::format {
namespace {

constexpr uint64_t kChunkBytes = kChunkBytesMax - 1;
constexpr uint8_t kFlagPrefix = 1;
constexpr uint64_t kChunkedHeadBytes = 1 + sizeof(uint32_t);
constexpr uint64_t kChunkIndexBytes = 2 * sizeof(uint32_t);  // of a chunk
constexpr uint64_t kSampledBytesMin = 512;

// Booleans are kept as bits, least significant first, from a new byte in each chunk.
bool is_bits(const DataType& type) { return type.kind == TypeKind::kBool && !type.is_tensor(); }

uint64_t fixed_bytes(const DataType& type, uint64_t rows) {
  return is_bits(type) ? (rows + 7) / 8 : rows * type.value_width();
}

ByteSpan raw_values(const ColumnView& values, Buffer& bits) {
  if (!is_bits(*values.type)) {
    const std::byte* begin = values.values + (values.type->is_variable() ? values.offsets[0] : 0);
    return {begin, static_cast<size_t>(values.value_bytes())};
  }
  bits.clear();
  bits.append_zeros((values.rows + 7) / 8);
  for (uint64_t row = 0; row < values.rows; ++row) {
    bits.data()[row / 8] |= values.values[row] << (row % 8);
  }
  return bits.span();
}

// Rows of the chunk that begins with the first of `values`; where they are of one width, in whole vectors.
uint64_t chunk_rows(const ColumnView& values) {
  const uint64_t rows_max = std::min(values.rows, kChunkRowsMax);
  if (!values.type->is_variable()) {
    const uint64_t fitting = std::max<uint64_t>(1, kChunkBytes / values.type->value_width());
    return std::min(rows_max, fitting < kVectorRows ? fitting : fitting / kVectorRows * kVectorRows);
  }
  const uint64_t* end =
      std::upper_bound(values.offsets, values.offsets + rows_max + 1, values.offsets[0] + kChunkBytes);
  return std::max<uint64_t>(1, static_cast<uint64_t>(end - values.offsets) - 1);
}

bool all_are_bits(const ColumnView& values) {
  return std::all_of(values.values, values.values + values.rows, [](std::byte value) { return value <= std::byte{1}; });
}

Status append_lengths(const ColumnView& values, Buffer& out) {
  std::vector<uint32_t> lengths(values.rows);
  for (uint64_t row = 0; row < values.rows; ++row) {
    const uint64_t length = values.offsets[row + 1] - values.offsets[row];
    if (length > std::numeric_limits<uint32_t>::max()) return {Code::kLimit, "one value is larger than 4 GiB"};
    lengths[row] = static_cast<uint32_t>(length);
  }
  Buffer packed;
  append_packed(lengths.data(), values.rows, false, PackedHeads::kPlain, packed);
  out.append_value(static_cast<uint32_t>(packed.size()));
  out.append(packed.span());
  return {};
}

Result<PackedReader<uint32_t>> open_lengths(ByteSpan& rest, uint64_t rows) {
  if (rest.size() < sizeof(uint32_t)) return damaged("a page of chunks is cut short");
  const auto bytes = get_fixed<uint32_t>(rest.data());
  rest = rest.subspan(sizeof(uint32_t));
  if (bytes > rest.size()) return damaged("a page of chunks is shorter than its lengths");
  const ByteSpan packed = rest.first(bytes);
  rest = rest.subspan(bytes);
  return PackedReader<uint32_t>::open(packed, rows);
}

Result<PooledVector<uint32_t>> read_lengths(PackedReader<uint32_t>& reader, uint64_t rows, uint64_t first,
                                            uint64_t count) {
  PooledVector<uint32_t> lengths(count);
  STELA_TRY(decode_vectors(rows, first, count, lengths.data(),
                           [&](uint64_t vector, uint32_t* to) { return reader.vector(vector, to); }));
  return lengths;
}

uint64_t total_of(std::span<const uint32_t> lengths) {
  uint64_t sum = 0;
  for (uint32_t length : lengths) sum += length;
  return sum;
}

struct Chunk {
  uint64_t first_row = 0, rows = 0;
  uint64_t raw_bytes = 0;
  ByteSpan stored;
  uint64_t end_row() const { return first_row + rows; }
};

// Lengths (of text and binary), flags u8, number of chunks u32, their end rows u32, their ends u32, their bytes.
class ChunkedPage {
 public:
  static Result<ChunkedPage> open(ByteSpan encoded, const DataType& type, uint64_t rows) {
    ChunkedPage page;
    page.type_ = &type;
    page.rows_ = rows;
    if (type.is_variable()) {
      STELA_ASSIGN(PackedReader<uint32_t> lengths, open_lengths(encoded, rows));
      page.lengths_ = std::move(lengths);
    }
    if (encoded.size() < kChunkedHeadBytes) return damaged("a page of chunks is cut short");
    const auto flags = static_cast<uint8_t>(encoded[0]);
    if (flags > kFlagPrefix) return damaged("a page of chunks has flags that are not known");
    page.has_prefix_ = flags == kFlagPrefix;
    page.count_ = get_fixed<uint32_t>(encoded.data() + 1);
    encoded = encoded.subspan(kChunkedHeadBytes);
    if (page.count_ > rows || page.count_ > encoded.size() / kChunkIndexBytes) {
      return damaged("a page of chunks is shorter than its index");
    }
    page.index_ = encoded.data();
    page.bytes_ = encoded.subspan(page.count_ * kChunkIndexBytes);
    return page;
  }
  bool has_prefix() const { return has_prefix_; }
  uint64_t chunks() const { return count_; }
  // The first chunk that ends behind `row`; behind the last where the index is wrong.
  uint64_t chunk_of(uint64_t row) const {
    uint64_t low = 0, high = count_;
    while (low < high) {
      const uint64_t middle = low + (high - low) / 2;
      (end_row(middle) <= row ? low = middle + 1 : high = middle);
    }
    return low;
  }
  // Without raw_bytes where these depend on lengths.
  Result<Chunk> chunk(uint64_t number) const {
    if (number >= count_) return damaged("the index of a page of chunks does not reach its end");
    Chunk chunk;
    chunk.first_row = number == 0 ? 0 : end_row(number - 1);
    const uint64_t end = end_row(number);
    const uint64_t from = number == 0 ? 0 : end_byte(number - 1), to = end_byte(number);
    if (end <= chunk.first_row || end > rows_ || from > to || to > bytes_.size()) {
      return damaged("the index of a page of chunks is not in order");
    }
    chunk.rows = end - chunk.first_row;
    chunk.stored = bytes_.subspan(from, to - from);
    if (!type_->is_variable()) chunk.raw_bytes = fixed_bytes(*type_, chunk.rows);
    return chunk;
  }
  Result<PooledVector<uint32_t>> lengths(uint64_t first, uint64_t count) {
    return read_lengths(*lengths_, rows_, first, count);
  }

 private:
  uint64_t end_row(uint64_t number) const { return get_fixed<uint32_t>(index_ + number * sizeof(uint32_t)); }
  uint64_t end_byte(uint64_t number) const {
    return get_fixed<uint32_t>(index_ + (count_ + number) * sizeof(uint32_t));
  }
  const DataType* type_ = nullptr;
  uint64_t rows_ = 0;
  bool has_prefix_ = false;
  uint64_t count_ = 0;
  std::optional<PackedReader<uint32_t>> lengths_;
  const std::byte* index_ = nullptr;
  ByteSpan bytes_;
};

// The chunks that hold some rows, their sizes checked before anything is allocated for them.
struct ChunkRange {
  PooledVector<Chunk> chunks;
  PooledVector<uint32_t> lengths;  // of all their rows
  Chunk prefix;                    // where there is one and the first of these is not it

  static Result<ChunkRange> of(ChunkedPage& page, const DataType& type, uint64_t first, uint64_t count,
                               uint64_t ratio_max) {
    ChunkRange range;
    const uint64_t begin = page.chunk_of(first);
    for (uint64_t number = begin; range.chunks.empty() || range.chunks.back().end_row() < first + count; ++number) {
      STELA_ASSIGN(Chunk chunk, page.chunk(number));
      range.chunks.push_back(chunk);
    }
    const uint64_t first_row = range.chunks.front().first_row;
    if (type.is_variable()) {
      STELA_ASSIGN(range.lengths, page.lengths(first_row, range.chunks.back().end_row() - first_row));
      for (Chunk& chunk : range.chunks) {
        chunk.raw_bytes = total_of(std::span(range.lengths).subspan(chunk.first_row - first_row, chunk.rows));
      }
    }
    if (page.has_prefix() && begin > 0) {
      STELA_ASSIGN(range.prefix, page.chunk(0));
      if (type.is_variable()) {
        STELA_ASSIGN(const PooledVector<uint32_t> lengths, page.lengths(0, range.prefix.rows));
        range.prefix.raw_bytes = total_of(lengths);
      }
      STELA_TRY(check(range.prefix, ratio_max));
    }
    for (const Chunk& chunk : range.chunks) STELA_TRY(check(chunk, ratio_max));
    return range;
  }
  static Status check(const Chunk& chunk, uint64_t ratio_max) {
    if (chunk.raw_bytes > kPageValueBytesMax || chunk.raw_bytes / ratio_max > chunk.stored.size()) {
      return damaged("a chunk of a page says that it holds more than it can");
    }
    return {};
  }
};

void expand_bits(ByteSpan bits, uint64_t first, uint64_t count, std::byte* to) {
  for (uint64_t i = first; i < first + count; ++i) *to++ = (bits[i / 8] >> (i % 8)) & std::byte{1};
}

}  // namespace

std::optional<uint64_t> ChunkedEncoding::estimate(const ValueSample& sample, EncodingMode mode) const {
  const ColumnView& all = sample.all();
  if (mode == EncodingMode::kLight || all.rows == 0 || all.value_bytes() < kSampledBytesMin) return std::nullopt;
  if (is_bits(*all.type) && !all_are_bits(all)) return std::nullopt;
  Buffer bits;
  uint64_t raw = 0, stored = 0;
  for (const uint64_t part : {1, 3}) {
    const ColumnView rest = all.slice(all.rows * part / 4, all.rows - all.rows * part / 4);
    const ByteSpan bytes = raw_values(rest.slice(0, chunk_rows(rest)), bits);
    raw += bytes.size();
    stored += std::min<uint64_t>(sampled_bytes(bytes.first(std::min(bytes.size(), kChunkBytes))), bytes.size());
  }
  if (raw == 0) return std::nullopt;
  const uint64_t raw_of_all = is_bits(*all.type) ? fixed_bytes(*all.type, all.rows) : all.value_bytes();
  double bytes = static_cast<double>(raw_of_all) * static_cast<double>(stored) / static_cast<double>(raw);
  if (all.type->is_variable()) {
    bytes += static_cast<double>(sample.scale_vectors([](const ColumnView& vector) -> uint64_t {
      uint32_t lengths[kVectorRows];
      for (uint64_t row = 0; row < vector.rows; ++row) {
        lengths[row] = static_cast<uint32_t>(vector.offsets[row + 1] - vector.offsets[row]);
      }
      return plan_vector(lengths, static_cast<uint32_t>(vector.rows), false).bytes;
    }));
  }
  return static_cast<uint64_t>(bytes) + kChunkedHeadBytes + (raw_of_all / kChunkBytes + 1) * kChunkIndexBytes;
}

Status ChunkedEncoding::encode(const ColumnView& values, EncodingMode, Buffer& out) const {
  if (is_bits(*values.type) && !all_are_bits(values)) return unsupported("a boolean is neither 0 nor 1");
  if (values.value_bytes() > std::numeric_limits<uint32_t>::max()) return unsupported("a page has more than 4 GiB");
  if (values.type->is_variable()) STELA_TRY(append_lengths(values, out));
  std::vector<ColumnView> chunks;
  for (uint64_t row = 0; row < values.rows; row += chunks.back().rows) {
    const ColumnView rest = values.slice(row, values.rows - row);
    chunks.push_back(rest.slice(0, chunk_rows(rest)));
  }
  Buffer first_bits, bits, bytes, compressed;
  const ByteSpan first = chunks.empty() ? ByteSpan() : raw_values(chunks[0], first_bits);
  const ByteSpan second = chunks.size() < 2 ? ByteSpan() : raw_values(chunks[1], bits);
  const std::unique_ptr<ChunkCompressor> codec = compressor(first, second);
  out.append_value(static_cast<uint8_t>(codec->uses_prefix() ? kFlagPrefix : 0));
  out.append_value(static_cast<uint32_t>(chunks.size()));
  uint64_t end = 0;
  for (const ColumnView& chunk : chunks) out.append_value(static_cast<uint32_t>(end += chunk.rows));
  for (size_t i = 0; i < chunks.size(); ++i) {
    const ByteSpan raw = raw_values(chunks[i], bits);
    compressed.clear();
    STELA_TRY(codec->compress(raw, i > 0 && codec->uses_prefix() ? first : ByteSpan(), compressed));
    bytes.append(compressed.size() < raw.size() ? compressed.span() : raw);
    out.append_value(static_cast<uint32_t>(bytes.size()));
  }
  out.append(bytes.span());
  return {};
}

uint64_t ChunkedEncoding::lengths_bytes(ByteSpan encoded, const DataType& type, uint64_t) const {
  return type.is_variable() ? sizeof(uint32_t) + get_fixed<uint32_t>(encoded.data()) : 0;
}

Status ChunkedEncoding::decode_range(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first,
                                     uint64_t count, ColumnData& out) const {
  STELA_TRY(check_page_range(rows, first, count));
  STELA_ASSIGN(ChunkedPage page, ChunkedPage::open(encoded, type, rows));
  if (count == 0) return {};
  STELA_ASSIGN(const ChunkRange range, ChunkRange::of(page, type, first, count, ratio_max()));
  auto unpack = [&](const Chunk& chunk, ByteSpan prefix, MutableByteSpan to) -> Status {
    if (chunk.stored.size() != to.size()) return decompress(chunk.stored, prefix, to);
    if (!to.empty()) std::memcpy(to.data(), chunk.stored.data(), to.size());
    return {};
  };
  Buffer first_chunk, scratch;
  ByteSpan prefix;
  if (range.prefix.rows > 0) {
    first_chunk.resize(range.prefix.raw_bytes);
    STELA_TRY(unpack(range.prefix, {}, first_chunk.span()));
    prefix = first_chunk.span();
  }
  const uint64_t lengths_row = range.chunks.front().first_row;
  std::byte* to = type.is_variable() ? out.grow_variable(range.lengths.data() + (first - lengths_row), count)
                                     : out.grow_fixed(count);
  for (const Chunk& chunk : range.chunks) {
    const uint64_t begin = std::max(first, chunk.first_row), end = std::min(first + count, chunk.end_row());
    const bool is_first = page.has_prefix() && chunk.first_row == 0;
    if (begin == chunk.first_row && end == chunk.end_row() && !is_bits(type)) {
      const MutableByteSpan all{to, static_cast<size_t>(chunk.raw_bytes)};
      STELA_TRY(unpack(chunk, prefix, all));
      to += chunk.raw_bytes;
      if (is_first) prefix = all;
      continue;
    }
    Buffer& whole = is_first ? first_chunk : scratch;
    whole.resize(chunk.raw_bytes);
    STELA_TRY(unpack(chunk, prefix, whole.span()));
    if (is_first) prefix = whole.span();
    if (is_bits(type)) {
      expand_bits(whole.span(), begin - chunk.first_row, end - begin, to);
      to += end - begin;
      continue;
    }
    uint64_t skipped = fixed_bytes(type, begin - chunk.first_row), taken = fixed_bytes(type, end - begin);
    if (type.is_variable()) {
      const std::span<const uint32_t> lengths(range.lengths);
      skipped = total_of(lengths.subspan(chunk.first_row - lengths_row, begin - chunk.first_row));
      taken = total_of(lengths.subspan(begin - lengths_row, end - begin));
    }
    if (taken > 0) std::memcpy(to, whole.data() + skipped, taken);
    to += taken;
  }
  return {};
}

Status ChunkedEncoding::decode_rows(ByteSpan encoded, const DataType& type, uint64_t rows,
                                    std::span<const uint32_t> wanted, ColumnData& out) const {
  STELA_TRY(check_page_rows(rows, wanted));
  STELA_ASSIGN(const ChunkedPage page, ChunkedPage::open(encoded, type, rows));
  auto end_of_chunk = [&](uint64_t row) -> Result<uint64_t> {
    STELA_ASSIGN(const Chunk chunk, page.chunk(page.chunk_of(row)));
    return chunk.end_row();
  };
  return decode_row_groups(*this, encoded, type, rows, wanted, end_of_chunk, out);
}

Result<uint64_t> ChunkedEncoding::value_bytes(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first,
                                              uint64_t count) const {
  STELA_TRY(check_page_range(rows, first, count));
  if (!type.is_variable()) return count * type.value_width();
  STELA_ASSIGN(PackedReader<uint32_t> reader, open_lengths(encoded, rows));
  STELA_ASSIGN(const PooledVector<uint32_t> lengths, read_lengths(reader, rows, first, count));
  return total_of(lengths);
}

// A first chunk that is the prefix of the others is what all rows need.
void ChunkedEncoding::append_strips(ByteSpan encoded, const DataType& type, uint64_t rows, RowStrips& out) const {
  const ChunkedPage page = trusted(ChunkedPage::open(encoded, type, rows));
  RowStrip strip;
  for (uint64_t number = 0; number < page.chunks(); ++number) {
    const Chunk chunk = trusted(page.chunk(number));
    if (strip.begin == nullptr) strip.begin = chunk.stored.data() + (page.has_prefix() ? chunk.stored.size() : 0);
    strip.cuts.push_back(
        {chunk.end_row(), static_cast<uint64_t>(chunk.stored.data() + chunk.stored.size() - strip.begin)});
  }
  if (!strip.cuts.empty()) out.push_back(std::move(strip));
}

}  // namespace stela::format

#include "engine/format/rans_encoding.h"

#include "engine/format/encoding_choice.h"
#include "engine/format/page_chunks.h"
#include "engine/format/rans.h"
#include "engine/format/row_groups.h"

namespace stela::format {
namespace {

constexpr uint64_t kRansChunkRows = kChunkRowsMax;
constexpr uint64_t kRansChunkBytes = 20;  // of each chunk, besides its codes: size, what states waste, its seal
constexpr uint64_t kNibbleRows = 4;

uint64_t rans_chunks(uint64_t rows) { return (rows + kRansChunkRows - 1) / kRansChunkRows; }

// Four booleans are a symbol, the first lowest: of one, most would take less than the codes can tell.
bool is_nibbles(const DataType& type) { return type.kind == TypeKind::kBool; }
uint32_t symbol_bits(const DataType& type) { return is_nibbles(type) ? 4 : 8; }
uint64_t symbols_of(const DataType& type, uint64_t rows) {
  return is_nibbles(type) ? (rows + kNibbleRows - 1) / kNibbleRows : rows;
}

std::span<const uint8_t> chunk_symbols(const ColumnView& values, std::vector<uint8_t>& nibbles) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(values.values);
  if (!is_nibbles(*values.type)) return {bytes, static_cast<size_t>(values.rows)};
  nibbles.assign(symbols_of(*values.type, values.rows), 0);
  for (uint64_t row = 0; row < values.rows; ++row) {
    nibbles[row / kNibbleRows] |= static_cast<uint8_t>(bytes[row] << (row % kNibbleRows));
  }
  return nibbles;
}

bool are_booleans(const ColumnView& values) {
  return std::all_of(values.values, values.values + values.rows, [](std::byte value) { return value <= std::byte{1}; });
}

// Booleans [first, first + count) of nibbles.
void spread_nibbles(const uint8_t* nibbles, uint64_t first, uint64_t count, uint8_t* to) {
  uint64_t row = first;
  const uint64_t end = first + count;
  auto spread_one = [&] { *to++ = nibbles[row / kNibbleRows] >> (row % kNibbleRows) & 1, ++row; };
  while (row % kNibbleRows != 0 && row < end) spread_one();
  for (; row + kNibbleRows <= end; row += kNibbleRows, to += kNibbleRows) {
    const uint32_t spread = (nibbles[row / kNibbleRows] * 0x00204081u) & 0x01010101u;  // a bit to each byte
    std::memcpy(to, &spread, sizeof(spread));
  }
  while (row < end) spread_one();
}

using SymbolCounts = std::array<uint64_t, 256>;
void count_symbols(const ColumnView& values, SymbolCounts& counts) {
  std::vector<uint8_t> nibbles;
  for (uint8_t symbol : chunk_symbols(values, nibbles)) ++counts[symbol];
}

// First and last symbol that come u8 each; frequencies u16 of all from the first to the last; of each chunk its bytes
// u16; the bytes of all.
class RansPage {
 public:
  static Result<RansPage> open(ByteSpan encoded, const DataType& type, uint64_t rows) {
    RansPage page;
    page.type_ = &type;
    page.rows_ = rows;
    if (encoded.size() < 2) return cut_short();
    const auto first = static_cast<size_t>(encoded[0]), last = static_cast<size_t>(encoded[1]);
    encoded = encoded.subspan(2);
    if (last < first || (last >> symbol_bits(type)) != 0) {
      return damaged("a page of entropy codes has symbols that are not possible");
    }
    if ((last - first + 1) * sizeof(uint16_t) > encoded.size()) return cut_short();
    RansFrequencies frequencies{};
    for (size_t symbol = first; symbol <= last; ++symbol) {
      frequencies[symbol] = get_fixed<uint16_t>(encoded.data() + (symbol - first) * sizeof(uint16_t));
    }
    STELA_ASSIGN(RansDecoder decoder, RansDecoder::open(frequencies, symbol_bits(type)));
    page.decoder_ = std::move(decoder);
    encoded = encoded.subspan((last - first + 1) * sizeof(uint16_t));
    if (rans_chunks(rows) > encoded.size() / sizeof(uint16_t)) return cut_short();
    page.sizes_ = encoded.data();
    page.bytes_ = encoded.subspan(rans_chunks(rows) * sizeof(uint16_t));
    return page;
  }
  // Those from `first` on that lie in its chunk, or in this and the next where both are wanted whole, but at most
  // `count`; their number.
  Result<uint64_t> read(uint64_t first, uint64_t count, uint8_t* to) {
    const uint64_t chunk = first / kRansChunkRows, begin = chunk * kRansChunkRows;
    const bool takes_two = first == begin && count >= 2 * kRansChunkRows;
    const uint64_t read_rows = takes_two ? 2 * kRansChunkRows : std::min(rows_ - begin, kRansChunkRows);
    count = std::min(count, begin + read_rows - first);
    const bool direct = count == read_rows && !is_nibbles(*type_);
    uint8_t symbols[kRansChunkRows];
    const std::span<uint8_t> read_to(direct ? to : symbols, symbols_of(*type_, read_rows));
    STELA_ASSIGN(const ByteSpan block, block_of(chunk));
    if (takes_two) {
      STELA_ASSIGN(const ByteSpan next, block_of(chunk + 1));
      STELA_TRY(decoder_->decode_two(block, next, read_to));
    } else {
      STELA_TRY(decoder_->decode(block, read_to));
    }
    if (is_nibbles(*type_)) {
      spread_nibbles(symbols, first - begin, count, to);
    } else if (!direct) {
      std::memcpy(to, symbols + (first - begin), count);
    }
    return count;
  }
  // Where the bytes of a chunk end, and with the last those of all.
  uint64_t end_of(uint64_t chunk) {
    for (; found_ <= chunk; ++found_) end_ += size_of(found_);
    for (; found_ > chunk + 1; --found_) end_ -= size_of(found_ - 1);
    return end_;
  }
  const std::byte* bytes() const { return bytes_.data(); }

 private:
  static Status cut_short() { return damaged("a page of entropy codes is cut short"); }
  uint64_t size_of(uint64_t chunk) const { return get_fixed<uint16_t>(sizes_ + chunk * sizeof(uint16_t)); }
  Result<ByteSpan> block_of(uint64_t chunk) {
    const uint64_t end = end_of(chunk), size = size_of(chunk);
    if (end > bytes_.size()) return cut_short();
    return bytes_.subspan(end - size, size);
  }
  const DataType* type_ = nullptr;
  uint64_t rows_ = 0;
  std::optional<RansDecoder> decoder_;
  const std::byte* sizes_ = nullptr;
  ByteSpan bytes_;
  uint64_t found_ = 0, end_ = 0;  // chunks before number found_ take end_ bytes
};

}  // namespace

bool RansEncoding::supports(const DataType& type) const {
  return !type.is_tensor() && !type.is_variable() && type.value_width() == 1 && type.kind != TypeKind::kFixedBinary;
}

std::optional<uint64_t> RansEncoding::estimate(const ValueSample& sample, EncodingMode mode) const {
  const ColumnView& all = sample.all();
  if (mode == EncodingMode::kLight || all.rows == 0) return std::nullopt;
  SymbolCounts counts{};
  uint64_t counted = 0;
  for (const uint64_t part : {1, 3}) {
    const uint64_t from = all.rows * part / 4;
    const ColumnView some = all.slice(from, std::min(all.rows - from, kRansChunkRows));
    if (is_nibbles(*all.type) && !are_booleans(some)) return std::nullopt;
    count_symbols(some, counts);
    counted += some.rows;
  }
  const double scale = static_cast<double>(all.rows) / static_cast<double>(counted);
  const auto symbols =
      static_cast<uint64_t>(std::count_if(counts.begin(), counts.end(), [](uint64_t n) { return n > 0; }));
  return static_cast<uint64_t>(rans_bits(counts) * scale / 8) + 2 + symbols * sizeof(uint16_t) +
         rans_chunks(all.rows) * kRansChunkBytes;
}

Status RansEncoding::encode(const ColumnView& values, EncodingMode, Buffer& out) const {
  if (values.rows == 0) return unsupported("a page of entropy codes has no rows");
  if (is_nibbles(*values.type) && !are_booleans(values)) return unsupported("a boolean is neither 0 nor 1");
  SymbolCounts counts{};
  count_symbols(values, counts);
  const RansFrequencies frequencies = rans_frequencies(counts);
  auto comes = [](uint64_t count) { return count > 0; };
  const auto first = static_cast<size_t>(std::find_if(counts.begin(), counts.end(), comes) - counts.begin());
  const auto last = static_cast<size_t>(counts.rend() - std::find_if(counts.rbegin(), counts.rend(), comes)) - 1;
  out.append_value(static_cast<uint8_t>(first));
  out.append_value(static_cast<uint8_t>(last));
  for (size_t symbol = first; symbol <= last; ++symbol) out.append_value(frequencies[symbol]);
  Buffer bytes;
  std::vector<uint8_t> nibbles;
  for (uint64_t row = 0; row < values.rows; row += kRansChunkRows) {
    const ColumnView chunk = values.slice(row, std::min(values.rows - row, kRansChunkRows));
    const size_t before = bytes.size();
    rans_encode(frequencies, symbol_bits(*values.type), chunk_symbols(chunk, nibbles), bytes);
    out.append_value(static_cast<uint16_t>(bytes.size() - before));
  }
  out.append(bytes.span());
  return {};
}

Status RansEncoding::decode_range(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first, uint64_t count,
                                  ColumnData& out) const {
  STELA_TRY(check_page_range(rows, first, count));
  if (count == 0) return {};
  STELA_ASSIGN(RansPage page, RansPage::open(encoded, type, rows));
  auto* to = reinterpret_cast<uint8_t*>(out.grow_fixed(count));
  for (uint64_t done = 0; done < count;) {
    STELA_ASSIGN(const uint64_t read, page.read(first + done, count - done, to + done));
    done += read;
  }
  return {};
}

Status RansEncoding::decode_rows(ByteSpan encoded, const DataType& type, uint64_t rows,
                                 std::span<const uint32_t> wanted, ColumnData& out) const {
  STELA_TRY(check_page_rows(rows, wanted));
  auto end_of_chunk = [](uint64_t row) -> Result<uint64_t> { return (row / kRansChunkRows + 1) * kRansChunkRows; };
  return decode_row_groups(*this, encoded, type, rows, wanted, end_of_chunk, out);
}

void RansEncoding::append_strips(ByteSpan encoded, const DataType& type, uint64_t rows, RowStrips& out) const {
  RansPage page = trusted(RansPage::open(encoded, type, rows));
  RowStrip strip;
  strip.begin = page.bytes();
  for (uint64_t chunk = 0; chunk < rans_chunks(rows); ++chunk) {
    strip.cuts.push_back({std::min(rows, (chunk + 1) * kRansChunkRows), page.end_of(chunk)});
  }
  out.push_back(std::move(strip));
}

}  // namespace stela::format

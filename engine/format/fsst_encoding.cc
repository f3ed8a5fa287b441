#include "engine/format/fsst_encoding.h"

#include <limits>

#include "engine/format/encoded_form.h"
#include "engine/format/encoding_choice.h"
#include "engine/format/page_chunks.h"
#include "engine/format/row_groups.h"

namespace stela::format {
namespace {

// Rows between those whose codes are found at once: of short values 128, as a power of two; of large ones, fewer.
constexpr unsigned kBlockShift = 7;
constexpr uint64_t kBlockBytes = 4096;  // of large values

// Values of that many bytes, on average, are large.
bool are_large(const ColumnView& values) {
  return values.rows > 0 && values.value_bytes() / values.rows >= kLargeValueBytes;
}

unsigned block_shift(const ColumnView& values) {
  if (!are_large(values)) return kBlockShift;
  unsigned shift = 0;
  for (uint64_t bytes = 2 * values.value_bytes() / values.rows; bytes <= kBlockBytes; bytes *= 2) ++shift;
  return shift;
}
constexpr uint64_t kTrainingBytes = 16384, kEstimatingBytes = 4096;
constexpr int kEstimatingRounds = 3;
constexpr uint64_t kPieceBytes = 1024;

DataType length_type() { return DataType::of(TypeKind::kUInt32); }

// Values of a sample, about so many bytes together; of long ones a part, from here and there.
std::vector<std::string_view> training_pieces(const ColumnView& runs, uint64_t bytes) {
  const uint64_t step = std::max<uint64_t>(1, runs.value_bytes() / bytes);
  std::vector<std::string_view> pieces;
  for (uint64_t row = 0; row < runs.rows; row += std::min(step, std::max<uint64_t>(1, runs.rows / 16))) {
    const std::string_view value = as_text(runs.value(row));
    const uint64_t spare = value.size() > kPieceBytes ? value.size() - kPieceBytes : 0;
    pieces.push_back(value.substr(spare == 0 ? 0 : row * 7919 % spare, kPieceBytes));
  }
  return pieces;
}

Result<ColumnData> lengths_of(const ColumnView& values) {
  ColumnData lengths(length_type());
  for (uint64_t row = 0; row < values.rows; ++row) {
    const uint64_t length = values.offsets[row + 1] - values.offsets[row];
    if (length > std::numeric_limits<uint32_t>::max()) return Status{Code::kLimit, "one value is larger than 4 GiB"};
    lengths.append_value(static_cast<uint32_t>(length));
  }
  return lengths;
}

uint64_t blocks_of(uint64_t rows, unsigned shift) { return (rows + (uint64_t{1} << shift) - 1) >> shift; }

Status take_lengths(ByteSpan& rest, uint64_t rows, bool large, SymbolsForm& page) {
  page.shift = kBlockShift;
  if (large) {
    if (rest.empty() || static_cast<unsigned>(rest[0]) > kBlockShift) {
      return damaged("an FSST page has blocks that are not possible");
    }
    page.shift = static_cast<unsigned>(rest[0]);
    rest = rest.subspan(1);
  }
  STELA_ASSIGN(page.lengths, InnerColumn::take(rest, 2, length_type(), rows));
  return {};
}

// Of large values the shift of a block u8; lengths, symbols, where the codes of each block of rows begin u32, codes.
Result<SymbolsForm> open_fsst(ByteSpan encoded, uint64_t rows, bool large) {
  SymbolsForm page;
  STELA_TRY(take_lengths(encoded, rows, large, page));
  if (!page.symbols.open(encoded)) return damaged("the symbols of an FSST page are malformed");
  const uint64_t blocks = blocks_of(rows, page.shift);
  if (blocks > encoded.size() / sizeof(uint32_t)) return damaged("an FSST page is shorter than its index");
  page.starts = encoded.data();
  page.codes = encoded.subspan(blocks * sizeof(uint32_t));
  return page;
}

std::span<const uint32_t> words_of(const ColumnData& lengths) {
  return {reinterpret_cast<const uint32_t*>(lengths.view().values), static_cast<size_t>(lengths.rows())};
}

uint64_t sum_of(std::span<const uint32_t> lengths) {
  uint64_t sum = 0;
  for (uint32_t length : lengths) sum += length;
  return sum;
}

Status bad_codes() { return damaged("the codes of an FSST page do not give its values"); }

}  // namespace

std::optional<uint64_t> FsstEncoding::estimate(const ValueSample& sample, EncodingMode) const {
  const ColumnView runs = sample.runs();
  if (runs.rows == 0 || runs.value_bytes() == 0 || are_large(sample.all()) != large_) return std::nullopt;
  const std::vector<std::string_view> pieces = training_pieces(runs, kEstimatingBytes);
  const SymbolTable table = SymbolTable::train(pieces, kEstimatingRounds);
  Buffer codes;
  uint64_t bytes = 0;
  for (std::string_view piece : pieces) {
    table.compress(piece, codes);
    bytes += piece.size();
  }
  if (bytes == 0) return std::nullopt;
  Result<ColumnData> lengths = lengths_of(runs);
  if (!lengths.ok()) return std::nullopt;
  const uint64_t length_bytes = plan_vector(words_of(*lengths).data(), static_cast<uint32_t>(runs.rows), false).bytes;
  uint64_t symbols = 1;
  for (const Symbol& symbol : table.symbols()) symbols += 1 + symbol.length;
  const ColumnView& all = sample.all();
  const double ratio = static_cast<double>(codes.size()) / static_cast<double>(bytes);
  return static_cast<uint64_t>(static_cast<double>(all.value_bytes()) * ratio) + symbols +
         length_bytes * all.rows / runs.rows + blocks_of(all.rows, block_shift(all)) * sizeof(uint32_t) +
         kInnerHeadBytes + 1;
}

Status FsstEncoding::encode(const ColumnView& values, EncodingMode mode, Buffer& out) const {
  const ValueSample sample(values, SampleUse::kTraining);
  const SymbolTable table = SymbolTable::train(training_pieces(sample.runs(), kTrainingBytes));
  STELA_ASSIGN(const ColumnData lengths, lengths_of(values));
  const unsigned shift = large_ ? block_shift(values) : kBlockShift;
  if (large_) out.append_value(static_cast<uint8_t>(shift));
  STELA_TRY(append_inner(lengths.view(), 2, mode, out));
  out.append_value(static_cast<uint8_t>(table.symbols().size()));
  for (const Symbol& symbol : table.symbols()) out.append_value(static_cast<uint8_t>(symbol.length));
  for (const Symbol& symbol : table.symbols()) {
    out.append({reinterpret_cast<const std::byte*>(&symbol.bytes), symbol.length});
  }
  Buffer codes;
  for (uint64_t row = 0; row < values.rows; ++row) {
    if (codes.size() > std::numeric_limits<uint32_t>::max()) return {Code::kLimit, "a page has more than 4 GiB"};
    if (row % (uint64_t{1} << shift) == 0) out.append_value(static_cast<uint32_t>(codes.size()));
    table.compress(as_text(values.value(row)), codes);
  }
  out.append(codes.span());
  return {};
}

uint64_t FsstEncoding::lengths_bytes(ByteSpan encoded, const DataType&, uint64_t) const {
  const uint64_t head = large_ ? 1 : 0;
  return head + kInnerHeadBytes + get_fixed<uint32_t>(encoded.data() + head + sizeof(uint16_t));
}

Status FsstEncoding::decode_range(ByteSpan encoded, const DataType&, uint64_t rows, uint64_t first, uint64_t count,
                                  ColumnData& out) const {
  STELA_TRY(check_page_range(rows, first, count));
  STELA_ASSIGN(const SymbolsForm page, open_fsst(encoded, rows, large_));
  if (count == 0) return {};
  const uint64_t block = first >> page.shift, begin = block << page.shift;
  STELA_ASSIGN(const ColumnData lengths, page.lengths.range(begin, first + count - begin));
  const std::span<const uint32_t> skipped = words_of(lengths).first(first - begin);
  const std::span<const uint32_t> wanted = words_of(lengths).subspan(first - begin);
  STELA_ASSIGN(ByteSpan codes, page.codes_of(block));
  const uint64_t bytes = sum_of(wanted);
  // No code stands for more than eight bytes.
  if (bytes > codes.size() * kSymbolBytesMax || !page.symbols.skip(codes, sum_of(skipped))) return bad_codes();
  if (!page.symbols.decompress(codes, out.grow_variable(wanted.data(), count), bytes)) return bad_codes();
  return {};
}

Status FsstEncoding::decode_rows(ByteSpan encoded, const DataType& type, uint64_t rows,
                                 std::span<const uint32_t> wanted, ColumnData& out) const {
  STELA_TRY(check_page_rows(rows, wanted));
  SymbolsForm page;
  ByteSpan rest = encoded;
  STELA_TRY(take_lengths(rest, rows, large_, page));
  auto end_of_block = [&](uint64_t row) -> Result<uint64_t> { return ((row >> page.shift) + 1) << page.shift; };
  return decode_row_groups(*this, encoded, type, rows, wanted, end_of_block, out);
}

Result<uint64_t> FsstEncoding::value_bytes(ByteSpan encoded, const DataType&, uint64_t rows, uint64_t first,
                                           uint64_t count) const {
  STELA_TRY(check_page_range(rows, first, count));
  SymbolsForm page;
  STELA_TRY(take_lengths(encoded, rows, large_, page));
  STELA_ASSIGN(const ColumnData some, page.lengths.range(first, count));
  return sum_of(words_of(some));
}

void FsstEncoding::append_strips(ByteSpan encoded, const DataType&, uint64_t rows, RowStrips& out) const {
  const SymbolsForm page = trusted(open_fsst(encoded, rows, large_));
  RowStrip strip{page.codes.data(), {}};
  for (uint64_t block = 1; block < blocks_of(rows, page.shift); ++block) {
    strip.cuts.push_back({block << page.shift, get_fixed<uint32_t>(page.starts + block * sizeof(uint32_t))});
  }
  strip.cuts.push_back({rows, page.codes.size()});
  out.push_back(std::move(strip));
}

Result<EncodedForm> FsstEncoding::form(ByteSpan encoded, const DataType&, uint64_t rows) const {
  STELA_ASSIGN(SymbolsForm page, open_fsst(encoded, rows, large_));
  return EncodedForm{std::move(page)};
}

}  // namespace stela::format

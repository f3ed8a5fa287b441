#include "engine/format/dictionary_encoding.h"

#include <bit>

#include "engine/format/encoded_form.h"
#include "engine/format/encoding_choice.h"

namespace stela::format {
namespace {

constexpr uint64_t kDictionaryMax = 65536;
constexpr uint64_t kEntryBytesMax = 4096;  // longer values are not looked for

DataType code_type() { return DataType::of(TypeKind::kUInt16); }

// Number of values u32, codes, values.
Result<CodesForm> open_dictionary(ByteSpan encoded, const DataType& type, uint64_t rows, bool may_be_cut) {
  CodesForm page;
  if (encoded.size() < sizeof(uint32_t)) return damaged("a dictionary page is cut short");
  const auto count = get_fixed<uint32_t>(encoded.data());
  if (count > kDictionaryMax || count > rows) return damaged("a dictionary has too many values");
  encoded = encoded.subspan(sizeof(uint32_t));
  STELA_ASSIGN(page.codes, InnerColumn::take(encoded, 3, code_type(), rows));
  STELA_ASSIGN(page.values, InnerColumn::take(encoded, 3, type, count, may_be_cut));
  if (!encoded.empty()) return damaged("a dictionary page has bytes behind its values");
  return page;
}

std::span<const uint16_t> codes_of(const ColumnData& column) {
  return {reinterpret_cast<const uint16_t*>(column.view().values), static_cast<size_t>(column.rows())};
}

Status check_codes(std::span<const uint16_t> codes, uint64_t count) {
  uint16_t greatest = 0;
  for (uint16_t code : codes) greatest = std::max(greatest, code);
  if (!codes.empty() && greatest >= count) return damaged("a code lies behind the end of its dictionary");
  return {};
}

template <typename T>
void gather_words(const ColumnView& values, std::span<const uint16_t> codes, std::byte* to) {
  const auto* from = reinterpret_cast<const T*>(values.values);
  auto* words = reinterpret_cast<T*>(to);
  size_t i = 0;
  // Four codes in a register: the loads of codes would be half of all.
  for (; i + 4 <= codes.size(); i += 4) {
    uint64_t four = 0;
    std::memcpy(&four, codes.data() + i, sizeof(four));
    const T first = from[four & 0xffff], second = from[four >> 16 & 0xffff];
    const T third = from[four >> 32 & 0xffff], fourth = from[four >> 48];
    words[i] = first;
    words[i + 1] = second;
    words[i + 2] = third;
    words[i + 3] = fourth;
  }
  for (; i < codes.size(); ++i) words[i] = from[codes[i]];
}

void gather_fixed(const ColumnView& values, std::span<const uint16_t> codes, ColumnData& out) {
  std::byte* to = out.grow_fixed(codes.size());
  switch (const uint64_t width = values.type->value_width()) {
    case 1: return gather_words<uint8_t>(values, codes, to);
    case 2: return gather_words<uint16_t>(values, codes, to);
    case 4: return gather_words<uint32_t>(values, codes, to);
    case 8: return gather_words<uint64_t>(values, codes, to);
    default:
      for (size_t i = 0; i < codes.size(); ++i) {
        std::memcpy(to + i * width, values.values + codes[i] * width, width);
      }
  }
}

constexpr uint64_t kShort = 16;  // bytes that are copied at once, with those behind a value

// Values of at most so many bytes, each at the beginning of as many.
PooledVector<std::byte> padded_values(const ColumnView& values) {
  PooledVector<std::byte> padded(values.rows * kShort);
  for (uint64_t row = 0; row < values.rows; ++row) {
    const ByteSpan value = values.value(row);
    std::copy(value.begin(), value.end(), padded.begin() + static_cast<std::ptrdiff_t>(row * kShort));
  }
  return padded;
}

// Writes values until fewer than kShort bytes are left before `end`; how many.
size_t gather_short(const ColumnView& values, std::span<const uint16_t> codes, std::span<const uint32_t> lengths,
                    std::byte*& to, const std::byte* end) {
  const PooledVector<std::byte> padded = padded_values(values);
  size_t i = 0;
  for (; i < codes.size() && end - to >= std::ptrdiff_t{kShort}; ++i) {
    std::memcpy(to, padded.data() + codes[i] * kShort, kShort);
    to += lengths[i];
  }
  return i;
}

Status gather_variable(const ColumnView& values, std::span<const uint16_t> codes, ColumnData& out) {
  PooledVector<uint32_t> lengths(codes.size()), value_lengths(values.rows);
  uint32_t longest = 0;
  for (uint64_t row = 0; row < values.rows; ++row) {
    value_lengths[row] = static_cast<uint32_t>(values.offsets[row + 1] - values.offsets[row]);
    longest = std::max(longest, value_lengths[row]);
  }
  uint64_t bytes = 0;
  for (size_t i = 0; i < codes.size(); ++i) {
    lengths[i] = value_lengths[codes[i]];
    bytes += lengths[i];
  }
  if (bytes > kPageValueBytesMax) return damaged("the values of a dictionary page exceed 1 GiB");
  std::byte* to = out.grow_variable(lengths.data(), codes.size());
  const std::byte* const end = to + bytes;
  const std::byte* const last = values.values + values.offsets[values.rows];
  size_t i = longest <= kShort ? gather_short(values, codes, lengths, to, end) : 0;
  for (; i < codes.size(); ++i) {
    const std::byte* from = values.values + values.offsets[codes[i]];
    if (lengths[i] <= kShort && end - to >= std::ptrdiff_t{kShort} && last - from >= std::ptrdiff_t{kShort}) {
      std::memcpy(to, from, kShort);
    } else if (lengths[i] > 0) {
      std::memcpy(to, from, lengths[i]);
    }
    to += lengths[i];
  }
  return {};
}

// Of a few rows only the values they name are decoded.
Status gather_codes(const CodesForm& page, const ColumnData& code_column, ColumnData& out) {
  std::span<const uint16_t> codes = codes_of(code_column);
  STELA_TRY(check_codes(codes, page.values.rows()));
  PooledVector<uint32_t> named;
  PooledVector<uint16_t> renumbered;
  const bool few = codes.size() < page.values.rows() / 8;
  if (few) {
    named.assign(codes.begin(), codes.end());
    std::sort(named.begin(), named.end());
    named.erase(std::unique(named.begin(), named.end()), named.end());
    for (uint16_t code : codes) {
      renumbered.push_back(static_cast<uint16_t>(std::lower_bound(named.begin(), named.end(), code) - named.begin()));
    }
    codes = renumbered;
  }
  STELA_ASSIGN(ColumnData values, few ? page.values.at(named) : page.values.all());
  if (codes.empty()) return {};
  if (out.type().is_variable()) return gather_variable(values.view(), codes, out);
  gather_fixed(values.view(), codes, out);
  return {};
}

// Gives each distinct value a number, in the order in which they come.
class DictionaryBuilder {
 public:
  explicit DictionaryBuilder(const ColumnView& values) : values_(values), distinct_(*values.type) {
    slots_.assign(std::bit_ceil(2 * std::min(values.rows, kDictionaryMax) + 2), kFree);
  }
  // False when there are too many.
  bool build() {
    auto* codes = reinterpret_cast<uint16_t*>(codes_.grow_fixed(values_.rows));
    for (uint64_t row = 0; row < values_.rows; ++row) {
      if (!find_or_add(row, &codes[row])) return false;
    }
    return true;
  }
  ColumnView distinct() const { return distinct_.view(); }
  const ColumnData& codes() const { return codes_; }

 private:
  static constexpr uint32_t kFree = ~uint32_t{0};
  bool find_or_add(uint64_t row, uint16_t* code) {
    const ByteSpan value = values_.value(row);
    const uint64_t hash = hash64(as_text(value));
    for (uint64_t slot = hash;; ++slot) {
      uint32_t& entry = slots_[slot & (slots_.size() - 1)];
      if (entry == kFree) {
        if (entries_.size() == kDictionaryMax || value.size() > kEntryBytesMax) return false;
        entry = static_cast<uint32_t>(entries_.size());
        entries_.push_back({hash, row});
        distinct_.append(value);
      } else if (entries_[entry].hash != hash || as_text(values_.value(entries_[entry].first_row)) != as_text(value)) {
        continue;
      }
      *code = static_cast<uint16_t>(entry);
      return true;
    }
  }
  struct Entry {
    uint64_t hash, first_row;
  };
  const ColumnView& values_;
  ColumnData distinct_;
  ColumnData codes_{code_type()};
  std::vector<Entry> entries_;
  std::vector<uint32_t> slots_;
};

}  // namespace

bool DictionaryEncoding::supports(const DataType& type) const { return !type.is_tensor(); }

std::optional<uint64_t> DictionaryEncoding::estimate(const ValueSample& sample, EncodingMode mode) const {
  const ColumnView& all = sample.all();
  // Codes of bytes would be coded as the bytes themselves are.
  if (mode == EncodingMode::kCold && !all.type->is_variable() && all.type->value_width() == 1) return std::nullopt;
  const uint64_t distinct = sample.distinct();
  if (distinct > kDictionaryMax || distinct > all.rows / 2) return std::nullopt;
  const ColumnView runs = sample.runs();
  const double width = static_cast<double>(runs.value_bytes()) / static_cast<double>(runs.rows);
  const double entry = width + (all.type->is_variable() ? 4 : 0);
  const auto bits = static_cast<uint64_t>(std::bit_width(distinct - 1));
  return static_cast<uint64_t>(static_cast<double>(distinct) * entry) + all.rows * bits / 8 + 4 + 2 * kInnerHeadBytes +
         vectors_of(all.rows) * 4;
}

Status DictionaryEncoding::encode(const ColumnView& values, EncodingMode mode, Buffer& out) const {
  DictionaryBuilder builder(values);
  if (!builder.build()) return unsupported("a dictionary would have too many values");
  out.append_value(static_cast<uint32_t>(builder.distinct().rows));
  STELA_TRY(append_inner(builder.codes().view(), 3, mode, out));
  return append_inner(builder.distinct(), 3, mode, out);
}

uint64_t DictionaryEncoding::lengths_bytes(ByteSpan encoded, const DataType& type, uint64_t rows) const {
  if (!type.is_variable()) return 0;
  Result<CodesForm> page = open_dictionary(encoded, type, rows, false);
  STELA_CHECK(page.ok(), page.status().message());
  const uint64_t codes = get_fixed<uint32_t>(encoded.data() + sizeof(uint32_t) + sizeof(uint16_t));
  return sizeof(uint32_t) + 2 * kInnerHeadBytes + codes + page->values.lengths_bytes();
}

Status DictionaryEncoding::decode_range(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first,
                                        uint64_t count, ColumnData& out) const {
  STELA_TRY(check_page_range(rows, first, count));
  STELA_ASSIGN(CodesForm page, open_dictionary(encoded, type, rows, false));
  STELA_ASSIGN(ColumnData codes, page.codes.range(first, count));
  return gather_codes(page, codes, out);
}

Status DictionaryEncoding::decode_rows(ByteSpan encoded, const DataType& type, uint64_t rows,
                                       std::span<const uint32_t> wanted, ColumnData& out) const {
  STELA_TRY(check_page_rows(rows, wanted));
  STELA_ASSIGN(CodesForm page, open_dictionary(encoded, type, rows, false));
  STELA_ASSIGN(ColumnData codes, page.codes.at(wanted));
  return gather_codes(page, codes, out);
}

Result<uint64_t> DictionaryEncoding::value_bytes(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first,
                                                 uint64_t count) const {
  STELA_TRY(check_page_range(rows, first, count));
  if (!type.is_variable()) return count * type.value_width();
  STELA_ASSIGN(CodesForm page, open_dictionary(encoded, type, rows, true));
  STELA_ASSIGN(ColumnData codes, page.codes.range(first, count));
  STELA_TRY(check_codes(codes_of(codes), page.values.rows()));
  STELA_ASSIGN(PooledVector<uint32_t> lengths, page.values.lengths());
  uint64_t bytes = 0;
  for (uint16_t code : codes_of(codes)) bytes += lengths[code];
  return bytes;
}

// The values are what all rows need.
void DictionaryEncoding::append_strips(ByteSpan encoded, const DataType& type, uint64_t rows, RowStrips& out) const {
  trusted(open_dictionary(encoded, type, rows, false)).codes.append_strips(out);
}

Result<EncodedForm> DictionaryEncoding::form(ByteSpan encoded, const DataType& type, uint64_t rows) const {
  STELA_ASSIGN(CodesForm page, open_dictionary(encoded, type, rows, false));
  return EncodedForm{std::move(page)};
}

}  // namespace stela::format

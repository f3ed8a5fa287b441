#include "engine/format/alp_rd_encoding.h"

#include <array>
#include <cmath>
#include <map>

#include "engine/format/encoded_form.h"
#include "engine/format/encoding_choice.h"
#include "engine/format/inner_column.h"

namespace stela::format {
namespace {

constexpr unsigned kLeftBitsMax = 16;
constexpr size_t kLeftsMax = 256;
constexpr uint64_t kRdExceptionBytes = sizeof(uint32_t) + sizeof(uint16_t);

DataType left_code_type() { return DataType::of(TypeKind::kUInt8); }
template <typename T>
DataType right_type() {
  return DataType::of(sizeof(T) == 4 ? TypeKind::kUInt32 : TypeKind::kUInt64);
}

template <typename T>
constexpr unsigned kBits = 8 * sizeof(T);

struct Lefts {
  unsigned bits = 0;
  std::vector<uint16_t> values;  // the most frequent first
  double bytes = 0;              // that all would take
};

// What a page takes when so many bits are looked up; those that no code is for are exceptions.
template <typename T>
Lefts lefts_of(const T* words, uint64_t rows, unsigned bits) {
  std::map<uint16_t, uint64_t> counts;
  for (uint64_t row = 0; row < rows; ++row) ++counts[static_cast<uint16_t>(words[row] >> (kBits<T> - bits))];
  std::vector<std::pair<uint64_t, uint16_t>> sorted;
  for (const auto& [left, count] : counts) sorted.emplace_back(count, left);
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  Lefts lefts;
  lefts.bits = bits;
  double code_bits = 0;
  uint64_t exceptions = 0;
  for (const auto& [count, left] : sorted) {
    if (lefts.values.size() == kLeftsMax || count * 8 < kRdExceptionBytes) {
      exceptions += count;
      continue;
    }
    lefts.values.push_back(left);
    code_bits -= static_cast<double>(count) * std::log2(static_cast<double>(count) / static_cast<double>(rows));
  }
  lefts.bytes = (code_bits + static_cast<double>(rows * (kBits<T> - bits))) / 8 +
                static_cast<double>(exceptions * kRdExceptionBytes + lefts.values.size() * sizeof(uint16_t));
  return lefts;
}

template <typename T>
Lefts best_lefts(const ColumnView& values) {
  Lefts best;
  for (unsigned bits = 1; bits <= kLeftBitsMax; ++bits) {
    Lefts lefts = lefts_of(reinterpret_cast<const T*>(values.values), values.rows, bits);
    if (bits == 1 || lefts.bytes < best.bytes) best = std::move(lefts);
  }
  return best;
}

// Bits of a left part u8, number of left parts u16, these u16, number of exceptions u32, their rows u32, their left
// parts u16, codes, right parts.
template <typename T>
struct AlpRdPage {
  unsigned left_bits = 0;
  std::array<T, kLeftsMax> lefts{};  // at their place in a word; zeros behind the last, so that any code may be looked up
  uint32_t exceptions = 0;
  const std::byte* positions = nullptr;
  const std::byte* exception_lefts = nullptr;
  InnerColumn codes, rights;

  static Result<AlpRdPage> open(ByteSpan encoded, uint64_t rows) {
    constexpr uint64_t kHead = 1 + sizeof(uint16_t) + sizeof(uint32_t);
    AlpRdPage page;
    if (encoded.size() < kHead) return damaged("an ALP-RD page is cut short");
    page.left_bits = static_cast<unsigned>(encoded[0]);
    const uint64_t count = get_fixed<uint16_t>(encoded.data() + 1);
    if (page.left_bits < 1 || page.left_bits > kLeftBitsMax || count > kLeftsMax) {
      return damaged("an ALP-RD page has a dictionary that is not possible");
    }
    if (encoded.size() < kHead + count * sizeof(uint16_t)) return damaged("an ALP-RD page is cut short");
    encoded = encoded.subspan(1 + sizeof(uint16_t));
    for (uint64_t i = 0; i < count; ++i) {
      page.lefts[i] = page.placed(get_fixed<uint16_t>(encoded.data() + i * sizeof(uint16_t)));
    }
    encoded = encoded.subspan(count * sizeof(uint16_t));
    page.exceptions = get_fixed<uint32_t>(encoded.data());
    encoded = encoded.subspan(sizeof(uint32_t));
    if (page.exceptions > rows || page.exceptions > encoded.size() / kRdExceptionBytes) {
      return damaged("an ALP-RD page is shorter than its exceptions");
    }
    page.positions = encoded.data();
    page.exception_lefts = page.positions + page.exceptions * sizeof(uint32_t);
    encoded = encoded.subspan(page.exceptions * kRdExceptionBytes);
    STELA_ASSIGN(page.codes, InnerColumn::take(encoded, 2, left_code_type(), rows));
    STELA_ASSIGN(page.rights, InnerColumn::take(encoded, 2, right_type<T>(), rows));
    if (!encoded.empty()) return damaged("an ALP-RD page has bytes behind its values");
    page.known = count;
    return page;
  }
  T placed(uint16_t left) const { return static_cast<T>(static_cast<T>(left) << (kBits<T> - left_bits)); }
  uint64_t position(uint64_t index) const { return get_fixed<uint32_t>(positions + index * sizeof(uint32_t)); }
  T exception(uint64_t index, T word) const {
    const T right = static_cast<T>(word << left_bits) >> left_bits;
    return right | placed(get_fixed<uint16_t>(exception_lefts + index * sizeof(uint16_t)));
  }
  // The first exception at or behind `row`.
  uint64_t first_exception(uint64_t row) const {
    uint64_t low = 0, high = exceptions;
    while (low < high) {
      const uint64_t middle = low + (high - low) / 2;
      (position(middle) < row ? low = middle + 1 : high = middle);
    }
    return low;
  }
  Status join(const ColumnData& code_column, const ColumnData& right_column, T* to) const {
    const auto* code = reinterpret_cast<const uint8_t*>(code_column.view().values);
    const auto* right = reinterpret_cast<const T*>(right_column.view().values);
    uint8_t greatest = 0;
    for (uint64_t i = 0; i < code_column.rows(); ++i) greatest = std::max(greatest, code[i]);
    if (code_column.rows() > 0 && greatest >= known) return damaged("a code lies behind the end of its dictionary");
    for (uint64_t i = 0; i < code_column.rows(); ++i) to[i] = lefts[code[i]] | right[i];
    return {};
  }
  uint64_t known = 0;
};

template <typename Visit>
auto visit_float_word(const DataType& type, Visit visit) {
  return type.kind == TypeKind::kFloat32 ? visit(uint32_t{0}) : visit(uint64_t{0});
}

}  // namespace

bool AlpRdEncoding::supports(const DataType& type) const {
  return !type.is_tensor() && (type.kind == TypeKind::kFloat64 || type.kind == TypeKind::kFloat32);
}

std::optional<uint64_t> AlpRdEncoding::estimate(const ValueSample& sample, EncodingMode mode) const {
  const ColumnView runs = sample.runs();
  if (mode == EncodingMode::kLight || runs.rows == 0) return std::nullopt;
  return visit_float_word(*runs.type, [&]<typename T>(T) {
    const double bytes = best_lefts<T>(runs).bytes * static_cast<double>(sample.all().rows);
    return static_cast<uint64_t>(bytes / static_cast<double>(runs.rows)) + 2 * kInnerHeadBytes;
  });
}

Status AlpRdEncoding::encode(const ColumnView& values, EncodingMode mode, Buffer& out) const {
  return visit_float_word(*values.type, [&]<typename T>(T) -> Status {
    const auto* words = reinterpret_cast<const T*>(values.values);
    const ValueSample sample(values, SampleUse::kTraining);
    const Lefts lefts = lefts_of(words, values.rows, best_lefts<T>(sample.runs()).bits);
    std::vector<uint16_t> code_of(size_t{1} << lefts.bits, uint16_t{kLeftsMax});
    for (size_t i = 0; i < lefts.values.size(); ++i) code_of[lefts.values[i]] = static_cast<uint16_t>(i);
    ColumnData codes(left_code_type()), rights(right_type<T>());
    auto* code = reinterpret_cast<uint8_t*>(codes.grow_fixed(values.rows));
    auto* right = reinterpret_cast<T*>(rights.grow_fixed(values.rows));
    std::vector<uint32_t> positions;
    std::vector<uint16_t> exception_lefts;
    for (uint64_t row = 0; row < values.rows; ++row) {
      const auto left = static_cast<uint16_t>(words[row] >> (kBits<T> - lefts.bits));
      right[row] = static_cast<T>(words[row] << lefts.bits) >> lefts.bits;
      const bool known = code_of[left] < kLeftsMax;
      code[row] = static_cast<uint8_t>(known ? code_of[left] : 0);
      if (known) continue;
      positions.push_back(static_cast<uint32_t>(row));
      exception_lefts.push_back(left);
    }
    if (lefts.values.empty()) return unsupported("no first bits are frequent");
    out.append_value(static_cast<uint8_t>(lefts.bits));
    out.append_value(static_cast<uint16_t>(lefts.values.size()));
    out.append(std::as_bytes(std::span(lefts.values)));
    out.append_value(static_cast<uint32_t>(positions.size()));
    out.append(std::as_bytes(std::span(positions)));
    out.append(std::as_bytes(std::span(exception_lefts)));
    STELA_TRY(append_inner(codes.view(), 2, mode, out));
    return append_inner(rights.view(), 2, mode, out);
  });
}

Status AlpRdEncoding::decode_range(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first,
                                   uint64_t count, ColumnData& out) const {
  STELA_TRY(check_page_range(rows, first, count));
  return visit_float_word(type, [&]<typename T>(T) -> Status {
    STELA_ASSIGN(auto page, AlpRdPage<T>::open(encoded, rows));
    STELA_ASSIGN(const ColumnData codes, page.codes.range(first, count));
    STELA_ASSIGN(const ColumnData rights, page.rights.range(first, count));
    T* to = reinterpret_cast<T*>(out.grow_fixed(count));
    STELA_TRY(page.join(codes, rights, to));
    for (uint64_t i = page.first_exception(first); i < page.exceptions; ++i) {
      const uint64_t at = page.position(i);
      if (at >= first + count) break;
      if (at < first) return damaged("the exceptions of an ALP-RD page are not in order");
      to[at - first] = page.exception(i, to[at - first]);
    }
    return {};
  });
}

Status AlpRdEncoding::decode_rows(ByteSpan encoded, const DataType& type, uint64_t rows,
                                  std::span<const uint32_t> wanted, ColumnData& out) const {
  STELA_TRY(check_page_rows(rows, wanted));
  return visit_float_word(type, [&]<typename T>(T) -> Status {
    STELA_ASSIGN(auto page, AlpRdPage<T>::open(encoded, rows));
    STELA_ASSIGN(const ColumnData codes, page.codes.at(wanted));
    STELA_ASSIGN(const ColumnData rights, page.rights.at(wanted));
    T* to = reinterpret_cast<T*>(out.grow_fixed(wanted.size()));
    STELA_TRY(page.join(codes, rights, to));
    for (size_t i = 0; page.exceptions > 0 && i < wanted.size(); ++i) {
      const uint64_t exception = page.first_exception(wanted[i]);
      if (exception < page.exceptions && page.position(exception) == wanted[i]) {
        to[i] = page.exception(exception, to[i]);
      }
    }
    return {};
  });
}

void AlpRdEncoding::append_strips(ByteSpan encoded, const DataType& type, uint64_t rows, RowStrips& out) const {
  visit_float_word(type, [&]<typename T>(T) {
    const AlpRdPage<T> page = trusted(AlpRdPage<T>::open(encoded, rows));
    page.codes.append_strips(out);
    page.rights.append_strips(out);
  });
}

Result<EncodedForm> AlpRdEncoding::form(ByteSpan encoded, const DataType& type, uint64_t rows) const {
  return visit_float_word(type, [&]<typename T>(T) -> Result<EncodedForm> {
    STELA_ASSIGN(auto page, AlpRdPage<T>::open(encoded, rows));
    return EncodedForm{PartsForm{{page.codes, page.rights}}};
  });
}

}  // namespace stela::format

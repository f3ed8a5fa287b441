#include "fsd/ingest/npy_values.h"

#include <algorithm>
#include <cstring>

#include "fsd/ingest/iso_time.h"
#include "fsd/ingest/utf8_text.h"

namespace stela::fsd {
namespace {

template <typename T>
void swap_all(std::byte* bytes, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    auto value = get_fixed<T>(bytes + i * sizeof(T));
    if constexpr (sizeof(T) == 2) value = __builtin_bswap16(value);
    if constexpr (sizeof(T) == 4) value = __builtin_bswap32(value);
    if constexpr (sizeof(T) == 8) value = __builtin_bswap64(value);
    std::memcpy(bytes + i * sizeof(T), &value, sizeof(T));
  }
}

void swap_elements(std::byte* bytes, size_t size, uint32_t width) {
  if (width == 2) swap_all<uint16_t>(bytes, size / 2);
  if (width == 4) swap_all<uint32_t>(bytes, size / 4);
  if (width == 8) swap_all<uint64_t>(bytes, size / 8);
}

template <typename T>
void scatter(const std::byte* strip, size_t count, std::byte* to, size_t stride) {
  for (size_t i = 0; i < count; ++i) std::memcpy(to + i * stride, strip + i * sizeof(T), sizeof(T));
}

}  // namespace

NpyReader::NpyReader(ByteSource& source, NpyHeader header) : source_(source), header_(std::move(header)) {}

uint64_t NpyReader::rows_at_a_time() const {
  uint64_t budget = header_.fortran_order ? kNpyTileBytes : kNpyBlockBytes;
  return std::max<uint64_t>(1, budget / header_.row_bytes);
}

Result<ColumnView> NpyReader::next(uint64_t rows_max) {
  first_ += count_;
  count_ = std::min(rows_max, header_.rows - first_);
  if (count_ == 0) {
    ColumnView none;
    none.type = &header_.type;
    return none;
  }
  rows_.resize(count_ * header_.row_bytes);
  STELA_TRY(header_.fortran_order ? gather() : read(first_ * header_.row_bytes, rows_.span()));
  if (header_.swapped) swap_elements(rows_.data(), rows_.size(), element_width());
  return decode();
}

uint32_t NpyReader::element_width() const {
  if (header_.element == NpyElement::kText) return 4;
  return header_.element == NpyElement::kBytes ? 1 : header_.type.element_width();
}
Status NpyReader::read(uint64_t offset, MutableByteSpan into) {
  return source_.read(header_.data_offset + offset, into);
}

// Rows [first_, first_ + count_) from an array whose first index runs fastest: element e of every row lies
// in one strip.
Status NpyReader::gather() {
  uint32_t width = element_width();
  strip_.resize(count_ * width);
  uint64_t elements = header_.type.elements();
  for (uint64_t element = 0; element < elements; ++element) {
    uint64_t strip = fortran_index(element) * header_.rows + first_;
    STELA_TRY(read(strip * width, strip_.span()));
    std::byte* to = rows_.data() + element * width;
    if (width == 1) scatter<uint8_t>(strip_.data(), count_, to, header_.row_bytes);
    if (width == 2) scatter<uint16_t>(strip_.data(), count_, to, header_.row_bytes);
    if (width == 4) scatter<uint32_t>(strip_.data(), count_, to, header_.row_bytes);
    if (width == 8) scatter<uint64_t>(strip_.data(), count_, to, header_.row_bytes);
  }
  return {};
}

// Position in Fortran order of the inner element that has `c_index` in C order.
uint64_t NpyReader::fortran_index(uint64_t c_index) const {
  const std::vector<uint32_t>& shape = header_.type.shape;
  uint64_t index = 0, scale = header_.type.elements();
  for (size_t d = shape.size(); d-- > 0;) {
    scale /= shape[d];
    index += (c_index % shape[d]) * scale;
    c_index /= shape[d];
  }
  return index;
}

// The block's rows as values of the column's type.
Result<ColumnView> NpyReader::decode() {
  switch (header_.element) {
    case NpyElement::kText: STELA_TRY(decode_text()); return decoded_.view();
    case NpyElement::kBytes: decode_bytes(); return decoded_.view();
    case NpyElement::kBool: STELA_TRY(check_bools()); break;
    case NpyElement::kNat: STELA_TRY(find_nats()); break;
    case NpyElement::kPlain: break;
  }
  ColumnView view;
  view.type = &header_.type;
  view.rows = count_;
  view.values = rows_.data();
  view.validity = validity_.empty() ? nullptr : validity_.data();
  return view;
}

Status NpyReader::at_row(uint64_t row, const std::string& why) const {
  return invalid("row " + std::to_string(first_ + row) + ": " + why);
}

Status NpyReader::check_bools() const {
  const auto* bytes = rows_.as<uint8_t>();
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (bytes[i] > 1) return at_row(i / header_.row_bytes, "a bool is 0 or 1, not " + std::to_string(bytes[i]));
  }
  return {};
}

Status NpyReader::find_nats() {
  validity_.clear();
  const auto* values = rows_.as<int64_t>();
  bool is_time = header_.type.kind == TypeKind::kTime;
  int64_t day = is_time ? kSecondsPerDay * units_per_second(header_.type.unit) : 0;
  for (size_t row = 0; row < count_; ++row) {
    if (values[row] == INT64_MIN) {
      if (validity_.empty()) validity_.assign((count_ + 7) / 8, 0xff);
      bit_set(validity_.data(), row, false);
    } else if (is_time && (values[row] < 0 || values[row] >= day)) {
      return at_row(row, std::to_string(values[row]) +
                             " is not a time of day; to store durations under this name "
                             "remove the column first");
    }
  }
  return {};
}

Status NpyReader::decode_text() {
  start_decoding();
  uint64_t width = header_.row_bytes / 4;
  for (uint64_t row = 0; row < count_; ++row) {
    const std::byte* code_points = rows_.data() + row * header_.row_bytes;
    uint64_t length = width;
    while (length > 0 && get_fixed<uint32_t>(code_points + (length - 1) * 4) == 0) --length;
    text_.clear();
    for (uint64_t i = 0; i < length; ++i) {
      auto code_point = get_fixed<uint32_t>(code_points + i * 4);
      if (!append_utf8(text_, code_point)) {
        return at_row(row, std::to_string(code_point) + " is not a Unicode character");
      }
    }
    decoded_.append_text(text_);
  }
  return {};
}

void NpyReader::decode_bytes() {
  start_decoding();
  for (uint64_t row = 0; row < count_; ++row) {
    const std::byte* bytes = rows_.data() + row * header_.row_bytes;
    uint64_t length = header_.row_bytes;
    while (length > 0 && bytes[length - 1] == std::byte{0}) --length;
    decoded_.append({bytes, static_cast<size_t>(length)});
  }
}

void NpyReader::start_decoding() {
  if (decoded_.type() != header_.type) decoded_ = ColumnData(header_.type);
  decoded_.clear();
}

Status for_each_npy_block(ByteSource& source, const NpyHeader& header,
                          const std::function<Status(const ColumnView&)>& take) {
  NpyReader reader(source, header);
  while (true) {
    STELA_ASSIGN(ColumnView view, reader.next(reader.rows_at_a_time()));
    if (view.rows == 0) return {};
    STELA_TRY(take(view));
  }
}

DataType npy_type_for_column(const DataType& in_file, const DataType& column) {
  bool same_instant = in_file.kind == TypeKind::kTimestamp && column.kind == TypeKind::kTimestamp;
  bool same_span = in_file.kind == TypeKind::kDuration && column.kind == TypeKind::kTime;
  return (same_instant || same_span) && in_file.unit == column.unit ? column : in_file;
}

}  // namespace stela::fsd

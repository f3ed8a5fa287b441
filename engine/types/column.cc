#include "engine/types/column.h"

#include <algorithm>

namespace stela {

uint64_t ColumnView::value_bytes() const {
  if (rows == 0) return 0;
  return type->is_variable() ? offsets[rows] - offsets[0] : rows * type->value_width();
}

ByteSpan ColumnView::value(uint64_t row) const {
  if (type->is_variable()) return {values + offsets[row], static_cast<size_t>(offsets[row + 1] - offsets[row])};
  uint64_t width = type->value_width();
  return {values + row * width, static_cast<size_t>(width)};
}

ColumnView ColumnView::slice(uint64_t first, uint64_t count) const {
  ColumnView part = *this;
  part.rows = count;
  part.validity_offset += first;
  if (!type->is_variable()) {
    if (values != nullptr) part.values = values + first * type->value_width();
  } else if (offsets != nullptr) {
    part.offsets = offsets + first;
  }
  return part;
}

ColumnView ColumnData::view() const {
  ColumnView all;
  all.type = &type_;
  all.rows = rows_;
  all.values = values_.data();
  all.offsets = offsets_.empty() ? nullptr : offsets_.data();
  all.validity = null_count_ == 0 ? nullptr : validity_.data();
  return all;
}

void ColumnData::clear() {
  rows_ = 0;
  null_count_ = 0;
  values_.clear();
  offsets_.clear();
  validity_.clear();
}

void ColumnData::reserve(uint64_t rows, uint64_t value_bytes) {
  if (type_.is_variable()) {
    offsets_.reserve(rows + 1);
    values_.reserve(value_bytes);
  } else {
    values_.reserve(rows * type_.value_width());
  }
}

void ColumnData::ensure_validity() {
  if (validity_.empty()) validity_.assign((rows_ + 7) / 8, 0xff);
}

void ColumnData::add_rows(uint64_t count) {
  rows_ += count;
  if (validity_.empty()) return;
  // Bits above the last row are not known to be set: set those that the new rows take.
  uint64_t at = rows_ - count;
  validity_.resize((rows_ + 7) / 8, 0xff);
  for (; at < rows_ && (at & 7) != 0; ++at) bit_set(validity_.data(), at, true);
}

void ColumnData::append(ByteSpan value) {
  if (type_.is_variable()) {
    if (offsets_.empty()) offsets_.push_back(0);
    values_.append(value);
    offsets_.push_back(values_.size());
  } else {
    STELA_CHECK(value.size() == type_.value_width(), type_.name() + " from " + std::to_string(value.size()) + " bytes");
    values_.append(value);
  }
  add_rows(1);
}

void ColumnData::append_nulls(uint64_t count) {
  if (count == 0) return;
  if (type_.is_variable()) {
    if (offsets_.empty()) offsets_.push_back(0);
    offsets_.resize(offsets_.size() + count, offsets_.back());
  } else {
    Buffer fill = null_fill(type_);
    size_t at = values_.size();
    values_.resize(at + count * fill.size());
    for (uint64_t i = 0; i < count; ++i) std::memcpy(values_.data() + at + i * fill.size(), fill.data(), fill.size());
  }
  uint64_t first = rows_;
  add_rows(count);
  ensure_validity();
  for (uint64_t row = first; row < rows_; ++row) bit_set(validity_.data(), row, false);
  null_count_ += count;
}

void ColumnData::append(const ColumnView& view) {
  if (view.rows == 0) return;
  STELA_CHECK(*view.type == type_, view.type->name() + " to " + type_.name());
  uint64_t bytes = view.value_bytes();
  if (type_.is_variable()) {
    if (offsets_.empty()) offsets_.push_back(0);
    uint64_t base = offsets_.back();
    uint64_t first = view.offsets[0];
    size_t at = offsets_.size();
    offsets_.resize(at + view.rows);
    for (uint64_t row = 0; row < view.rows; ++row) offsets_[at + row] = base + (view.offsets[row + 1] - first);
    values_.append({view.values + first, static_cast<size_t>(bytes)});
  } else {
    values_.append({view.values, static_cast<size_t>(bytes)});
  }
  add_rows(view.rows);
  if (view.validity != nullptr) set_validity_of_last(view.rows, view.validity, view.validity_offset);
}

void ColumnData::replace_variable(std::span<const uint64_t> rows, const ColumnView& values) {
  Buffer bytes;
  PooledVector<uint64_t> offsets{0};
  offsets.reserve(rows_ + 1);
  uint64_t next = 0;  // row that is not taken over yet
  auto keep_until = [&](uint64_t end) {
    if (next == end) return;
    uint64_t from = offsets_[next];
    uint64_t base = offsets.back();
    bytes.append({values_.data() + from, static_cast<size_t>(offsets_[end] - from)});
    for (; next < end; ++next) offsets.push_back(base + (offsets_[next + 1] - from));
  };
  for (size_t i = 0; i < rows.size(); ++i) {
    keep_until(rows[i]);
    if (values.is_valid(i)) bytes.append(values.value(i));
    offsets.push_back(bytes.size());
    next = rows[i] + 1;
  }
  keep_until(rows_);
  values_ = std::move(bytes);
  offsets_ = std::move(offsets);
}

void ColumnData::replace(std::span<const uint64_t> rows, const ColumnView& values) {
  if (rows.empty()) return;
  STELA_CHECK(*values.type == type_ && values.rows == rows.size() && rows.back() < rows_, type_.name());
  if (type_.is_variable()) {
    replace_variable(rows, values);
  } else {
    uint64_t width = type_.value_width();
    for (size_t i = 0; i < rows.size(); ++i) {
      std::memcpy(values_.data() + rows[i] * width, values.values + i * width, width);
    }
  }
  if (values.validity == nullptr && validity_.empty()) return;
  ensure_validity();
  for (size_t i = 0; i < rows.size(); ++i) {
    bool was = bit_get(validity_.data(), rows[i]);
    bool is = values.is_valid(i);
    if (was == is) continue;
    bit_set(validity_.data(), rows[i], is);
    null_count_ += was ? 1 : uint64_t{0} - 1;
  }
}

std::byte* ColumnData::grow_fixed(uint64_t rows) {
  STELA_CHECK(!type_.is_variable(), type_.name());
  size_t at = values_.size();
  values_.resize(at + rows * type_.value_width());
  add_rows(rows);
  return values_.data() + at;
}

std::byte* ColumnData::grow_variable(const uint32_t* lengths, uint64_t rows) {
  STELA_CHECK(type_.is_variable(), type_.name());
  if (offsets_.empty()) offsets_.push_back(0);
  size_t at = offsets_.size();
  offsets_.resize(at + rows);
  uint64_t end = offsets_[at - 1];
  for (uint64_t row = 0; row < rows; ++row) {
    end += lengths[row];
    offsets_[at + row] = end;
  }
  size_t start = values_.size();
  values_.resize(end);
  add_rows(rows);
  return values_.data() + start;
}

void ColumnData::set_validity_of_last(uint64_t count, const uint8_t* validity, uint64_t validity_offset) {
  STELA_CHECK(count <= rows_, std::to_string(count) + " of " + std::to_string(rows_));
  if (count == 0) return;
  uint64_t nulls = count_zero_bits(validity, validity_offset, count);
  uint64_t first = rows_ - count;
  if (null_count_ > 0) null_count_ -= count_zero_bits(validity_.data(), first, count);
  if (nulls > 0 || !validity_.empty()) {
    ensure_validity();
    copy_bits(validity, validity_offset, validity_.data(), first, count);
  }
  null_count_ += nulls;
}

void ColumnData::fill_nulls_of_last(uint64_t count) {
  STELA_CHECK(count <= rows_, std::to_string(count) + " of " + std::to_string(rows_));
  if (null_count_ == 0 || type_.is_variable()) return;
  const uint64_t first = rows_ - count;
  fill_null_slots(type_, count, validity_.data(), first, values_.data() + first * type_.value_width());
}

namespace {

// Null slots of a variable column become empty ranges; the other values move down.
void squeeze_null_slots(uint64_t rows, const uint8_t* validity, Buffer& values, PooledVector<uint64_t>& offsets) {
  uint64_t out = 0;
  uint64_t begin = 0;
  for (uint64_t row = 0; row < rows; ++row) {
    uint64_t end = offsets[row + 1];
    uint64_t length = bit_get(validity, row) ? end - begin : 0;
    if (length > 0) std::memmove(values.data() + out, values.data() + begin, length);
    out += length;
    offsets[row + 1] = out;
    begin = end;
  }
  values.resize(out);
}

Status check_offsets(uint64_t rows, const PooledVector<uint64_t>& offsets, uint64_t bytes) {
  if (offsets.size() != rows + 1 || offsets[0] != 0) return invalid("a column needs rows + 1 offsets, the first 0");
  if (!std::is_sorted(offsets.begin(), offsets.end())) return invalid("the offsets of a column run backwards");
  if (offsets[rows] > bytes) return invalid("the offsets of a column reach beyond its bytes");
  return {};
}

}  // namespace

Result<ColumnData> ColumnData::adopt(DataType type, uint64_t rows, Buffer values, PooledVector<uint64_t> offsets,
                                     PooledVector<uint8_t> validity) {
  STELA_TRY(type.validate());
  if (type.is_variable()) {
    if (rows == 0 && offsets.empty()) offsets.push_back(0);
    STELA_TRY(check_offsets(rows, offsets, values.size()));
    values.resize(offsets[rows]);
  } else {
    uint64_t bytes = 0;
    if (__builtin_mul_overflow(rows, type.value_width(), &bytes) || values.size() != bytes) {
      return invalid("a column of " + std::to_string(rows) + " rows of " + type.name() + " does not have " +
                     std::to_string(values.size()) + " bytes");
    }
  }
  if (!validity.empty() && validity.size() < (rows + 7) / 8) return invalid("the validity of a column is too short");
  ColumnData column(std::move(type));
  column.rows_ = rows;
  uint64_t nulls = validity.empty() ? 0 : count_zero_bits(validity.data(), 0, rows);
  if (nulls > 0) {
    if (column.type_.is_variable()) squeeze_null_slots(rows, validity.data(), values, offsets);
    fill_null_slots(column.type_, rows, validity.data(), 0, values.data());
    validity.resize((rows + 7) / 8);
    column.validity_ = std::move(validity);
    column.null_count_ = nulls;
  }
  column.values_ = std::move(values);
  if (column.type_.is_variable()) column.offsets_ = std::move(offsets);
  return column;
}

}  // namespace stela

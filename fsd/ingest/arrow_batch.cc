#include "fsd/ingest/arrow_batch.h"

#include <algorithm>
#include <cstring>

#include "fsd/ingest/iso_time.h"
#include "fsd/ingest/utf8_text.h"

namespace stela::fsd {
namespace {

Status batch_lies(const std::string& what) { return invalid("the Arrow file contradicts itself: " + what); }

bool has_offsets(const ArrowField& field) {
  return field.storage == ArrowStorage::kOffsets32 || field.storage == ArrowStorage::kOffsets64;
}

// Arrow's layout of a view: its length, then up to 12 bytes of value, or a prefix, the buffer's number, an offset.
constexpr uint64_t kViewBytes = 16;
constexpr uint64_t kViewInlineMax = 12;

__extension__ using Int128 = __int128;

bool fits_precision(const std::byte* at, uint8_t precision) {
  auto value = get_fixed<Int128>(at);
  Int128 bound = 1;
  for (uint8_t i = 0; i < precision; ++i) bound *= 10;
  return value < bound && value > -bound;
}

}  // namespace

Result<ArrowBatch> ArrowBatch::bind(const ArrowBody& body, const ArrowField& field, const ColumnData* dictionary,
                                    ArrowBody::Cursor* cursor) {
  ArrowBatch out(body, field, dictionary);
  STELA_TRY(out.bind_places(body, cursor));
  if (out.rows_ > 0) STELA_TRY(out.check_sizes());
  return out;
}

void ArrowBatch::set_limits(uint64_t rows, uint64_t bytes) {
  rows_at_once_ = rows;
  bytes_at_once_ = bytes;
}

// Nodes and buffers in Arrow's order: the column, then each list level's items, then the values.
Status ArrowBatch::bind_places(const ArrowBody& body, ArrowBody::Cursor* cursor) {
  bool indices = dictionary_ != nullptr;
  size_t levels = indices ? 0 : field_->list_sizes.size();
  size_t wanted = levels + 2 + (!indices && has_offsets(*field_) ? 1 : 0);
  bool views = !indices && field_->storage == ArrowStorage::kViews;
  if (views) {
    if (cursor->views == body.view_buffers().size())
      return batch_lies("a record batch has not counted the buffers of views");
    wanted += body.view_buffers()[cursor->views++];
  }
  if (body.nodes().size() - cursor->node < levels + 1)
    return batch_lies("a record batch has not the nodes of its column");
  if (body.buffers().size() - cursor->buffer < wanted)
    return batch_lies("a record batch has not the buffers of its column");
  const ArrowBody::Node* nodes = body.nodes().data() + cursor->node;
  const Place* places = body.buffers().data() + cursor->buffer;
  uint64_t items = rows_;
  for (size_t level = 0; level <= levels; ++level) {
    const ArrowBody::Node& node = nodes[level];
    if (node.length < items || (level == 0 && node.length != items)) {
      return batch_lies("a column of " + std::to_string(node.length) + " values in a record batch of " +
                        std::to_string(rows_) + " rows");
    }
    bool no_nulls = places[level].bytes == 0;
    if (no_nulls && node.nulls > 0) return batch_lies("nulls are declared, but there is no validity buffer");
    if (level > 0 && !no_nulls && places[level].bytes < (items + 7) / 8)
      return batch_lies("a validity buffer is too short");
    if (level < levels && __builtin_mul_overflow(items, uint64_t{field_->list_sizes[level]}, &items)) {
      return batch_lies("a list has too many items");
    }
  }
  nulls_declared_ = nodes[0].nulls;
  validity_place_ = places[0];
  item_validity_.assign(places + 1, places + 1 + levels);
  values_ = places[levels + 1];
  if (views) {
    view_bytes_.assign(places + 2, places + wanted);
  } else if (wanted == levels + 3) {
    bytes_ = places[levels + 2];
  }
  cursor->node += levels + 1;
  cursor->buffer += wanted;
  return {};
}

Status ArrowBatch::check_sizes() const {
  uint64_t needed = 0;
  bool overflow = false;
  if (dictionary_ != nullptr) {
    overflow = __builtin_mul_overflow(rows_, uint64_t{field_->dictionary->index_bytes}, &needed);
  } else if (has_offsets(*field_)) {
    uint64_t width = field_->storage == ArrowStorage::kOffsets32 ? 4 : 8;
    overflow = __builtin_mul_overflow(rows_ + 1, width, &needed);
  } else if (field_->storage == ArrowStorage::kViews) {
    overflow = __builtin_mul_overflow(rows_, kViewBytes, &needed);
  } else if (field_->storage == ArrowStorage::kBits) {
    overflow = __builtin_mul_overflow(rows_, field_->type.elements(), &needed) || needed > UINT64_MAX - 7;
    needed = (needed + 7) / 8;
  } else {
    uint64_t width = field_->storage == ArrowStorage::kInt32 ? 4 : field_->type.value_width();
    overflow = __builtin_mul_overflow(rows_, width, &needed);
  }
  if (overflow || values_.bytes < needed) return batch_lies("a buffer is shorter than its rows need");
  // Compared after the values, which bound the rows.
  if (validity_place_.bytes > 0 && validity_place_.bytes < (rows_ + 7) / 8)
    return batch_lies("a validity buffer is too short");
  return {};
}

uint64_t ArrowBatch::rows_at_a_time() const {
  bool variable = has_offsets(*field_) || field_->storage == ArrowStorage::kViews;
  if (dictionary_ != nullptr || variable) return rows_at_once_;
  return std::clamp<uint64_t>(bytes_at_once_ / field_->type.value_width(), 1, rows_at_once_ * 8);
}

Status ArrowBatch::next(ColumnData& out) {
  out.clear();
  uint64_t count = std::min(rows_ - first_, rows_at_a_time());
  if (count == 0) {
    bool known = nulls_declared_ >= 0;
    if (!known || static_cast<uint64_t>(nulls_declared_) == nulls_seen_) return {};
    return batch_lies(std::to_string(nulls_declared_) + " nulls are declared, but the validity buffer has " +
                      std::to_string(nulls_seen_));
  }
  STELA_TRY(read_validity(count));
  if (dictionary_ != nullptr) {
    STELA_TRY(read_indices(count, out));
  } else if (has_offsets(*field_)) {
    STELA_TRY(read_variable(&count, out));
  } else if (field_->storage == ArrowStorage::kViews) {
    STELA_TRY(read_views(&count, out));
  } else if (field_->storage == ArrowStorage::kBits) {
    STELA_TRY(read_bools(count, out));
  } else {
    STELA_TRY(read_fixed(count, out));
  }
  STELA_TRY(finish_rows(count, out));
  first_ += count;
  return {};
}

// Bits [first, first + count) of a place; bit `first` comes out as bit first & 7.
Status ArrowBatch::read_bits(const Place& place, uint64_t first, uint64_t count, std::vector<uint8_t>& bits) const {
  uint64_t begin = first / 8, end = (first + count + 7) / 8;
  bits.resize(end - begin);
  return source_->read(place.offset + begin, {reinterpret_cast<std::byte*>(bits.data()), bits.size()});
}

Status ArrowBatch::read_validity(uint64_t count) {
  validity_.clear();
  return validity_place_.bytes == 0 ? Status() : read_bits(validity_place_, first_, count, validity_);
}

Status ArrowBatch::read_fixed(uint64_t count, ColumnData& out) {
  fixed_ = out.grow_fixed(count);
  if (field_->storage == ArrowStorage::kFixed) {
    uint64_t width = field_->type.value_width();
    return source_->read(values_.offset + first_ * width, {fixed_, static_cast<size_t>(count * width)});
  }
  raw_.resize(count * 4);
  STELA_TRY(source_->read(values_.offset + first_ * 4, raw_.span()));
  for (uint64_t row = 0; row < count; ++row) {
    int64_t value = get_fixed<int32_t>(raw_.data() + row * 4);
    std::memcpy(fixed_ + row * 8, &value, 8);
  }
  return {};
}

Status ArrowBatch::read_bools(uint64_t count, ColumnData& out) {
  uint64_t elements = field_->type.elements(), first = first_ * elements;
  STELA_TRY(read_bits(values_, first, count * elements, bits_));
  fixed_ = out.grow_fixed(count);
  for (uint64_t i = 0; i < count * elements; ++i) fixed_[i] = std::byte{bit_get(bits_.data(), (first & 7) + i)};
  return {};
}

// offsets_ becomes the count + 1 offsets from row first_ on, checked.
Status ArrowBatch::read_offsets(uint64_t count) {
  uint64_t width = field_->storage == ArrowStorage::kOffsets32 ? 4 : 8;
  raw_.resize((count + 1) * width);
  STELA_TRY(source_->read(values_.offset + first_ * width, raw_.span()));
  offsets_.resize(count + 1);
  for (uint64_t i = 0; i <= count; ++i) {
    int64_t offset = width == 4 ? get_fixed<int32_t>(raw_.data() + i * 4) : get_fixed<int64_t>(raw_.data() + i * 8);
    bool good = offset >= 0 && static_cast<uint64_t>(offset) <= bytes_.bytes &&
                (i == 0 || static_cast<uint64_t>(offset) >= offsets_[i - 1]);
    if (!good) return at_row(i == 0 ? 0 : i - 1, "its offsets run backwards or out of the buffer");
    offsets_[i] = static_cast<uint64_t>(offset);
  }
  return {};
}

// Takes fewer than *count rows when their bytes are many.
Status ArrowBatch::read_variable(uint64_t* count, ColumnData& out) {
  STELA_TRY(read_offsets(*count));
  auto over = std::upper_bound(offsets_.begin() + 1, offsets_.end(), offsets_[0] + bytes_at_once_);
  *count = std::clamp<uint64_t>(static_cast<uint64_t>(over - offsets_.begin()) - 1, 1, *count);
  lengths_.resize(*count);
  uint64_t limit = IngestOptions{}.field_bytes_max;
  bool all_valid = true;
  for (uint64_t row = 0; row < *count; ++row) {
    uint64_t length = offsets_[row + 1] - offsets_[row];
    bool valid = is_valid(row);
    if (valid && length > limit) {
      return Status(Code::kLimit, at_row(row, "a value of " + std::to_string(length) + " bytes is over the limit of " +
                                                  std::to_string(limit))
                                      .message());
    }
    all_valid &= valid || length == 0;
    lengths_[row] = valid ? static_cast<uint32_t>(length) : 0;
  }
  std::byte* to = out.grow_variable(lengths_.data(), *count);
  auto bytes = static_cast<size_t>(offsets_[*count] - offsets_[0]);
  uint64_t from = bytes_.offset + offsets_[0];
  if (all_valid) return source_->read(from, {to, bytes});
  // A null may have bytes, which are left out; alone, it may have any number of them.
  if (*count == 1) return {};
  raw_.resize(bytes);
  STELA_TRY(source_->read(from, raw_.span()));
  for (uint64_t row = 0; row < *count; ++row) {
    if (lengths_[row] > 0) std::memcpy(to, raw_.data() + (offsets_[row] - offsets_[0]), lengths_[row]);
    to += lengths_[row];
  }
  return {};
}

// Takes fewer than *count rows when their bytes are many. Values lie in any order, so each long one is a read.
Status ArrowBatch::read_views(uint64_t* count, ColumnData& out) {
  raw_.resize(*count * kViewBytes);
  STELA_TRY(source_->read(values_.offset + first_ * kViewBytes, raw_.span()));
  lengths_.clear();
  uint64_t bytes = 0;
  for (uint64_t row = 0; row < *count; ++row) {
    const std::byte* view = raw_.data() + row * kViewBytes;
    auto length = is_valid(row) ? get_fixed<int32_t>(view) : 0;
    if (length < 0) return at_row(row, "a value of " + std::to_string(length) + " bytes");
    if (static_cast<uint64_t>(length) > IngestOptions{}.field_bytes_max) {
      return Status(Code::kLimit, at_row(row, "a value of " + std::to_string(length) + " bytes is over the limit of " +
                                                  std::to_string(IngestOptions{}.field_bytes_max))
                                      .message());
    }
    if (static_cast<uint64_t>(length) > kViewInlineMax) {
      auto buffer = get_fixed<int32_t>(view + 8), offset = get_fixed<int32_t>(view + 12);
      bool inside = buffer >= 0 && static_cast<uint64_t>(buffer) < view_bytes_.size() && offset >= 0 &&
                    static_cast<uint64_t>(offset) + static_cast<uint64_t>(length) <=
                        view_bytes_[static_cast<size_t>(buffer)].bytes;
      if (!inside) return at_row(row, "its value lies outside of the buffers");
    }
    if (row > 0 && bytes + static_cast<uint64_t>(length) > bytes_at_once_) break;
    bytes += static_cast<uint64_t>(length);
    lengths_.push_back(static_cast<uint32_t>(length));
  }
  *count = lengths_.size();
  std::byte* to = out.grow_variable(lengths_.data(), *count);
  for (uint64_t row = 0; row < *count; to += lengths_[row++]) {
    const std::byte* view = raw_.data() + row * kViewBytes;
    if (lengths_[row] <= kViewInlineMax) {
      std::memcpy(to, view + 4, lengths_[row]);
    } else {
      const Place& place = view_bytes_[static_cast<size_t>(get_fixed<int32_t>(view + 8))];
      STELA_TRY(
          source_->read(place.offset + static_cast<uint64_t>(get_fixed<int32_t>(view + 12)), {to, lengths_[row]}));
    }
  }
  return {};
}

Status ArrowBatch::read_indices(uint64_t count, ColumnData& out) {
  uint64_t width = field_->dictionary->index_bytes;
  raw_.resize(count * width);
  STELA_TRY(source_->read(values_.offset + first_ * width, raw_.span()));
  ColumnView values = dictionary_->view();
  for (uint64_t row = 0; row < count; ++row) {
    uint64_t index = 0;
    std::memcpy(&index, raw_.data() + row * width, width);
    bool negative = field_->dictionary->is_signed && (index >> (width * 8 - 1)) != 0;
    if (!is_valid(row)) {
      out.append_nulls(1);
    } else if (negative || index >= values.rows) {
      return at_row(row, "its index lies outside of the dictionary");
    } else if (!values.is_valid(index)) {
      out.append_nulls(1);
    } else {
      out.append(values.value(index));
    }
  }
  return {};
}

// Numbers within a vector cannot be null; within a null vector they do not matter.
Status ArrowBatch::check_list_items(uint64_t count) {
  uint64_t items = 1;
  for (size_t level = 0; level < item_validity_.size(); ++level) {
    items *= field_->list_sizes[level];
    if (item_validity_[level].bytes == 0) continue;
    STELA_TRY(read_bits(item_validity_[level], first_ * items, count * items, bits_));
    uint64_t shift = (first_ * items) & 7;
    if (count_zero_bits(bits_.data(), shift, count * items) == 0) continue;
    for (uint64_t row = 0; row < count; ++row) {
      if (is_valid(row) && count_zero_bits(bits_.data(), shift + row * items, items) > 0) {
        return at_row(row, "a number within the vector is null; use NaN, or make the whole row null");
      }
    }
  }
  return {};
}

// What Arrow leaves to the writer's honesty.
Status ArrowBatch::check_values(uint64_t count, const ColumnData& out) const {
  const DataType& type = field_->type;
  ColumnView view = out.view();
  bool is_time = type.kind == TypeKind::kTime;
  int64_t day = is_time ? kSecondsPerDay * units_per_second(type.unit) : 0;
  for (uint64_t row = 0; row < count; ++row) {
    if (!is_valid(row)) continue;
    if (type.kind == TypeKind::kUtf8 && find_bad_utf8(as_text(view.value(row))) != view.value(row).size()) {
      return at_row(row, quoted_for_message(as_text(view.value(row))) + " is not valid UTF-8");
    }
    if (type.kind == TypeKind::kDecimal128 && !fits_precision(view.value(row).data(), type.precision)) {
      return at_row(row, "its decimal has more than " + std::to_string(type.precision) + " digits");
    }
    if (!type.is_temporal()) continue;
    auto value = get_fixed<int64_t>(view.value(row).data());
    if (value == INT64_MIN) return at_row(row, "the smallest number of 64 bits means no time (NaT); make it null");
    if (is_time && (value < 0 || value >= day)) return at_row(row, std::to_string(value) + " is not a time of day");
  }
  return {};
}

Status ArrowBatch::finish_rows(uint64_t count, ColumnData& out) {
  if (!validity_.empty()) nulls_seen_ += count_zero_bits(validity_.data(), first_ & 7, count);
  if (dictionary_ != nullptr) return {};
  STELA_TRY(check_list_items(count));
  const DataType& type = field_->type;
  if (type.is_temporal() || type.kind == TypeKind::kUtf8 || type.kind == TypeKind::kDecimal128) {
    STELA_TRY(check_values(count, out));
  }
  if (validity_.empty()) return {};
  if (fixed_ != nullptr) fill_null_slots(type, count, validity_.data(), first_ & 7, fixed_);
  out.set_validity_of_last(count, validity_.data(), first_ & 7);
  return {};
}

Status ArrowBatch::at_row(uint64_t row, const std::string& why) const {
  return invalid("row " + std::to_string(first_ + row) + " of a record batch: " + why);
}

}  // namespace stela::fsd

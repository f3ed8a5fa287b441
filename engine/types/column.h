// Columns in memory: ColumnView (borrowed), ColumnData (owned), Batch (columns of equal length).
//
// Layout, the same everywhere in Stela:
//  - fixed-width types: `rows * value_width()` bytes, little-endian, bool one byte (0 or 1), dates 8 bytes;
//    exactly the bytes after the header of the .npy that np.save writes.
//  - variable types: `rows + 1` uint64 offsets into bytes; the first need not be 0 in a view.
//  - validity: one bit a row, least significant first, 1 = there is a value; null pointer = no nulls.
//    A null's slot always holds the type's fill (fill_null_slots): NaN, NaT or zeros, or an empty range.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/base/buffer.h"
#include "engine/types/data_type.h"

namespace stela {

inline bool bit_get(const uint8_t* bits, uint64_t index) { return (bits[index >> 3] >> (index & 7)) & 1; }
inline void bit_set(uint8_t* bits, uint64_t index, bool value) {
  auto mask = static_cast<uint8_t>(1u << (index & 7));
  bits[index >> 3] = static_cast<uint8_t>(value ? bits[index >> 3] | mask : bits[index >> 3] & ~mask);
}
// Up to 64 bits from bit `offset`, the first lowest, without touching a byte that holds none of them.
uint64_t load_bits(const uint8_t* bits, uint64_t offset, uint64_t count);
// Calls visit(i), ascending, for each zero among `count` bits that begin at bit `offset`.
template <typename Visit>
void for_each_zero_bit(const uint8_t* bits, uint64_t offset, uint64_t count, Visit visit) {
  for (uint64_t done = 0; done < count; done += 64) {
    const uint64_t taken = count - done < 64 ? count - done : 64;
    uint64_t zeros = ~load_bits(bits, offset + done, taken) & (~uint64_t{0} >> (64 - taken));
    for (; zeros != 0; zeros &= zeros - 1) visit(done + static_cast<uint64_t>(std::countr_zero(zeros)));
  }
}
// Zero bits among `count` bits that begin at bit `offset`.
uint64_t count_zero_bits(const uint8_t* bits, uint64_t offset, uint64_t count);
// Copies `count` bits; ranges must not overlap.
void copy_bits(const uint8_t* from, uint64_t from_offset, uint8_t* to, uint64_t to_offset, uint64_t count);

// Borrowed rows of one column. Cheap to copy; valid while the memory behind it is.
struct ColumnView {
  const DataType* type = nullptr;
  uint64_t rows = 0;
  const std::byte* values = nullptr;  // fixed: first value; variable: byte 0 that offsets count from
  const uint64_t* offsets = nullptr;  // variable types only: rows + 1
  const uint8_t* validity = nullptr;  // nullptr: no nulls
  uint64_t validity_offset = 0;       // bit of row 0 within `validity`

  bool is_valid(uint64_t row) const { return validity == nullptr || bit_get(validity, validity_offset + row); }
  uint64_t null_count() const { return validity == nullptr ? 0 : count_zero_bits(validity, validity_offset, rows); }
  // Bytes of values: rows * width, or the last offset less the first.
  uint64_t value_bytes() const;
  // One value's bytes (a null's fill for a null).
  ByteSpan value(uint64_t row) const;
  ColumnView slice(uint64_t first, uint64_t count) const;
};

// Owned rows of one column; grows at the end. Movable and copyable; not thread-safe.
class ColumnData {
 public:
  ColumnData() = default;
  explicit ColumnData(DataType type) : type_(std::move(type)) {}

  const DataType& type() const { return type_; }
  uint64_t rows() const { return rows_; }
  uint64_t null_count() const { return null_count_; }
  bool has_nulls() const { return null_count_ > 0; }
  // Invalidated by any change.
  ColumnView view() const;
  uint64_t memory_bytes() const {
    return values_.capacity() + offsets_.capacity() * sizeof(uint64_t) + validity_.capacity();
  }

  void clear();
  void reserve(uint64_t rows, uint64_t value_bytes);
  // `value` has value_width() bytes, or any number for variable types.
  void append(ByteSpan value);
  void append_text(std::string_view text) { append(as_bytes(text)); }
  template <typename T>
  void append_value(T value) {
    append({reinterpret_cast<const std::byte*>(&value), sizeof(T)});
  }
  void append_nulls(uint64_t count);
  // Types must be equal.
  void append(const ColumnView& view);

  // The values of those rows, ascending, become these, one each. O(rows()) for variable types, else O(rows.size()).
  void replace(std::span<const uint64_t> rows, const ColumnView& values);

  // Bulk growth for decoders: room for `rows` more values, all valid, contents for the caller to write.
  // Fixed types: returns where the first of them begins.
  std::byte* grow_fixed(uint64_t rows);
  // Variable types: adds `rows` values whose lengths are in `lengths` and returns where their bytes begin.
  std::byte* grow_variable(const uint32_t* lengths, uint64_t rows);
  // Declares nulls among the last `count` rows; bit i of `validity` (at validity_offset + i) is row
  // rows() - count + i. The slots must already hold the null fill.
  void set_validity_of_last(uint64_t count, const uint8_t* validity, uint64_t validity_offset);

  // Writes the null fill into the slots of nulls among the last `count` rows.
  void fill_nulls_of_last(uint64_t count);

  // Takes over finished buffers. validity empty = no nulls. offsets only for variable types, rows + 1,
  // first 0. Checks sizes; writes the fill into null slots.
  static Result<ColumnData> adopt(DataType type, uint64_t rows, Buffer values, PooledVector<uint64_t> offsets,
                                  PooledVector<uint8_t> validity);

 private:
  void ensure_validity();
  void replace_variable(std::span<const uint64_t> rows, const ColumnView& values);
  void add_rows(uint64_t count);  // all valid
  DataType type_;
  uint64_t rows_ = 0;
  uint64_t null_count_ = 0;
  Buffer values_;
  PooledVector<uint64_t> offsets_;  // empty, or rows_ + 1
  PooledVector<uint8_t> validity_;  // empty while there are no nulls
};

// The bytes a null's slot holds: quiet NaN for floats, NaT (int64 min) for date, timestamp, time and
// duration, zeros otherwise; element by element for tensors. Empty for variable types.
Buffer null_fill(const DataType& type);
// Writes null_fill into the slots of `values` that `validity` marks null.
void fill_null_slots(const DataType& type, uint64_t rows, const uint8_t* validity, uint64_t validity_offset,
                     std::byte* values);

// Rows of several columns, by name; all columns have the same number of rows.
struct Batch {
  std::vector<std::string> names;
  std::vector<ColumnData> columns;
  uint64_t rows() const { return columns.empty() ? 0 : columns[0].rows(); }
  Batch& add(std::string name, ColumnData column) {
    names.push_back(std::move(name));
    columns.push_back(std::move(column));
    return *this;
  }
};

}  // namespace stela

// The registry through which every encoding of page values comes.
//
// An encoding turns the values of one page into bytes and back. Nulls are not its business: validity is
// stored apart by the page, and a null's slot holds the type's fill. Adding one = one file pair that
// defines it, and one line in encoding_registry.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "engine/types/column.h"

namespace stela::format {

// Numbers are part of the format: append only.
enum class EncodingId : uint16_t { kPlain = 1 };

// Stateless; one instance for the process; thread-safe.
class Encoding {
 public:
  virtual ~Encoding() = default;
  virtual EncodingId id() const = 0;
  virtual const char* name() const = 0;
  virtual bool supports(const DataType& type) const = 0;
  // Bytes `encode` would need for values like `sample`, scaled to one value in 1/256 bytes; empty when it
  // does not suit them. O(sample).
  virtual std::optional<uint64_t> estimate(const ColumnView& sample) const = 0;
  // Encoded values of `type` are exactly their bytes: a page is written from and read into column memory
  // without a copy. Only of fixed-width types.
  virtual bool is_identity(const DataType& type) const = 0;
  // Appends to `out`.
  virtual Status encode(const ColumnView& values, Buffer& out) const = 0;
  // How many bytes at the start of `encoded` are all that value_bytes() needs; the page seals them apart.
  virtual uint64_t lengths_bytes(ByteSpan encoded, const DataType& type, uint64_t rows) const = 0;
  // Appends rows [first, first + count) of a page of `rows` rows to `out`. Untrusted bytes: kDamaged.
  virtual Status decode_range(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first, uint64_t count,
                              ColumnData& out) const = 0;
  // Appends the given rows (ascending positions within the page).
  virtual Status decode_rows(ByteSpan encoded, const DataType& type, uint64_t rows, std::span<const uint32_t> wanted,
                             ColumnData& out) const = 0;
  // Bytes of the values of rows [first, first + count); `encoded` may end after lengths_bytes().
  virtual Result<uint64_t> value_bytes(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first,
                                       uint64_t count) const = 0;
};

// Null when this program does not know it (then the page is refused as unsupported, by number).
const Encoding* find_encoding(EncodingId id);
std::span<const Encoding* const> all_encodings();
// The one that says it needs the fewest bytes for a sample of `values`; plain when none needs fewer.
const Encoding& choose_encoding(const ColumnView& values);

}  // namespace stela::format

// The registry through which every encoding of page values comes.
//
// An encoding turns the values of one page into bytes and back. Nulls are not its business: validity is stored apart
// by the page, which gives null slots of fixed width a neighbour's value before it encodes (so that a fill far from
// the values does not widen them) and writes the type's fill after it decodes. Adding one = one file pair that defines
// it, and one line in encoding_registry.cc. Bytes: encoding_format.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "engine/format/row_strips.h"
#include "engine/types/column.h"

namespace stela::format {

// Numbers are part of the format: append only.
enum class EncodingId : uint16_t {
  kPlain = 1,
  kConstant = 2,
  kPacked = 3,
  kDelta = 4,
  kRuns = 5,
  kDictionary = 6,
  kNarrow = 7,
  kAlp = 8,
  kFsst = 9,
  kByteSplit = 10,
  kZstd = 11,
  kSnappy = 12,
  kAlpRd = 13,
  kFsstLarge = 14,
  kPackedTight = 15,
  kRoaring = 16,
  kRans = 17,
  kRoaringIndexed = 18,
};

// What a page is written for: to be read often, or to be small.
enum class EncodingMode : uint8_t { kLight, kCold };

class ValueSample;   // encoding_choice.h
struct EncodedForm;  // encoded_form.h

inline constexpr uint64_t kPageRowsMax = uint64_t{1} << 23;
inline constexpr uint64_t kPageValueBytesMax = uint64_t{1} << 30;  // decoded

// Stateless; one instance for the process; thread-safe.
class Encoding {
 public:
  virtual ~Encoding() = default;
  virtual EncodingId id() const = 0;
  virtual const char* name() const = 0;
  // Encodings nest: the columns inside of one (codes, runs) are encoded by another of a lower rank, in writing as in
  // reading, so hostile bytes cannot nest deeper than this. 0: has no columns inside.
  virtual unsigned rank() const = 0;
  virtual bool supports(const DataType& type) const = 0;
  // Bytes that all values would need, from a sample of them; empty when it does not suit them. O(sample).
  virtual std::optional<uint64_t> estimate(const ValueSample& sample, EncodingMode mode) const = 0;
  // Encoded values of `type` are exactly their bytes: a page is written from and read into column memory
  // without a copy. Only of fixed-width types.
  virtual bool is_identity(const DataType& type) const = 0;
  // Appends to `out`. kUnsupported when the values, or their number, are not such as it can hold.
  virtual Status encode(const ColumnView& values, EncodingMode mode, Buffer& out) const = 0;
  // How many bytes at the start of `encoded` are all that value_bytes() needs; the page seals them apart. Trusted
  // bytes: those that encode() gave.
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
  // What it holds, for operators; views of `encoded`. Untrusted bytes: kDamaged.
  virtual Result<EncodedForm> form(ByteSpan encoded, const DataType& type, uint64_t rows) const;
  // Appends the bytes that only some rows need, so that the page can be divided. None: all rows need all bytes. Trusted
  // bytes, which outlive the strips.
  virtual void append_strips(ByteSpan, const DataType&, uint64_t, RowStrips&) const {}
};

// What fixed-width encodings have in common.
class FixedEncoding : public Encoding {
 public:
  bool is_identity(const DataType&) const override { return false; }
  uint64_t lengths_bytes(ByteSpan, const DataType&, uint64_t) const override { return 0; }
  Result<uint64_t> value_bytes(ByteSpan encoded, const DataType& type, uint64_t rows, uint64_t first,
                               uint64_t count) const override;
};

// Null when this program does not know it (then the page is refused as unsupported, by number).
const Encoding* find_encoding(EncodingId id);
std::span<const Encoding* const> all_encodings();

// Of bytes that encode() gave.
template <typename T>
T trusted(Result<T> opened) {
  STELA_CHECK(opened.ok(), opened.status().message());
  return std::move(opened).value();
}

// kDamaged unless rows [first, first + count) are among `rows`.
Status check_page_range(uint64_t rows, uint64_t first, uint64_t count);
// kDamaged unless `wanted` ascends below `rows`.
Status check_page_rows(uint64_t rows, std::span<const uint32_t> wanted);

}  // namespace stela::format

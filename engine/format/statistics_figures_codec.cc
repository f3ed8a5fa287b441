// The binary form of figures: a byte of flags, then what they announce.
#include "engine/format/statistics_figures.h"

namespace stela::format {
namespace {

constexpr unsigned kAscending = 1, kDescending = 2, kStrict = 4, kIntegerSum = 8, kFloatSum = 16, kDistinct = 32,
                   kSketch = 64, kFlagsMax = 127;

// 0 or -1: what lies above the last byte.
int sign_of(std::string_view bytes) { return static_cast<signed char>(bytes.back()) < 0 ? -1 : 0; }

// The fewest bytes of the two's complement, little-endian.
void put_integer(std::string& out, __int128 value) {
  std::string bytes;
  while (bytes.empty() || value != sign_of(bytes)) {
    bytes.push_back(static_cast<char>(value));
    value >>= 8;
  }
  put_text(out, bytes);
}

bool get_integer(Decoder& in, __int128* value) {
  std::string_view bytes;
  if (!in.text(&bytes) || bytes.empty() || bytes.size() > sizeof(*value)) return false;
  *value = sign_of(bytes);
  std::memcpy(value, bytes.data(), bytes.size());
  return true;
}

}  // namespace

void encode_figures(std::string& out, const Statistics& statistics, bool with_sketch) {
  unsigned flags = (statistics.ascending ? kAscending : 0u) | (statistics.descending ? kDescending : 0u) |
                   (statistics.strict ? kStrict : 0u);
  if (statistics.sum) flags |= statistics.sum->is_float ? kFloatSum : kIntegerSum;
  const bool sketch = with_sketch && statistics.sketch;
  const std::optional<uint64_t> distinct = statistics.distinct();
  if (sketch) {
    flags |= kSketch;
  } else if (distinct) {
    flags |= kDistinct;
  }
  put_fixed(out, static_cast<uint8_t>(flags));
  if ((flags & kIntegerSum) != 0) put_integer(out, statistics.sum->integer);
  if ((flags & kFloatSum) != 0) statistics.sum->real.encode(out);
  if ((flags & kDistinct) != 0) put_varint(out, *distinct);
  if (sketch) statistics.sketch->encode(out);
}

bool decode_figures(Decoder& in, Statistics* statistics) {
  uint8_t flags = 0;
  if (!in.fixed(&flags) || flags > kFlagsMax) return false;
  if ((flags & kIntegerSum) != 0 && (flags & kFloatSum) != 0) return false;
  if ((flags & kDistinct) != 0 && (flags & kSketch) != 0) return false;
  statistics->ascending = (flags & kAscending) != 0;
  statistics->descending = (flags & kDescending) != 0;
  statistics->strict = (flags & kStrict) != 0;
  if ((flags & (kIntegerSum | kFloatSum)) != 0) {
    ValueSum sum{.is_float = (flags & kFloatSum) != 0};
    if (sum.is_float) {
      if (!sum.real.decode(in)) return false;
    } else if (!get_integer(in, &sum.integer)) {
      return false;
    }
    statistics->sum = sum;
  }
  if ((flags & kDistinct) != 0) {
    uint64_t distinct = 0;
    if (!in.varint_upto(statistics->rows - statistics->nulls, &distinct)) return false;
    statistics->distinct_estimate = distinct;
  }
  if ((flags & kSketch) != 0 && !statistics->sketch.emplace().decode(in)) return false;
  return true;
}

}  // namespace stela::format

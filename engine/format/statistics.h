// Minimum, maximum, nulls, order, sum and distinct values of some rows, for pruning and .stats.json.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/coding.h"
#include "engine/format/distinct_sketch.h"
#include "engine/format/value_sum.h"
#include "engine/types/column.h"

namespace stela::format {

// Bounds are values' bytes in column layout (fixed width: one element's bytes, little-endian; text and
// binary: the bytes, at most kBoundBytes). Absent when every row is null or NaN, for tensors, and for
// bytes that no bound of kBoundBytes lies above (64 times 0xff). So absent bounds rule nothing out unless
// nulls == rows. Order: numeric; bytewise for text and binary; -0.0 equals 0.0 and is stored as 0.0; NaN
// is left out and flagged.
//
// Figures may be absent: in files of before they were kept, and of tensors. Order: of the values in their rows' order,
// nulls left out, as the bounds order them; said only where it is known, and not of values among which are NaN. Sums
// are exact, in whatever order values and parts come: of integers, booleans, durations and decimals where 128 bits hold
// them, of floats, NaN left out, where no value is infinite. Distinct values: -0.0 is 0.0, NaN is none.
struct Statistics {
  uint64_t rows = 0;
  uint64_t nulls = 0;
  bool has_bounds = false;
  bool has_nan = false;
  bool min_exact = true;  // false: cut short; a lower bound still
  bool max_exact = true;  // false: cut short and raised; an upper bound still
  bool ascending = false;   // no value is below the one before it
  bool descending = false;  // none is above it
  bool strict = false;      // ascending or descending, and no two neighbours are equal
  std::string min;
  std::string max;
  std::optional<ValueSum> sum;
  std::optional<DistinctSketch> sketch;       // of the values of a column or more; not stored for less
  std::optional<uint64_t> distinct_estimate;  // where no sketch is kept
  std::optional<uint64_t> distinct() const;
  bool operator==(const Statistics&) const = default;
};
inline constexpr size_t kBoundBytes = 64;

// O(rows), or O(rows / 64) for tensors.
Statistics compute_statistics(const ColumnView& values);
// `into` becomes the statistics of both.
void merge_statistics(const DataType& type, Statistics& into, const Statistics& other);
// Binary form, without the figures (statistics_figures.h): varint rows, varint nulls, a byte of flags (1 bounds, 2 NaN,
// 4 minimum cut, 8 maximum cut), then, with bounds, both as length and bytes.
void encode_statistics(std::string& out, const Statistics& statistics);
bool decode_statistics(Decoder& in, const DataType& type, Statistics* out);
// Three-way order of two bounds of `type`.
int compare_values(const DataType& type, std::string_view a, std::string_view b);

}  // namespace stela::format

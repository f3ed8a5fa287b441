// ColumnSource, TableSource: what a view needs to know of a column and of a dataset, and no more.
//
// A Snapshot is one; tests give columns in memory. Immutable and thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/format/statistics.h"
#include "engine/store/snapshot.h"
#include "engine/types/column.h"

namespace stela::fsd {

class ColumnSource {
 public:
  virtual ~ColumnSource() = default;
  virtual const ColumnInfo& info() const = 0;
  virtual uint64_t rows() const = 0;
  // Exact, without decoding values.
  virtual Result<ColumnTotals> totals() const = 0;
  // Appends rows [first, first + count) to `out`, which has the column's type.
  virtual Status read(uint64_t first, uint64_t count, ColumnData& out) const = 0;
  // Bytes of the values of these rows, without decoding values; variable types only.
  virtual Result<uint64_t> value_bytes(uint64_t first, uint64_t count) const = 0;
  virtual Result<format::Statistics> statistics() const = 0;
  virtual Result<uint64_t> stored_bytes() const = 0;

  const DataType& type() const { return info().type; }
};

class TableSource {
 public:
  virtual ~TableSource() = default;
  virtual const VersionInfo& version() const = 0;
  // In the order of their creation.
  virtual Result<std::vector<ColumnInfo>> columns() const = 0;
  virtual std::shared_ptr<const ColumnSource> column(const ColumnInfo& info) const = 0;
};

std::shared_ptr<const ColumnSource> snapshot_column(const Snapshot& snapshot, const ColumnInfo& column);
std::shared_ptr<const TableSource> snapshot_table(const Snapshot& snapshot);

// What one step of a view decodes at most, but for a single larger value.
inline constexpr uint64_t kStepBytes = 1 << 20;
inline constexpr uint64_t kStepRows = 64 << 10;

// How many rows from `first` on, at most `limit` (>= 1), one step may read: at least one.
Result<uint64_t> rows_in_step(const ColumnSource& column, uint64_t first, uint64_t limit);

}  // namespace stela::fsd

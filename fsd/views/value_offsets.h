// ValueOffsets: where each value of a variable-width column begins, if the values stood back to back.
//
// A sparse table of sums, filled as far as it is asked for: at most 65,536 entries, one each 8,192 rows or
// more; between them lengths are summed on demand. Values are never decoded. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "fsd/views/column_source.h"

namespace stela::fsd {

class ValueOffsets {
 public:
  // `total` = bytes of all values, from the column's totals.
  ValueOffsets(std::shared_ptr<const ColumnSource> column, uint64_t total);

  struct Place {
    uint64_t row = 0;
    uint64_t begin = 0;  // bytes of all values before `row`
  };
  uint64_t total() const { return total_; }
  // Where `row` <= rows begins.
  Result<Place> place_of_row(uint64_t row);
  // A row that begins at or shortly before `byte` < total(): the rows from it up to the one that holds
  // the byte are at most 64, or together at most 64 KiB.
  Result<Place> place_before(uint64_t byte);
  // Remembers where a sequential reader stopped, so that its next read starts there.
  void remember(Place place);

 private:
  Status extend();
  Status check(Place place) const;

  const std::shared_ptr<const ColumnSource> column_;
  const uint64_t total_;
  const uint64_t stride_;
  std::mutex mutex_;
  std::vector<uint64_t> begins_;  // of rows 0, stride, 2 * stride, ...; guarded by mutex_
  Place last_;                    // guarded by mutex_
};

}  // namespace stela::fsd

// LivingRows: which row ids of a dataset live in one version, and at which positions.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/status.h"

namespace stela::store {

inline constexpr uint64_t kDeletedBlockRows = 1 << 20;

struct RowRange {
  uint64_t first = 0;
  uint64_t count = 0;
  bool operator==(const RowRange&) const = default;
};

// (dataset, block of 2^20 row ids): the ids of the block that are deleted from this birth on, ascending.
struct DeletedEntry {
  std::vector<RowRange> rows;  // within the block
  std::string encode() const;
  static Result<DeletedEntry> decode(std::string_view bytes);
};

// Living ids in ascending order; the position of a row is the rank of its id. Immutable; O(log ranges) each.
class LivingRows {
 public:
  LivingRows() = default;
  // All of the first `ids`.
  static LivingRows all(uint64_t ids);
  // Ascending, apart, within the first `ids`.
  static LivingRows of(uint64_t ids, std::vector<RowRange> living);

  uint64_t ids() const { return ids_; }  // given so far
  uint64_t rows() const { return rows_; }
  bool all_live() const { return rows_ == ids_; }
  const std::vector<RowRange>& ranges() const { return ranges_; }
  bool contains(uint64_t id) const { return any_in(id, 1); }
  bool any_in(uint64_t first, uint64_t count) const;
  // Behind the last living one.
  uint64_t end() const { return ranges_.empty() ? 0 : ranges_.back().first + ranges_.back().count; }

  // The ids of positions [first, first + count), which are there.
  Status for_each(uint64_t first, uint64_t count,
                  const std::function<Status(uint64_t first_id, uint64_t count)>& visit) const;
  // Of ascending positions below rows().
  std::vector<uint64_t> ids_of(const std::vector<uint64_t>& positions) const;
  // The entry of one block.
  DeletedEntry deleted_of(uint64_t block) const;

 private:
  size_t range_at(uint64_t position) const;
  uint64_t ids_ = 0;
  uint64_t rows_ = 0;
  std::vector<RowRange> ranges_;
  std::vector<uint64_t> positions_;  // of the first row of each range
};

// Entries of the blocks of a dataset, ascending, on their way to a LivingRows.
class LivingRowsReader {
 public:
  explicit LivingRowsReader(uint64_t ids) : ids_(ids) {}
  // `key_rest`: what follows the prefix in the entry's key.
  Status add(std::string_view key_rest, std::string_view value);
  LivingRows finish();

 private:
  const uint64_t ids_;
  uint64_t next_ = 0;
  std::vector<RowRange> living_;
};

}  // namespace stela::store

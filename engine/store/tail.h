// Tails: rows that are in the log and not yet in pages, readable by everyone.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "engine/base/ids.h"
#include "engine/store/record.h"
#include "engine/types/column.h"

namespace stela::store {

// Consecutive rows [first_row, first_row + rows) of one column group. One writer, any readers; its lock
// is held for copies of memory only.
class Tail {
 public:
  Tail(uint64_t first_row, Sequence birth) : first_row_(first_row), birth_(birth) {}

  uint64_t first_row() const { return first_row_; }
  // Oldest birth of its rows.
  Sequence birth() const { return birth_; }
  uint64_t rows() const;
  // Ids and types of the columns it has values of, ascending by id.
  std::vector<std::pair<ColumnId, DataType>> columns() const;

  // Rows [first, first + count), relative to first_row(), appended to `out`; nulls where the tail does not
  // have the column.
  void read(ColumnId column, uint64_t first, uint64_t count, ColumnData& out) const;
  uint64_t nulls(ColumnId column, uint64_t first, uint64_t count) const;
  uint64_t value_bytes(ColumnId column, uint64_t first, uint64_t count) const;

 private:
  friend class TailSet;
  // Returns by how many bytes the memory of the tail grew.
  uint64_t append(const RowChunk& chunk);
  ColumnView slice(ColumnId column, uint64_t first, uint64_t count) const;

  const uint64_t first_row_;
  const Sequence birth_;
  mutable std::shared_mutex mutex_;
  uint64_t rows_ = 0;
  std::map<ColumnId, ColumnData> columns_;
};

// The tails that came into being between two flushes. Tails are only added; thread-safe.
class TailSet {
 public:
  using Key = std::pair<NodeId, GroupId>;
  void append(const RowChunk& chunk, Sequence birth);
  // Of one group, ascending by first row.
  std::vector<std::shared_ptr<const Tail>> find(NodeId dataset, GroupId group) const;
  std::map<Key, std::vector<std::shared_ptr<const Tail>>> all() const;
  uint64_t bytes() const;
  uint64_t rows() const;

 private:
  mutable std::mutex mutex_;
  std::map<Key, std::vector<std::shared_ptr<Tail>>> tails_;
  uint64_t bytes_ = 0;
  uint64_t rows_ = 0;
};

}  // namespace stela::store

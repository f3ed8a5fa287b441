#include "engine/store/tail.h"

#include <algorithm>

namespace stela::store {

uint64_t Tail::rows() const {
  std::shared_lock lock(mutex_);
  return rows_;
}

std::vector<std::pair<ColumnId, DataType>> Tail::columns() const {
  std::shared_lock lock(mutex_);
  std::vector<std::pair<ColumnId, DataType>> result;
  for (const auto& [id, column] : columns_) result.emplace_back(id, column.type());
  return result;
}

ColumnView Tail::slice(ColumnId column, uint64_t first, uint64_t count) const {
  auto found = columns_.find(column);
  if (found == columns_.end()) return {};
  return found->second.view().slice(first, count);
}

void Tail::read(ColumnId column, uint64_t first, uint64_t count, ColumnData& out) const {
  std::shared_lock lock(mutex_);
  ColumnView view = slice(column, first, count);
  if (view.type == nullptr) {
    out.append_nulls(count);
  } else {
    out.append(view);
  }
}

uint64_t Tail::nulls(ColumnId column, uint64_t first, uint64_t count) const {
  std::shared_lock lock(mutex_);
  ColumnView view = slice(column, first, count);
  return view.type == nullptr ? count : view.null_count();
}

uint64_t Tail::value_bytes(ColumnId column, uint64_t first, uint64_t count) const {
  std::shared_lock lock(mutex_);
  ColumnView view = slice(column, first, count);
  return view.type == nullptr ? 0 : view.value_bytes();
}

uint64_t Tail::append(const RowChunk& chunk) {
  std::unique_lock lock(mutex_);
  uint64_t grown = 0;
  for (size_t i = 0; i < chunk.ids.size(); ++i) {
    auto [place, fresh] = columns_.try_emplace(chunk.ids[i], chunk.columns[i].type());
    ColumnData& column = place->second;
    uint64_t before = fresh ? 0 : column.memory_bytes();
    if (fresh) column.append_nulls(rows_);  // a column that earlier rows of the tail did not have
    column.append(chunk.columns[i].view());
    grown += column.memory_bytes() - before;
  }
  rows_ += chunk.rows;
  for (auto& [id, column] : columns_) {
    if (column.rows() < rows_) column.append_nulls(rows_ - column.rows());
  }
  return grown;
}

void TailSet::append(const RowChunk& chunk, Sequence birth) {
  std::lock_guard lock(mutex_);
  auto& list = tails_[{chunk.dataset, chunk.group}];
  if (list.empty() || list.back()->first_row() + list.back()->rows() != chunk.first_row) {
    list.push_back(std::make_shared<Tail>(chunk.first_row, birth));
  }
  bytes_ += list.back()->append(chunk);
  rows_ += chunk.rows;
}

std::vector<std::shared_ptr<const Tail>> TailSet::find(NodeId dataset, GroupId group) const {
  std::lock_guard lock(mutex_);
  auto found = tails_.find({dataset, group});
  if (found == tails_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

std::map<TailSet::Key, std::vector<std::shared_ptr<const Tail>>> TailSet::all() const {
  std::lock_guard lock(mutex_);
  std::map<Key, std::vector<std::shared_ptr<const Tail>>> result;
  for (const auto& [key, list] : tails_) result[key] = {list.begin(), list.end()};
  return result;
}

uint64_t TailSet::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

uint64_t TailSet::rows() const {
  std::lock_guard lock(mutex_);
  return rows_;
}

}  // namespace stela::store

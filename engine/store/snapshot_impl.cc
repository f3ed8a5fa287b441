#include "engine/store/snapshot_impl.h"

#include <algorithm>

#include "engine/catalog/keys.h"

namespace stela {

Result<SnapshotImpl::FoldPtr> SnapshotImpl::fold(ColumnId column) const {
  {
    std::lock_guard lock(mutex_);
    if (auto found = folds_.find(column); found != folds_.end()) return found->second;
  }
  std::string value;
  auto found = std::make_shared<Fold>();
  Status status = view_.catalog().get(catalog::key(dataset_, catalog::KeyKind::kFold, column.value), stamp(), &value,
                                      &found->birth);
  if (status.code() == Code::kNotFound) {
    found = nullptr;
  } else {
    STELA_TRY(status);
    STELA_ASSIGN(found->entry, store::FoldEntry::decode(value));
  }
  std::lock_guard lock(mutex_);
  return folds_.try_emplace(column, std::move(found)).first->second;
}

Result<SnapshotImpl::Current> SnapshotImpl::current(const ColumnInfo& given) const {
  if (given.patched.value == 0) return Current(given);
  STELA_ASSIGN(FoldPtr folded, fold(given.id));
  Sequence birth = folded ? folded->birth : Sequence{0};
  return birth == given.folded ? Current(given) : Current(given, birth);
}

Result<ColumnInfo> SnapshotImpl::info_of(ColumnId id, const store::ColumnEntry& entry) const {
  Sequence change = std::max({entry.created, version_.rows_changed, entry.patched});
  ColumnInfo info{id,     entry.name,    entry.type, entry.nullable,    entry.group,
                  change, entry.patched, {},         entry.nulls_added, entry.bytes_added};
  if (entry.patched.value == 0) return info;
  STELA_ASSIGN(FoldPtr folded, fold(id));
  if (folded) info.folded = folded->birth;
  return info;
}

Result<ColumnInfo> SnapshotImpl::column(std::string_view name) const {
  std::string value;
  auto absent = [&] {
    return not_found("version " + std::to_string(version_.number.value) + " has no column '" + std::string(name) + "'");
  };
  Status status = view_.catalog().get(catalog::key(dataset_, catalog::KeyKind::kColumnName, name), stamp(), &value);
  if (status.code() == Code::kNotFound) return absent();
  STELA_TRY(status);
  STELA_ASSIGN(auto named, store::ColumnNameEntry::decode(value));
  if (named.column.value == 0) return absent();
  return column(named.column);
}

Result<ColumnInfo> SnapshotImpl::column(ColumnId id) const {
  std::string value;
  STELA_TRY(view_.catalog().get(catalog::key(dataset_, catalog::KeyKind::kColumn, id.value), stamp(), &value));
  STELA_ASSIGN(auto entry, store::ColumnEntry::decode(value));
  return info_of(id, entry);
}

Status SnapshotImpl::for_each_column(const std::function<bool(const ColumnInfo&)>& visit) const {
  std::string prefix = catalog::prefix(dataset_, catalog::KeyKind::kColumn);
  Status inner;
  STELA_TRY(view_.catalog().scan(prefix, catalog::prefix_end(prefix), stamp(),
                                 [&](std::string_view key, std::string_view value, Sequence) {
                                   auto entry = store::ColumnEntry::decode(value);
                                   if (!entry.ok() || key.size() != prefix.size() + 8) {
                                     inner = entry.ok() ? damaged("a column's key is malformed") : entry.status();
                                     return false;
                                   }
                                   if (entry->dropped) return true;
                                   auto info = info_of(ColumnId{get_ordered(key.data() + prefix.size())}, *entry);
                                   if (!info.ok()) {
                                     inner = info.status();
                                     return false;
                                   }
                                   return visit(*info);
                                 }));
  return inner;
}

Result<const store::LivingRows*> SnapshotImpl::living() const {
  {
    std::lock_guard lock(mutex_);
    if (living_) return living_.get();
  }
  store::LivingRows found;
  if (version_.rows == version_.row_ids) {
    found = store::LivingRows::all(version_.rows);
  } else {
    store::LivingRowsReader reader(version_.row_ids);
    std::string prefix = catalog::prefix(dataset_, catalog::KeyKind::kDeleted);
    Status inner;
    STELA_TRY(view_.catalog().scan(prefix, catalog::prefix_end(prefix), stamp(),
                                   [&](std::string_view key, std::string_view value, Sequence) {
                                     inner = reader.add(key.substr(prefix.size()), value);
                                     return inner.ok();
                                   }));
    STELA_TRY(inner);
    found = reader.finish();
    if (found.rows() != version_.rows) return damaged("the catalogue's deleted rows do not fit the version's count");
  }
  std::lock_guard lock(mutex_);
  if (!living_) living_ = std::make_unique<const store::LivingRows>(std::move(found));
  return living_.get();
}

Status SnapshotImpl::check_gap(const ColumnInfo& column, uint64_t first, uint64_t end) const {
  if (first >= end) return {};
  STELA_ASSIGN(const store::LivingRows* rows, living());
  if (!rows->any_in(first, end - first)) return {};
  return locate(damaged("the catalogue does not say where rows " + std::to_string(first) + " to " +
                        std::to_string(end) + " of column group " + std::to_string(column.group.value) + " are"),
                column.name, first, end - first);
}

Result<SnapshotImpl::Pieces> SnapshotImpl::pieces(const ColumnInfo& column) const {
  if (column.folded.value == 0) return pieces(column.group);
  {
    std::lock_guard lock(mutex_);
    if (auto found = folded_pieces_.find(column.id); found != folded_pieces_.end()) return found->second;
  }
  STELA_ASSIGN(FoldPtr folded, fold(column.id));
  if (!folded) return damaged("the catalogue has lost a folded column");
  uint64_t end = std::min(folded->entry.fragment.rows, version_.row_ids);
  auto result = std::make_shared<std::vector<GroupPiece>>();
  result->push_back({0, end, folded->entry.fragment, nullptr, 0});
  if (end < version_.row_ids) {
    STELA_ASSIGN(Pieces below, pieces(column.group));
    for (const GroupPiece& piece : *below) {
      if (piece.first_row + piece.rows <= end) continue;
      result->push_back(piece);
      uint64_t hidden = end - std::min(end, piece.first_row);
      result->back().first_row += hidden;
      result->back().offset += hidden;
      result->back().rows -= hidden;
    }
  }
  std::lock_guard lock(mutex_);
  return folded_pieces_.try_emplace(column.id, std::move(result)).first->second;
}

Result<SnapshotImpl::Pieces> SnapshotImpl::pieces(GroupId group) const {
  {
    std::lock_guard lock(mutex_);
    if (auto found = pieces_.find(group); found != pieces_.end()) return found->second;
  }
  std::vector<GroupPiece> found;
  std::string prefix = catalog::key(dataset_, catalog::KeyKind::kFragment, group.value);
  Status inner;
  STELA_TRY(view_.catalog().scan(prefix, catalog::prefix_end(prefix), stamp(),
                                 [&](std::string_view key, std::string_view value, Sequence) {
                                   auto entry = store::FragmentEntry::decode(value);
                                   if (!entry.ok() || key.size() != prefix.size() + 8) {
                                     inner = entry.ok() ? damaged("a fragment's key is malformed") : entry.status();
                                     return false;
                                   }
                                   uint64_t first = get_ordered(key.data() + prefix.size());
                                   found.push_back({first, entry->rows, *entry, nullptr, entry->skip});
                                   return true;
                                 }));
  STELA_TRY(inner);
  // Tails go on growing: a branch sees the rows its base had.
  const store::State& state = view_.state();
  STELA_ASSIGN(uint64_t ids_max, state.own_tails == nullptr ? Result<uint64_t>(UINT64_MAX) : row_ids_of_base());
  for (const auto& tails : state.tails) {
    for (const auto& tail : tails->find(dataset_, group)) {
      if (tail->first_row() >= ids_max) continue;
      found.push_back({tail->first_row(), std::min(tail->rows(), ids_max - tail->first_row()), std::nullopt, tail, 0});
    }
  }
  if (state.own_tails != nullptr) {
    for (const auto& tail : state.own_tails->find(dataset_, group)) {
      found.push_back({tail->first_row(), tail->rows(), std::nullopt, tail, 0});
    }
  }
  // A flush that is not finished leaves rows both in a tail and in a fragment; they are the same rows.
  std::vector<GroupPiece*> order;
  for (GroupPiece& piece : found) order.push_back(&piece);
  std::stable_sort(order.begin(), order.end(), [](const GroupPiece* a, const GroupPiece* b) {
    return a->first_row < b->first_row || (a->first_row == b->first_row && a->rows > b->rows);
  });
  auto result = std::make_shared<std::vector<GroupPiece>>();
  uint64_t covered = 0;
  for (GroupPiece* candidate : order) {
    GroupPiece& piece = *candidate;
    uint64_t end = std::min(piece.first_row + piece.rows, version_.row_ids);
    if (end <= covered || piece.first_row >= end) continue;
    covered = std::max(covered, piece.first_row);
    if (piece.fragment && piece.first_row != covered) break;
    piece.offset += covered - piece.first_row;
    piece.first_row = covered;
    piece.rows = end - covered;
    covered = end;
    result->push_back(std::move(piece));
  }
  std::lock_guard lock(mutex_);
  return pieces_.try_emplace(group, std::move(result)).first->second;
}

Result<uint64_t> SnapshotImpl::row_ids_of_base() const {
  const Sequence base = view_.state().base;
  std::string prefix = catalog::prefix(dataset_, catalog::KeyKind::kVersion);
  uint64_t ids = 0;
  Status inner;
  STELA_TRY(view_.catalog().scan(prefix, catalog::prefix_end(prefix), {base, base},
                                 [&](std::string_view, std::string_view value, Sequence) {
                                   auto newest = store::VersionEntry::decode(value);
                                   inner = newest.status();
                                   if (newest.ok()) ids = newest->info.row_ids;
                                   return false;
                                 }));
  STELA_TRY(inner);
  return ids;
}

Result<std::shared_ptr<const format::ColumnChunk>> SnapshotImpl::chunk(const GroupPiece& piece, ColumnId column) const {
  const store::FragmentEntry& entry = *piece.fragment;
  STELA_ASSIGN(auto section, core_.files->section(entry.file, entry.offset, entry.length));
  auto found = section->column(column);
  if (found.status().code() == Code::kNotFound) return std::shared_ptr<const format::ColumnChunk>();
  return found;
}

Status SnapshotImpl::locate(const Status& status, const std::string& column, uint64_t first_row, uint64_t rows) const {
  if (status.ok() || status.code() != Code::kDamaged) return status;
  return status.with_context("dataset " + std::to_string(dataset_.value) + ", version " +
                             std::to_string(version_.number.value) + ", column '" + column + "', within rows " +
                             std::to_string(first_row) + " to " + std::to_string(first_row + rows));
}

}  // namespace stela

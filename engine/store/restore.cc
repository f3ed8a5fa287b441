#include "engine/store/restore.h"

#include <algorithm>
#include <map>

#include "engine/store/patch_builder.h"

namespace stela::store {

namespace {

constexpr int kRestoreAttempts = 8;

// From the newest version back to another one; made anew when the newest moves meanwhile.
class Restoration {
 public:
  Restoration(StoreImpl& store, std::shared_ptr<const SnapshotImpl> head, std::shared_ptr<const SnapshotImpl> target)
      : store_(store), head_(std::move(head)), target_(std::move(target)) {}

  Status prepare();
  bool differs() const { return !columns_.empty() || !removed_.empty() || rows_differ_; }
  // kConflict, with head_moved(): there is a newer version. In a transaction it runs again at the commit, after the
  // members that made `head`.
  Status build(Builder& builder, const CommitInfo& info, VersionInfo* version);
  bool head_moved() const { return head_moved_; }
  void settle() const;
  NodeId dataset() const { return head_->dataset(); }
  void remove() const {
    for (const Column& column : columns_) {
      if (column.patches) column.patches->remove();
    }
  }

 private:
  struct Column {
    ColumnInfo target;
    std::unique_ptr<PatchBuilder> patches;  // null: no value differs
  };
  Status prepare_columns();
  Status prepare_cells(const ColumnInfo& now, Column* column) const;
  Status put_columns(Builder& builder, VersionChange* change);
  Status put_rows(Builder& builder) const;

  StoreImpl& store_;
  const std::shared_ptr<const SnapshotImpl> head_, target_;
  const LivingRows* head_rows_ = nullptr;
  const LivingRows* target_rows_ = nullptr;
  std::vector<Column> columns_;            // that differ
  std::vector<ColumnInfo> removed_;        // not in the target
  std::map<std::string, ColumnId> names_;  // whose meaning changes; 0: none
  bool rows_differ_ = false;
  bool head_moved_ = false;
};

Status Restoration::prepare() {
  STELA_ASSIGN(head_rows_, head_->living());
  STELA_ASSIGN(target_rows_, target_->living());
  rows_differ_ = head_rows_->ranges() != target_rows_->ranges();
  return prepare_columns();
}

Status Restoration::prepare_columns() {
  std::map<ColumnId, ColumnInfo> now;
  STELA_TRY(head_->for_each_column([&](const ColumnInfo& column) {
    now.emplace(column.id, column);
    return true;
  }));
  std::vector<ColumnInfo> wanted;
  STELA_TRY(target_->for_each_column([&](const ColumnInfo& column) {
    wanted.push_back(column);
    return true;
  }));
  for (const auto& [id, column] : now) names_[column.name] = ColumnId{0};
  for (const ColumnInfo& target : wanted) names_[target.name] = target.id;
  for (const ColumnInfo& target : wanted) {
    auto living = now.find(target.id);
    bool same_name = living != now.end() && living->second.name == target.name;
    Column column{target, nullptr};
    STELA_ASSIGN(ColumnInfo info, head_->column(target.id));
    STELA_TRY(prepare_cells(info, &column));
    if (same_name) names_.erase(target.name);
    if (!same_name || column.patches) columns_.push_back(std::move(column));
    now.erase(target.id);
  }
  for (auto& [id, column] : now) removed_.push_back(column);
  return {};
}

// Cells that were changed since get back what they held.
Status Restoration::prepare_cells(const ColumnInfo& now, Column* column) const {
  if (now.patched <= target_->version().sequence) return {};
  auto patches = std::make_unique<PatchBuilder>(store_, head_, now);
  auto visit = [&](uint64_t granule, std::vector<BornPatch>& found) -> Result<bool> {
    std::vector<uint64_t> ids;
    for (const BornPatch& patch : found) {
      STELA_ASSIGN(GranuleRows rows, decode_rows(patch.entry.written));
      for (uint16_t row : rows) {
        if (target_rows_->contains(granule + row)) ids.push_back(granule + row);
      }
    }
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    if (ids.empty()) return true;
    ColumnData values(now.type);
    STELA_TRY(read_cells_at(*target_, column->target, ids, values));
    STELA_TRY(patches->write(ids, values.view()));
    return true;
  };
  STELA_TRY(for_each_patched_granule(head_->view().catalog(), head_->stamp(), head_->dataset(), now.id,
                                     WhichPatches::kAll, target_->version().sequence, 0, target_->version().row_ids,
                                     visit));
  STELA_TRY(patches->finish());
  if (!patches->empty()) column->patches = std::move(patches);
  return {};
}

Status Restoration::put_columns(Builder& builder, VersionChange* change) {
  NodeId dataset = head_->dataset();
  auto put = [&](ColumnId id, const std::function<void(ColumnEntry&)>& edit) -> Status {
    STELA_ASSIGN(auto entry, builder.column(dataset, id));
    if (!entry) return damaged("a column of an older version has lost its entry");
    edit(*entry);
    builder.put(catalog::key(dataset, catalog::KeyKind::kColumn, id.value), entry->encode());
    change->columns.push_back(id);
    return {};
  };
  for (const ColumnInfo& column : removed_) {
    STELA_TRY(put(column.id, [](ColumnEntry& entry) { entry.dropped = true; }));
  }
  for (const Column& column : columns_) {
    STELA_TRY(put(column.target.id, [&](ColumnEntry& entry) {
      entry.name = column.target.name;
      entry.dropped = false;
      if (column.patches) column.patches->put(builder, &entry);
    }));
    if (column.patches) change->bytes_added += column.patches->bytes();
  }
  for (const auto& [name, id] : names_) {
    builder.put(catalog::key(dataset, catalog::KeyKind::kColumnName, name), ColumnNameEntry{id}.encode());
  }
  return {};
}

Status Restoration::put_rows(Builder& builder) const {
  LivingRows rows = LivingRows::of(head_rows_->ids(), target_rows_->ranges());
  uint64_t blocks = (rows.ids() + kDeletedBlockRows - 1) / kDeletedBlockRows;
  for (uint64_t block = 0; block < blocks; ++block) {
    DeletedEntry entry = rows.deleted_of(block);
    if (entry.rows == head_rows_->deleted_of(block).rows) continue;
    builder.put(catalog::key(head_->dataset(), catalog::KeyKind::kDeleted, block), entry.encode());
  }
  return {};
}

Status Restoration::build(Builder& builder, const CommitInfo& info, VersionInfo* version) {
  STELA_ASSIGN(DatasetHead head, read_head(builder, head_->dataset()));
  if (Branch* branch = store_.branch(); branch != nullptr && !builder.in_branch()) {
    STELA_ASSIGN(auto before, version_before(builder, dataset(), head));
    if (before && before->sequence > branch->base()) {
      return {Code::kConflict, "the dataset was changed by " + describe_version(*before) +
                                   " since the transaction, which restores an older version of it, began"};
    }
  } else {
    head_moved_ = !head.latest || head.latest->info.sequence != head_->version().sequence;
  }
  if (head_moved_) {
    return {Code::kConflict, "others keep on committing to the dataset, last " +
                                 (head.latest ? describe_version(head.latest->info) : std::string("just now")) +
                                 ": try again"};
  }
  VersionChange change;
  change.kind = VersionKind::kRestore;
  change.operation = "restore";
  change.rows = target_rows_->rows();
  change.rows_changed = rows_differ_;
  STELA_TRY(put_columns(builder, &change));
  if (rows_differ_) STELA_TRY(put_rows(builder));
  if (!names_.empty() || !removed_.empty()) touch_schema(builder, head_->dataset(), head.node);
  *version = add_version(builder, head_->dataset(), head, info, std::move(change));
  return {};
}

void Restoration::settle() const {
  for (const Column& column : columns_) {
    if (!column.patches) continue;
    column.patches->settle();
    store_.patched(head_->dataset(), column.target.id, target_rows_->rows() * column.target.type.value_width());
  }
}

Status stage(Branch& branch, std::shared_ptr<Restoration> made, const CommitInfo& info, VersionInfo* version) {
  return branch.stage(
      {made->dataset(), [made, info](Builder& builder, VersionInfo* into) { return made->build(builder, info, into); },
       [made] { made->settle(); }, [made] { made->remove(); }},
      version);
}

}  // namespace

Result<std::optional<VersionInfo>> restore_version(StoreImpl& store, NodeId dataset, VersionNumber to,
                                                   const CommitInfo& info) {
  for (int attempt = 1;; ++attempt) {
    STELA_ASSIGN(auto head, store.snapshot(dataset, VersionNumber{0}));
    STELA_ASSIGN(auto target, store.snapshot(dataset, to));
    auto made = std::make_shared<Restoration>(store, std::move(head), std::move(target));
    Restoration& restoration = *made;
    STELA_TRY(restoration.prepare());
    if (!restoration.differs()) return std::optional<VersionInfo>();
    VersionInfo version;
    Status status;
    if (Branch* branch = store.branch(); branch != nullptr) {
      status = stage(*branch, made, info, &version);
    } else {
      auto build = [&](Builder& builder) { return restoration.build(builder, info, &version); };
      status = store.commit(Privilege::kOrdinary, build).status();
    }
    if (status.ok()) {
      if (store.branch() == nullptr) restoration.settle();
      return std::optional<VersionInfo>(std::move(version));
    }
    if (status.code() == Code::kConflict) restoration.remove();
    if (!restoration.head_moved() || attempt == kRestoreAttempts) return status;
  }
}

}  // namespace stela::store

#include "engine/store/update_writer.h"

#include <algorithm>

#include "engine/base/canary.h"
#include "engine/store/patch_builder.h"

namespace stela::store {

namespace {

class UpdateWriterImpl final : public UpdateWriter {
 public:
  // `before`: the base, or the writer's own newest commit after it.
  UpdateWriterImpl(StoreImpl& store, std::shared_ptr<const SnapshotImpl> base, const LivingRows& living,
                   const std::shared_ptr<const SnapshotImpl>& before, const ColumnInfo& column, uint64_t settled_ids,
                   std::vector<Sequence> own)
      : store_(store),
        base_(std::move(base)),
        living_(living),
        settled_ids_(settled_ids),
        own_(std::move(own)),
        patches_(store, before, column) {}

  Status write(std::span<const uint64_t> rows, const ColumnView& values) override;
  uint64_t cells() const override { return patches_.cells(); }
  Result<std::optional<VersionInfo>> commit(const CommitInfo& info) override;
  bool was_alone() const override { return alone_; }

 private:
  Status check(std::span<const uint64_t> rows, const ColumnView& values) const;
  Status build(Builder& builder, const CommitInfo& info, VersionInfo* version);
  Status check_column(const Builder& builder, const std::optional<ColumnEntry>& entry) const;
  void settle() const {
    patches_.settle();
    store_.patched(base_->dataset(), patches_.column().id,
                   base_->version().rows * patches_.column().type.value_width());
  }
  Status check_appended(const Builder& builder, const DatasetHead& head) const;
  Result<std::optional<VersionInfo>> stage(Branch& branch, const CommitInfo& info);

  StoreImpl& store_;
  const std::shared_ptr<const SnapshotImpl> base_;
  const LivingRows& living_;    // the base's: positions mean its rows
  const uint64_t settled_ids_;  // row ids below are the same rows at the commit
  const std::vector<Sequence> own_;
  PatchBuilder patches_;
  uint64_t next_row_ = 0;
  bool finished_ = false;
  bool alone_ = false;
};

Status UpdateWriterImpl::check(std::span<const uint64_t> rows, const ColumnView& values) const {
  const ColumnInfo& column = patches_.column();
  STELA_TRY(store_.core().latch.check());
  if (finished_) return invalid("the update was committed already");
  if (!(*values.type == column.type)) {
    return invalid("column '" + column.name + "' has type " + column.type.name() + ", the values have " +
                   values.type->name());
  }
  if (values.rows != rows.size()) return invalid("an update needs a value for each row");
  uint64_t next = next_row_;
  for (uint64_t row : rows) {
    if (row < next) return invalid("the rows of an update must ascend");
    next = row + 1;
  }
  if (next > base_->version().rows) {
    return invalid("row " + std::to_string(next - 1) + " is beyond the last: the version has " +
                   std::to_string(base_->version().rows) + " rows");
  }
  return check_values(store_.core().options, column.name, column.nullable, values);
}

Status UpdateWriterImpl::write(std::span<const uint64_t> rows, const ColumnView& values) {
  STELA_TRY(check(rows, values));
  if (rows.empty()) return {};
  next_row_ = rows.back() + 1;
  if (living_.all_live()) return patches_.write(rows, values);
  return patches_.write(living_.ids_of({rows.begin(), rows.end()}), values);
}

Status UpdateWriterImpl::check_column(const Builder& builder, const std::optional<ColumnEntry>& entry) const {
  if (entry && !entry->dropped) return {};
  NodeId dataset = base_->dataset();
  Sequence birth;
  std::string ignored;
  Status status =
      builder.get(catalog::key(dataset, catalog::KeyKind::kColumn, patches_.column().id.value), &ignored, &birth);
  std::string by = status.ok() ? describe_commit(builder, dataset, birth) : std::string("another commit");
  return {Code::kConflict, "the column '" + patches_.column().name + "' was dropped or replaced by " + by +
                               " since this write began; what was written is not kept"};
}

// Rows that a transaction appended itself have other ids once others appended before it.
Status UpdateWriterImpl::check_appended(const Builder& builder, const DatasetHead& head) const {
  if (builder.in_branch() || patches_.end() <= settled_ids_) return {};
  STELA_ASSIGN(auto before, version_before(builder, base_->dataset(), head));
  if (!before || before->row_ids == settled_ids_) return {};
  return {Code::kConflict, "rows were appended by " + describe_version(*before) +
                               " since the transaction, which changes rows that it appended itself, began; begin it "
                               "again and repeat"};
}

Status UpdateWriterImpl::build(Builder& builder, const CommitInfo& info, VersionInfo* version) {
  NodeId dataset = base_->dataset();
  ColumnId column = patches_.column().id;
  Sequence base = base_->version().sequence;
  STELA_ASSIGN(DatasetHead head, read_head(builder, dataset));
  STELA_ASSIGN(auto entry, builder.column(dataset, column));
  STELA_TRY(check_column(builder, entry));
  STELA_TRY(check_appended(builder, head));
  bool same_rows = head.latest && head.latest->info.rows_changed <= base;
  if (entry->patched > base && !planted(Canary::kIgnoreConflict)) STELA_TRY(patches_.check_conflicts(builder, base, own_));
  if (!same_rows) {
    STELA_ASSIGN(LivingRows living, read_living(builder, dataset, head));
    STELA_TRY(patches_.check_living(builder, living, head.latest->info.rows_changed));
  }
  alone_ = own_.empty() && entry->patched <= base && same_rows;
  patches_.put(builder, &*entry);
  builder.put(catalog::key(dataset, catalog::KeyKind::kColumn, column.value), entry->encode());
  VersionChange change{VersionKind::kUpdate, "update", head.rows(), false, 0, patches_.bytes(), {column}};
  *version = add_version(builder, dataset, head, info, std::move(change));
  return {};
}

Result<std::optional<VersionInfo>> UpdateWriterImpl::stage(Branch& branch, const CommitInfo& info) {
  auto kept = std::make_shared<UpdateWriterImpl>(std::move(*this));
  auto committed = [kept] { kept->settle(); };
  auto dropped = [kept] { kept->patches_.remove(); };
  VersionInfo version;
  STELA_TRY(
      branch.stage({base_->dataset(), [kept, info](Builder& b, VersionInfo* v) { return kept->build(b, info, v); },
                    committed, dropped},
                   &version));
  alone_ = kept->alone_;
  return std::optional<VersionInfo>(std::move(version));
}

Result<std::optional<VersionInfo>> UpdateWriterImpl::commit(const CommitInfo& info) {
  if (finished_) return invalid("the update was committed already");
  finished_ = true;
  STELA_TRY(patches_.finish());
  if (patches_.empty()) {
    alone_ = true;
    return std::optional<VersionInfo>();
  }
  VersionInfo version;
  if (Branch* branch = store_.branch(); branch != nullptr) return stage(*branch, info);
  auto result = store_.commit(Privilege::kOrdinary, [&](Builder& builder) { return build(builder, info, &version); });
  if (!result.ok()) {
    if (result.status().code() == Code::kConflict) patches_.remove();
    return result.status();
  }
  settle();
  return std::optional<VersionInfo>(std::move(version));
}

}  // namespace

Result<std::unique_ptr<UpdateWriter>> make_update_writer(StoreImpl& store, NodeId dataset, ColumnId column,
                                                         const UpdateBase& base) {
  STELA_ASSIGN(auto base_impl, store.snapshot(dataset, base.version));
  STELA_ASSIGN(const LivingRows* living, base_impl->living());
  std::shared_ptr<const SnapshotImpl> before = base_impl;
  if (base.own_newest.value != 0) {
    STELA_ASSIGN(before, store.snapshot(dataset, base.own_newest));
  }
  STELA_ASSIGN(ColumnInfo info, before->column(column));
  STELA_ASSIGN(uint64_t settled,
               store.branch() == nullptr ? Result<uint64_t>(UINT64_MAX) : base_impl->row_ids_of_base());
  return std::unique_ptr<UpdateWriter>(
      std::make_unique<UpdateWriterImpl>(store, std::move(base_impl), *living, before, info, settled, base.own));
}

}  // namespace stela::store

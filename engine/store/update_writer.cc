#include "engine/store/update_writer.h"

#include <algorithm>

#include "engine/store/appender.h"
#include "engine/store/snapshot_impl.h"

namespace stela::store {

namespace {

class UpdateWriterImpl final : public UpdateWriter {
 public:
  // `before`: what the cells hold as this writer knows them: the base, or its own newest commit.
  UpdateWriterImpl(StoreImpl& store, NodeId dataset, std::shared_ptr<const SnapshotImpl> before, ColumnInfo column,
                   Sequence base, uint64_t base_rows, std::vector<Sequence> own)
      : store_(store),
        core_(store.core()),
        dataset_(dataset),
        before_impl_(std::move(before)),
        before_(before_impl_),
        column_(std::move(column)),
        base_(base),
        base_rows_(base_rows),
        own_(std::move(own)),
        granule_rows_(granule_rows(column_.type)),
        granule_values_(column_.type),
        buffered_(column_.type) {}

  Status write(std::span<const uint64_t> rows, const ColumnView& values) override;
  uint64_t cells() const override { return cells_; }
  Result<std::optional<VersionInfo>> commit(const CommitInfo& info) override;
  bool was_alone() const override { return alone_; }

 private:
  // A patch to be: its entry but for the place of its cells.
  struct Plan {
    uint64_t granule = 0;
    uint64_t cells = 0;
    PatchEntry entry;
  };

  Status check(std::span<const uint64_t> rows, const ColumnView& values) const;
  Result<ColumnData> read_before(std::span<const uint64_t> rows) const;
  Status take(uint64_t first_row, const ColumnView& values);
  Status close_granule();
  Status put_cells(const ColumnView& values);
  void place_cells();
  Status build(Builder& builder, const CommitInfo& info, VersionInfo* version);
  Status check_column(const Builder& builder, const std::optional<ColumnEntry>& entry) const;
  Status check_cells(const Builder& builder) const;
  bool is_own(Sequence birth) const { return std::binary_search(own_.begin(), own_.end(), birth); }

  StoreImpl& store_;
  Core& core_;
  const NodeId dataset_;
  const std::shared_ptr<const SnapshotImpl> before_impl_;
  const Snapshot before_;
  const ColumnInfo column_;  // as `before_` has it
  const Sequence base_;
  const uint64_t base_rows_;
  const std::vector<Sequence> own_;
  const uint64_t granule_rows_;

  uint64_t next_row_ = 0;
  uint64_t cells_ = 0;
  uint64_t bytes_ = 0;
  int64_t nulls_added_ = 0;
  int64_t bytes_added_ = 0;
  uint64_t granule_ = 0;  // first row of the one being filled
  GranuleRows granule_written_;
  ColumnData granule_values_;
  std::vector<Plan> plans_;
  uint64_t placed_ = 0;  // cells in `buffered_` or the fragment
  ColumnData buffered_;
  std::unique_ptr<PreparedFragment> fragment_;
  bool committed_ = false;
  bool alone_ = false;
};

std::string row_text(uint64_t row) { return "row " + std::to_string(row); }

Status UpdateWriterImpl::check(std::span<const uint64_t> rows, const ColumnView& values) const {
  STELA_TRY(core_.latch.check());
  if (committed_) return invalid("the update was committed already");
  if (!(*values.type == column_.type)) {
    return invalid("column '" + column_.name + "' has type " + column_.type.name() + ", the values have " +
                   values.type->name());
  }
  if (values.rows != rows.size()) return invalid("an update needs a value for each row");
  uint64_t next = next_row_;
  for (uint64_t row : rows) {
    if (row < next) return invalid("the rows of an update must ascend");
    next = row + 1;
  }
  if (next > base_rows_) {
    return invalid(row_text(next - 1) + " is beyond the last: the version has " + std::to_string(base_rows_) + " rows");
  }
  return check_values(core_.options, column_.name, column_.nullable, values);
}

Result<ColumnData> UpdateWriterImpl::read_before(std::span<const uint64_t> rows) const {
  ColumnData old(column_.type);
  bool together = rows.back() - rows.front() + 1 == rows.size();
  STELA_TRY(together ? before_.read(column_, rows.front(), rows.size(), old) : before_.read_rows(column_, rows, old));
  return old;
}

bool same_cell(const ColumnView& a, const ColumnView& b, uint64_t row) {
  if (a.is_valid(row) != b.is_valid(row)) return false;
  ByteSpan x = a.value(row);
  ByteSpan y = b.value(row);
  return x.size() == y.size() && std::equal(x.begin(), x.end(), y.begin());
}

Status UpdateWriterImpl::write(std::span<const uint64_t> all_rows, const ColumnView& all_values) {
  STELA_TRY(check(all_rows, all_values));
  for (size_t done = 0; done < all_rows.size();) {
    // A granule at a time, so that memory stays bounded.
    uint64_t granule_end = (all_rows[done] / granule_rows_ + 1) * granule_rows_;
    auto stop = std::lower_bound(all_rows.begin() + static_cast<std::ptrdiff_t>(done), all_rows.end(), granule_end);
    auto end = static_cast<size_t>(stop - all_rows.begin());
    std::span<const uint64_t> rows = all_rows.subspan(done, end - done);
    ColumnView values = all_values.slice(done, end - done);
    STELA_ASSIGN(ColumnData old, read_before(rows));
    ColumnView held = old.view();
    for (size_t i = 0; i < rows.size();) {
      if (same_cell(values, held, i)) {
        ++i;
        continue;
      }
      size_t next = i + 1;
      while (next < rows.size() && rows[next] == rows[next - 1] + 1 && !same_cell(values, held, next)) ++next;
      ColumnView changed = values.slice(i, next - i);
      ColumnView lost = held.slice(i, next - i);
      STELA_TRY(take(rows[i], changed));
      nulls_added_ += static_cast<int64_t>(changed.null_count()) - static_cast<int64_t>(lost.null_count());
      bytes_added_ += static_cast<int64_t>(changed.value_bytes()) - static_cast<int64_t>(lost.value_bytes());
      i = next;
    }
    done = end;
  }
  if (!all_rows.empty()) next_row_ = all_rows.back() + 1;
  return {};
}

Status UpdateWriterImpl::take(uint64_t first_row, const ColumnView& values) {
  uint64_t granule = first_row / granule_rows_ * granule_rows_;
  if (granule != granule_) {
    STELA_TRY(close_granule());
    granule_ = granule;
  }
  for (uint64_t i = 0; i < values.rows; ++i) {
    granule_written_.push_back(static_cast<uint16_t>(first_row - granule + i));
  }
  granule_values_.append(values);
  cells_ += values.rows;
  return {};
}

// The granule has all its rows. Where many patches lie over it already, this one repeats them.
Status UpdateWriterImpl::close_granule() {
  if (granule_written_.empty()) return {};
  Plan plan;
  plan.granule = granule_;
  plan.entry.written = encode_rows(granule_written_);
  // Also those that a fold takes in: it goes when a later one comes.
  ColumnInfo unfolded = column_;
  unfolded.folded = {};
  STELA_ASSIGN(PatchReader::Granule older, before_impl_->patches(unfolded).granule(granule_));
  GranuleRows carried;
  ColumnData carried_values(column_.type);
  for (size_t i = 0; i < older.cells.rows.size(); ++i) {
    auto row = static_cast<uint16_t>(older.cells.rows[i] - granule_);
    if (std::binary_search(granule_written_.begin(), granule_written_.end(), row)) continue;
    carried.push_back(row);
    carried_values.append(older.cells.values.view().slice(i, 1));
  }
  bool carries = older.patches > 0 && (carried.empty() || older.patches + 1 >= kPatchesMax);
  if (!carries) {
    carried.clear();
    carried_values.clear();
  }
  plan.entry.carried = encode_rows(carried);
  if (carries) plan.entry.carried_to = before_.version().sequence;
  plan.cells = granule_written_.size() + carried.size();
  plan.entry.first_cell = placed_;
  STELA_TRY(put_cells(granule_values_.view()));
  STELA_TRY(put_cells(carried_values.view()));
  plans_.push_back(std::move(plan));
  granule_written_.clear();
  granule_values_.clear();
  return {};
}

Status UpdateWriterImpl::put_cells(const ColumnView& values) {
  if (values.rows == 0) return {};
  placed_ += values.rows;
  uint64_t bytes = inline_bytes(values);
  bytes_ += bytes;
  uint64_t inline_max = std::min(core_.options.inline_bytes_max, core_.options.entries_inline_max / 2);
  if (!fragment_ && bytes_ > inline_max) {
    fragment_ =
        std::make_unique<PreparedFragment>(core_, std::vector<format::ColumnSpec>{{column_.id, column_.type}}, false);
    ColumnView before = buffered_.view();
    if (before.rows > 0) STELA_TRY(fragment_->append({&before, 1}));
    buffered_.clear();
  }
  if (fragment_) return fragment_->append({&values, 1});
  buffered_.append(values);
  return {};
}

// Each plan learns where its cells lie.
void UpdateWriterImpl::place_cells() {
  for (Plan& plan : plans_) {
    if (!fragment_) {
      encode_column(plan.entry.cells, buffered_.view().slice(plan.entry.first_cell, plan.cells));
      plan.entry.first_cell = 0;
      continue;
    }
    plan.entry.file = fragment_->file_id();
    plan.entry.offset = fragment_->section().offset;
    plan.entry.length = fragment_->section().length;
  }
}

Status UpdateWriterImpl::check_column(const Builder& builder, const std::optional<ColumnEntry>& entry) const {
  if (entry && !entry->dropped) return {};
  Sequence birth;
  std::string ignored;
  Status status = builder.get(catalog::key(dataset_, catalog::KeyKind::kColumn, column_.id.value), &ignored, &birth);
  std::string by = status.ok() ? describe_commit(builder, dataset_, birth) : std::string("another commit");
  return {Code::kConflict, "the column '" + column_.name + "' was dropped or replaced by " + by +
                               " since this write began; what was written is not kept"};
}

// The catalogue is the index of conflicts: patches born since the base say which rows they wrote.
Status UpdateWriterImpl::check_cells(const Builder& builder) const {
  auto visit = [&](uint64_t granule, const BornPatch& patch) -> Status {
    if (is_own(patch.birth)) return {};
    auto plan = std::lower_bound(plans_.begin(), plans_.end(), granule,
                                 [](const Plan& at, uint64_t row) { return at.granule < row; });
    if (plan == plans_.end() || plan->granule != granule) return {};
    STELA_ASSIGN(GranuleRows mine, decode_rows(plan->entry.written));
    STELA_ASSIGN(GranuleRows theirs, decode_rows(patch.entry.written));
    GranuleRows both;
    std::set_intersection(mine.begin(), mine.end(), theirs.begin(), theirs.end(), std::back_inserter(both));
    if (both.empty()) return {};
    return {Code::kConflict, row_text(granule + both.front()) + " of column '" + column_.name + "' was changed by " +
                                 describe_commit(builder, dataset_, patch.birth) +
                                 " since this write began; read it again and repeat"};
  };
  return builder.for_each_patch(dataset_, column_.id, base_, plans_.front().granule, plans_.back().granule + 1, visit);
}

Status UpdateWriterImpl::build(Builder& builder, const CommitInfo& info, VersionInfo* version) {
  STELA_ASSIGN(DatasetHead head, read_head(builder, dataset_));
  STELA_ASSIGN(auto entry, builder.column(dataset_, column_.id));
  STELA_TRY(check_column(builder, entry));
  if (entry->patched > base_) STELA_TRY(check_cells(builder));
  alone_ = own_.empty() && entry->patched <= base_ && head.latest && head.latest->info.rows_changed <= base_;
  for (const Plan& plan : plans_) {
    builder.put(catalog::key(dataset_, catalog::KeyKind::kPatch, column_.id.value, plan.granule), plan.entry.encode());
  }
  entry->patched = builder.sequence();
  entry->nulls_added += nulls_added_;
  entry->bytes_added += bytes_added_;
  builder.put(catalog::key(dataset_, catalog::KeyKind::kColumn, column_.id.value), entry->encode());
  if (fragment_) fragment_->add_file_entries(builder);
  VersionChange change{VersionKind::kUpdate, "update", head.rows(), false, 0, fragment_ ? fragment_->bytes() : bytes_,
                       {column_.id}};
  *version = add_version(builder, dataset_, head, info, std::move(change));
  return {};
}

Result<std::optional<VersionInfo>> UpdateWriterImpl::commit(const CommitInfo& info) {
  if (committed_) return invalid("the update was committed already");
  STELA_TRY(close_granule());
  if (plans_.empty()) {
    alone_ = true;
    return std::optional<VersionInfo>();
  }
  if (fragment_) {
    STELA_TRY(fragment_->finish());
    core_.env->crash_point("update.fragment_written");
  }
  place_cells();
  VersionInfo version;
  auto result =
      store_.committer().commit(Privilege::kOrdinary, [&](Builder& builder) { return build(builder, info, &version); });
  if (!result.ok()) return result.status();
  committed_ = true;
  if (fragment_) fragment_->settle();
  store_.patched(dataset_, column_.id, base_rows_ * column_.type.value_width());
  return std::optional<VersionInfo>(std::move(version));
}

}  // namespace

Result<std::unique_ptr<UpdateWriter>> make_update_writer(StoreImpl& store, NodeId dataset, ColumnId column,
                                                         const UpdateBase& base) {
  STELA_ASSIGN(auto base_impl, store.snapshot(dataset, base.version));
  std::shared_ptr<const SnapshotImpl> before = base_impl;
  if (base.own_newest.value != 0) {
    STELA_ASSIGN(before, store.snapshot(dataset, base.own_newest));
  }
  STELA_ASSIGN(ColumnInfo info, before->column(column));
  return std::unique_ptr<UpdateWriter>(
      std::make_unique<UpdateWriterImpl>(store, dataset, std::move(before), std::move(info),
                                         base_impl->version().sequence, base_impl->version().rows, base.own));
}

}  // namespace stela::store

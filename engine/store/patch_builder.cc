#include "engine/store/patch_builder.h"

#include <algorithm>

#include "engine/store/dataset_commit.h"

namespace stela::store {

namespace {

bool same_cell(const ColumnView& a, const ColumnView& b, uint64_t row) {
  if (a.is_valid(row) != b.is_valid(row)) return false;
  ByteSpan x = a.value(row);
  ByteSpan y = b.value(row);
  return x.size() == y.size() && std::equal(x.begin(), x.end(), y.begin());
}

}  // namespace

PatchBuilder::PatchBuilder(StoreImpl& store, std::shared_ptr<const SnapshotImpl> before, ColumnInfo column)
    : store_(store),
      core_(store.core()),
      before_(std::move(before)),
      column_(std::move(column)),
      granule_rows_(granule_rows(column_.type)),
      granule_values_(column_.type),
      buffered_(column_.type) {}

Status PatchBuilder::write(std::span<const uint64_t> all_ids, const ColumnView& all_values) {
  for (size_t done = 0; done < all_ids.size();) {
    // A granule at a time, so that memory stays bounded.
    uint64_t granule_end = (all_ids[done] / granule_rows_ + 1) * granule_rows_;
    auto stop = std::lower_bound(all_ids.begin() + static_cast<std::ptrdiff_t>(done), all_ids.end(), granule_end);
    auto end = static_cast<size_t>(stop - all_ids.begin());
    std::span<const uint64_t> ids = all_ids.subspan(done, end - done);
    ColumnView values = all_values.slice(done, end - done);
    ColumnData old(column_.type);
    STELA_TRY(read_cells_at(*before_, column_, ids, old));
    ColumnView held = old.view();
    for (size_t i = 0; i < ids.size();) {
      if (same_cell(values, held, i)) {
        ++i;
        continue;
      }
      size_t next = i + 1;
      while (next < ids.size() && ids[next] == ids[next - 1] + 1 && !same_cell(values, held, next)) ++next;
      ColumnView changed = values.slice(i, next - i);
      ColumnView lost = held.slice(i, next - i);
      STELA_TRY(take(ids[i], changed));
      nulls_added_ += static_cast<int64_t>(changed.null_count()) - static_cast<int64_t>(lost.null_count());
      bytes_added_ += static_cast<int64_t>(changed.value_bytes()) - static_cast<int64_t>(lost.value_bytes());
      i = next;
    }
    done = end;
  }
  return {};
}

Status PatchBuilder::take(uint64_t first_id, const ColumnView& values) {
  uint64_t granule = first_id / granule_rows_ * granule_rows_;
  if (granule != granule_) {
    STELA_TRY(close_granule());
    granule_ = granule;
  }
  for (uint64_t i = 0; i < values.rows; ++i) {
    granule_written_.push_back(static_cast<uint16_t>(first_id - granule + i));
  }
  granule_values_.append(values);
  cells_ += values.rows;
  end_ = first_id + values.rows;
  return {};
}

// The granule has all its rows. Where many patches lie over it already, this one repeats them.
Status PatchBuilder::close_granule() {
  if (granule_written_.empty()) return {};
  Plan plan;
  plan.granule = granule_;
  plan.entry.written = encode_rows(granule_written_);
  // Also those that a fold takes in: it goes when a later one comes.
  ColumnInfo unfolded = column_;
  unfolded.folded = {};
  STELA_ASSIGN(PatchReader::Granule older, before_->patches(unfolded).granule(granule_));
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
  if (carries) plan.entry.carried_to = before_->version().sequence;
  plan.cells = granule_written_.size() + carried.size();
  plan.entry.first_cell = placed_;
  STELA_TRY(put_cells(granule_values_.view()));
  STELA_TRY(put_cells(carried_values.view()));
  plans_.push_back(std::move(plan));
  granule_written_.clear();
  granule_values_.clear();
  return {};
}

Status PatchBuilder::put_cells(const ColumnView& values) {
  if (values.rows == 0) return {};
  placed_ += values.rows;
  bytes_ += inline_bytes(values);
  uint64_t inline_max = std::min(store_.inline_bytes_max(), core_.options.entries_inline_max / 2);
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

Status PatchBuilder::finish() {
  STELA_TRY(close_granule());
  if (fragment_) {
    STELA_TRY(fragment_->finish());
    core_.env->crash_point("update.fragment_written");
  }
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
  return {};
}

// The catalogue is the index of conflicts: patches born since the base say which rows they wrote.
Status PatchBuilder::check_conflicts(const Builder& builder, Sequence base, const std::vector<Sequence>& own) const {
  if (plans_.empty()) return {};
  auto visit = [&](uint64_t granule, const BornPatch& patch) -> Status {
    if (std::binary_search(own.begin(), own.end(), patch.birth)) return {};
    auto plan = std::lower_bound(plans_.begin(), plans_.end(), granule,
                                 [](const Plan& at, uint64_t row) { return at.granule < row; });
    if (plan == plans_.end() || plan->granule != granule) return {};
    STELA_ASSIGN(GranuleRows mine, decode_rows(plan->entry.written));
    STELA_ASSIGN(GranuleRows theirs, decode_rows(patch.entry.written));
    GranuleRows both;
    std::set_intersection(mine.begin(), mine.end(), theirs.begin(), theirs.end(), std::back_inserter(both));
    if (both.empty()) return {};
    return {Code::kConflict, "row " + std::to_string(granule + both.front()) + " of column '" + column_.name +
                                 "' was changed by " + describe_commit(builder, before_->dataset(), patch.birth) +
                                 " since this write began; read it again and repeat"};
  };
  return builder.for_each_patch(before_->dataset(), column_.id, base, plans_.front().granule, plans_.back().granule + 1,
                                visit);
}

Status PatchBuilder::check_living(const Builder& builder, const LivingRows& living, Sequence rows_changed) const {
  if (living.all_live()) return {};
  for (const Plan& plan : plans_) {
    STELA_ASSIGN(GranuleRows rows, decode_rows(plan.entry.written));
    for (uint16_t row : rows) {
      if (living.contains(plan.granule + row)) continue;
      return {Code::kConflict, "row " + std::to_string(plan.granule + row) + " of column '" + column_.name +
                                   "' was removed by " + describe_commit(builder, before_->dataset(), rows_changed) +
                                   " since this write began; read it again and repeat"};
    }
  }
  return {};
}

std::string PatchBuilder::key_of(const Plan& plan) const {
  return catalog::key(before_->dataset(), catalog::KeyKind::kPatch, column_.id.value, plan.granule);
}

void PatchBuilder::put(Builder& builder, ColumnEntry* entry) const {
  if (plans_.empty()) return;
  for (const Plan& plan : plans_) builder.put(key_of(plan), plan.entry.encode());
  if (fragment_) fragment_->add_file_entries(builder);
  entry->patched = builder.sequence();
  entry->nulls_added += nulls_added_;
  entry->bytes_added += bytes_added_;
}

}  // namespace stela::store

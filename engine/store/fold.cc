// Folding: a column whose cells were changed in place is written anew with its patches taken in, once it has been left
// alone for a while, so that it is read at full speed again. Old versions go on reading what lies below.
#include <algorithm>
#include <limits>

#include "engine/base/canary.h"
#include "engine/store/cells.h"
#include "engine/store/fragment_parts.h"
#include "engine/store/maintenance.h"

namespace stela::store {

namespace {

constexpr uint64_t kFoldBatchBytes = 8 << 20;
constexpr int64_t kFoldNsPerSecond = 1'000'000'000;

// Rows [0, rows) by id, deleted ones too, which other versions may show.
Status write_folded(const SnapshotImpl& impl, const ColumnInfo& column, uint64_t rows, format::FragmentWriter& writer) {
  STELA_TRY(writer.begin_section({{column.id, column.type, true}}));  // who maps and changes a column maps it again
  uint64_t batch = 1024;
  if (!column.type.is_variable()) {
    batch = std::clamp<uint64_t>(kFoldBatchBytes / std::max<uint64_t>(column.type.value_width(), 1), 1, 1 << 20);
  }
  ColumnData data(column.type);
  for (uint64_t row = 0; row < rows; row += batch) {
    data.clear();
    STELA_TRY(read_cells(impl, column, row, std::min(batch, rows - row), data));
    ColumnView view = data.view();
    STELA_TRY(writer.append({&view, 1}));
  }
  return {};
}

// Rows that a fold holds: to the last living one, so that it is just what the version shows; to the last of all where
// deleted rows behind that have patches, since other versions read those and a fold stands for all older patches.
Result<uint64_t> rows_to_fold(const SnapshotImpl& impl, const ColumnInfo& column) {
  STELA_ASSIGN(const LivingRows* living, impl.living());
  uint64_t end = living->end();
  uint64_t granule = granule_rows(column.type);
  bool beyond = false;
  auto visit = [&](uint64_t first, std::vector<BornPatch>& patches) -> Result<bool> {
    for (const BornPatch& patch : patches) {
      STELA_ASSIGN(GranuleRows rows, decode_rows(patch.entry.written));
      beyond = beyond || (!rows.empty() && first + rows.back() >= end);
    }
    return !beyond;
  };
  STELA_TRY(for_each_patched_granule(impl.view().catalog(), impl.stamp(), impl.dataset(), column.id, WhichPatches::kAll,
                                     Sequence{0}, end / granule * granule, living->ids(), visit));
  return beyond ? living->ids() : end;
}

}  // namespace

void Maintenance::note_patched(NodeId dataset, ColumnId column, uint64_t column_bytes) {
  const StoreOptions& options = core_.options;
  int64_t seconds_max = std::numeric_limits<int64_t>::max() / kFoldNsPerSecond / 4;
  auto seconds = static_cast<int64_t>(column_bytes / std::max<uint64_t>(options.fold_bytes_per_second, 1));
  int64_t due =
      core_.env->clock().monotonic_ns() + options.fold_idle_ns + std::min(seconds, seconds_max) * kFoldNsPerSecond;
  std::lock_guard lock(grown_mutex_);
  fold_due_ns_[{dataset, column}] = due;
}

int64_t Maintenance::next_fold_ns() const {
  std::lock_guard lock(grown_mutex_);
  int64_t next = std::numeric_limits<int64_t>::max();
  for (const auto& [column, due] : fold_due_ns_) next = std::min(next, due);
  return next == std::numeric_limits<int64_t>::max() ? next : next - core_.env->clock().monotonic_ns();
}

// After an opening it is not known which columns have patches.
Status Maintenance::find_patched_columns() {
  ReadView view = core_.states.view();
  std::string from = catalog::prefix(kRootNode, catalog::KeyKind::kPatch);
  while (true) {
    std::string found;
    STELA_TRY(view.catalog().scan(from, {}, view.newest(), [&](std::string_view key, std::string_view, Sequence) {
      found = std::string(key);
      return false;
    }));
    if (found.size() < 9) return {};
    NodeId node{get_ordered(found.data())};
    auto kind = static_cast<uint8_t>(found[8]);
    if (kind != static_cast<uint8_t>(catalog::KeyKind::kPatch) || found.size() != 25) {
      bool before = kind < static_cast<uint8_t>(catalog::KeyKind::kPatch);
      from = catalog::prefix(before ? node : NodeId{node.value + 1}, catalog::KeyKind::kPatch);
      continue;
    }
    ColumnId column{get_ordered(found.data() + 9)};
    Builder reader(view);
    STELA_ASSIGN(auto entry, reader.column(node, column));
    STELA_ASSIGN(auto version, reader.latest_version(node));
    if (entry && version) note_patched(node, column, version->info.rows * entry->type.value_width());
    from = catalog::key(node, catalog::KeyKind::kPatch, column.value + 1);
  }
}

Status Maintenance::fold_columns(bool force) {
  if (!patches_found_) {
    STELA_TRY(find_patched_columns());
    patches_found_ = true;
  }
  std::map<std::pair<NodeId, ColumnId>, int64_t> due;
  {
    std::lock_guard lock(grown_mutex_);
    int64_t now = core_.env->clock().monotonic_ns();
    for (const auto& [column, at] : fold_due_ns_) {
      if (force || at <= now) due.emplace(column, at);
    }
    for (const auto& [column, at] : due) fold_due_ns_.erase(column);
  }
  for (const auto& [column, at] : due) {
    Status status = fold_column(column.first, column.second);
    // Damage in one column must not keep the others from their upkeep, nor a full disk the removals that follow.
    if (status.ok() || status.code() == Code::kDamaged) continue;
    if (is_full(status)) return {};
    return status;
  }
  return {};
}

Status Maintenance::fold_column(NodeId dataset, ColumnId id) {
  ReadView view = core_.states.view();
  Builder reader(view);
  STELA_ASSIGN(auto entry, reader.column(dataset, id));
  STELA_ASSIGN(auto version, reader.latest_version(dataset));
  if (!entry || entry->dropped || !version || version->info.rows == 0) return {};
  SnapshotImpl impl(core_, std::move(view), dataset, version->info);
  STELA_ASSIGN(ColumnInfo column, impl.column(id));
  if (!column.has_patches()) return {};
  STELA_ASSIGN(uint64_t rows, rows_to_fold(impl, column));
  format::FragmentWriter writer(
      core_.env->files(), [this] { return core_.files->allocate(); }, core_.fragment_options());
  ColumnInfo source = column;
  if (planted(Canary::kLosePatchInFold)) source.patched = source.folded;
  STELA_TRY(write_folded(impl, source, rows, writer));
  STELA_ASSIGN(format::SectionInfo section, writer.end_section());
  STELA_TRY(writer.finish());
  core_.env->crash_point("fold.fragment_written");
  FoldEntry fold{{writer.file_id(), section.offset, section.length, section.rows, bytes_of(writer), section.flats},
                 entry->nulls_added,
                 entry->bytes_added};
  auto build = [&](Builder& b) -> Status {
    std::string key = catalog::key(dataset, catalog::KeyKind::kFold, id.value);
    // Versions between the last fold and this one read their patches again: one copy is enough.
    if (column.folded.value != 0) b.erase_physical(key, column.folded);
    b.put_physical(key, fold.encode(), column.patched);
    put_files(b, writer);
    return {};
  };
  STELA_TRY(committer_.commit(Privilege::kInternal, build).status());
  settle_files(core_, writer);
  core_.counters.folds.fetch_add(1, std::memory_order_relaxed);
  if (column.folded.value != 0) files_may_be_unused_ = true;
  return {};
}

}  // namespace stela::store

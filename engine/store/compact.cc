// Compaction on demand: the fragments of a dataset, and its folded columns, written anew in one mode. Copying takes no
// lock; the lane's is held while the result takes the place of what it was copied from, if that is still there.
#include <algorithm>
#include <set>

#include "engine/store/fragment_parts.h"
#include "engine/store/maintenance.h"

namespace stela::store {
namespace {

// Fragments that are rewritten together.
constexpr uint64_t kWindowRowsMax = uint64_t{64} << 20, kWindowBytesMax = uint64_t{1} << 30;
constexpr uint64_t kColdPageBytes = 1 << 20;  // what was learnt from a page's values serves more of them
// Times that a window is copied again because upkeep replaced its fragments meanwhile.
constexpr int kTriesMax = 8;

format::FragmentOptions options_of(const Core& core, bool cold) {
  format::FragmentOptions options = core.fragment_options();
  if (!cold) return options;
  options.mode = format::EncodingMode::kCold;
  options.page_bytes = std::max(options.page_bytes, kColdPageBytes);
  return options;
}

struct FoldedColumn {
  ColumnId id;
  Sequence birth;
  FoldEntry entry;
};

Result<std::vector<FoldedColumn>> folded_columns(const ReadView& view, NodeId dataset) {
  std::vector<FoldedColumn> folds;
  Status inner;
  std::string prefix = catalog::prefix(dataset, catalog::KeyKind::kFold);
  STELA_TRY(view.catalog().scan(prefix, catalog::prefix_end(prefix), view.newest(),
                                [&](std::string_view key, std::string_view value, Sequence birth) {
                                  auto entry = FoldEntry::decode(value);
                                  inner = entry.status();
                                  if (!inner.ok()) return false;
                                  ColumnId id{get_ordered(key.data() + prefix.size())};
                                  folds.push_back({id, birth, std::move(*entry)});
                                  return true;
                                }));
  STELA_TRY(inner);
  return folds;
}

// Groups may share a section.
Result<uint64_t> stored_bytes(const ReadView& view, const std::vector<const FragmentEntry*>& entries) {
  std::set<std::pair<FileId, uint64_t>> sections;
  std::set<FileId> flats;
  uint64_t bytes = 0;
  for (const FragmentEntry* entry : entries) {
    if (!sections.emplace(entry->file, entry->offset).second) continue;
    bytes += entry->length;
    flats.insert(entry->flats.begin(), entry->flats.end());
  }
  for (FileId flat : flats) {
    std::string value;
    STELA_TRY(view.catalog().get(catalog::key(NodeId{0}, catalog::KeyKind::kFile, flat.value), view.newest(), &value));
    STELA_ASSIGN(const FileEntry file, FileEntry::decode(value));
    bytes += file.bytes;
  }
  return bytes;
}

Result<uint64_t> stored_bytes(const ReadView& view, NodeId dataset) {
  STELA_ASSIGN(const GroupParts parts, read_parts(view.catalog(), view.newest(), dataset));
  STELA_ASSIGN(const std::vector<FoldedColumn> folds, folded_columns(view, dataset));
  std::vector<const FragmentEntry*> entries;
  for (const auto& [group, list] : parts) {
    for (const Part& part : list) entries.push_back(&part.entry);
  }
  for (const FoldedColumn& fold : folds) entries.push_back(&fold.entry.fragment);
  return stored_bytes(view, entries);
}

// Neighbours from `row` on.
std::vector<Part> window_from(const std::vector<Part>& parts, uint64_t row) {
  std::vector<Part> window;
  uint64_t rows = 0, bytes = 0;
  for (const Part& part : parts) {
    if (part.first_row < row) continue;
    rows += part.entry.rows;
    bytes += part.entry.bytes;
    const bool fits = rows <= kWindowRowsMax && bytes <= kWindowBytesMax &&
                      (window.empty() || window.back().first_row + window.back().entry.rows == part.first_row);
    if (!window.empty() && !fits) break;
    window.push_back(part);
  }
  return window;
}

// The window of each group, if `groups` still have the same.
std::vector<Replacement> windows_from(const GroupParts& parts, const std::vector<GroupId>& groups, uint64_t row) {
  std::vector<Replacement> windows;
  for (GroupId group : groups) {
    auto found = parts.find(group);
    if (found != parts.end()) windows.push_back({group, window_from(found->second, row), {}});
  }
  return windows;
}

void remove_files_of(Core& core, const format::FragmentWriter& writer) {
  for (const format::DataFile& file : writer.files()) {
    // What is left after a failure is unsettled, and goes at the next opening.
    if (core.env->files().remove(format::data_file_name(file.id, file.kind)).ok()) core.files->settle(file.id);
  }
}

}  // namespace

Result<CompactionReport> Maintenance::compact(NodeId dataset, const CompactionOptions& options) {
  CompactionReport report;
  std::vector<std::vector<GroupId>> alike;
  std::vector<FoldedColumn> folds;
  {
    const ReadView view = core_.states.view();
    STELA_ASSIGN(report.bytes_before, stored_bytes(view, dataset));
    STELA_ASSIGN(const GroupParts parts, read_parts(view.catalog(), view.newest(), dataset));
    alike = alike_groups(parts);
    STELA_ASSIGN(folds, folded_columns(view, dataset));
  }
  uint64_t done = 0;
  auto go_on = [&](uint64_t copied) -> Status {
    done += copied;
    if (!options.progress || options.progress(done, report.bytes_before)) return {};
    return {Code::kDeadline, "compaction was stopped; what was done stays"};
  };
  for (const std::vector<GroupId>& groups : alike) STELA_TRY(compact_groups(dataset, groups, options.cold, go_on));
  for (const FoldedColumn& fold : folds) STELA_TRY(compact_fold(dataset, fold.id, options.cold, go_on));
  STELA_TRY(run(false, false));
  STELA_ASSIGN(report.bytes_after, stored_bytes(core_.states.view(), dataset));
  return report;
}

Status Maintenance::compact_groups(NodeId dataset, const std::vector<GroupId>& groups, bool cold, const GoOn& go_on) {
  uint64_t row = 0;
  int tries = 0;
  while (true) {
    const ReadView view = core_.states.view();
    STELA_ASSIGN(const GroupParts parts, read_parts(view.catalog(), view.newest(), dataset));
    std::vector<Replacement> windows = windows_from(parts, groups, row);
    if (windows.empty() || windows.front().parts.empty()) return {};
    const uint64_t end = windows.front().parts.back().first_row + windows.front().parts.back().entry.rows;
    format::FragmentWriter writer(
        core_.env->files(), [this] { return core_.files->allocate(); }, options_of(core_, cold));
    std::vector<const FragmentEntry*> before;
    for (Replacement& window : windows) {
      for (const Part& part : window.parts) before.push_back(&part.entry);
      if (window.parts.empty()) continue;
      STELA_ASSIGN(auto columns, columns_of(view.catalog(), view.newest(), dataset, {window.group}));
      STELA_TRY(copy_parts(*core_.files, window.parts, columns, writer));
      STELA_ASSIGN(window.section, writer.end_section());
    }
    std::erase_if(windows, [](const Replacement& window) { return window.parts.empty(); });
    STELA_TRY(core_.durable(writer.finish()));
    core_.env->crash_point("compact.fragment_written");
    STELA_ASSIGN(const uint64_t bytes, stored_bytes(view, before));
    bool installed = false;
    if (!cold || bytes_of(writer) < bytes) {
      STELA_ASSIGN(installed, install_parts(dataset, windows, writer));
      if (!installed && ++tries < kTriesMax) {
        remove_files_of(core_, writer);
        continue;
      }
    }
    if (!installed) remove_files_of(core_, writer);
    tries = 0;
    row = end;
    STELA_TRY(go_on(bytes));
  }
}

// False when upkeep has replaced some of the parts meanwhile.
Result<bool> Maintenance::install_parts(NodeId dataset, const std::vector<Replacement>& replacements,
                                        const format::FragmentWriter& writer) {
  std::lock_guard lane(lane_);
  STELA_TRY(core_.latch.check());
  {
    const ReadView view = core_.states.view();
    STELA_ASSIGN(const GroupParts parts, read_parts(view.catalog(), view.newest(), dataset));
    for (const auto& [group, replaced, section] : replacements) {
      auto now = parts.find(group);
      if (now == parts.end()) return false;
      for (const Part& part : replaced) {
        if (std::find(now->second.begin(), now->second.end(), part) == now->second.end()) return false;
      }
    }
  }
  auto build = [&, &told = replacements](Builder& b) -> Status {
    put_replacements(b, dataset, told, writer);
    put_files(b, writer);
    return {};
  };
  STELA_TRY(committer_.commit(Privilege::kInternal, build).status());
  settle_files(core_, writer);
  core_.counters.merges.fetch_add(1, std::memory_order_relaxed);
  files_may_be_unused_ = true;
  return true;
}

// Its place in the catalogue stays: the same birth, other files.
Status Maintenance::compact_fold(NodeId dataset, ColumnId id, bool cold, const GoOn& go_on) {
  const ReadView view = core_.states.view();
  const std::string key = catalog::key(dataset, catalog::KeyKind::kFold, id.value);
  std::string value;
  Sequence birth;
  Status found = view.catalog().get(key, view.newest(), &value, &birth);
  if (found.code() == Code::kNotFound) return {};
  STELA_TRY(found);
  STELA_ASSIGN(FoldEntry fold, FoldEntry::decode(value));
  STELA_ASSIGN(auto columns, columns_of(view.catalog(), view.newest(), dataset, {}));
  const std::map<ColumnId, DataType> column{{id, columns[id]}};
  format::FragmentWriter writer(
      core_.env->files(), [this] { return core_.files->allocate(); }, options_of(core_, cold));
  STELA_TRY(copy_parts(*core_.files, {{0, birth, fold.fragment}}, column, writer));
  STELA_ASSIGN(const format::SectionInfo section, writer.end_section());
  STELA_TRY(core_.durable(writer.finish()));
  core_.env->crash_point("compact.fold_written");
  STELA_ASSIGN(const uint64_t bytes, stored_bytes(view, {&fold.fragment}));
  if (cold && bytes_of(writer) >= bytes) {
    remove_files_of(core_, writer);
    return go_on(bytes);
  }
  std::unique_lock lane(lane_);
  STELA_TRY(core_.latch.check());
  std::string now;
  Sequence birth_now;
  found = core_.states.view().catalog().get(key, core_.states.view().newest(), &now, &birth_now);
  if (!found.ok() || now != value || birth_now != birth) {  // folded again meanwhile
    remove_files_of(core_, writer);
    return {};
  }
  fold.fragment = {writer.file_id(), section.offset, section.length, section.rows, bytes_of(writer), section.flats};
  auto build = [&](Builder& b) -> Status {
    b.put_physical(key, fold.encode(), birth);
    put_files(b, writer);
    return {};
  };
  STELA_TRY(committer_.commit(Privilege::kInternal, build).status());
  settle_files(core_, writer);
  core_.counters.folds.fetch_add(1, std::memory_order_relaxed);
  files_may_be_unused_ = true;
  lane.unlock();
  return go_on(bytes);
}

}  // namespace stela::store

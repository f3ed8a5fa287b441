// Merge of neighbouring small fragments, and removal of files that no entry names any more.
#include <algorithm>

#include "engine/store/fragment_parts.h"
#include "engine/store/maintenance.h"

namespace stela::store {

namespace {

uint32_t tier_of(uint64_t rows, uint32_t factor) {
  uint32_t tier = 0;
  for (; rows >= factor; rows /= factor) ++tier;
  return tier;
}

struct Window {
  size_t first = 0, count = 0;
};

// The longest stretch of at least `factor` neighbours of one tier or below, lowest tier first, within the
// limits on rows and bytes.
Window choose_window(const std::vector<Part>& parts, const StoreOptions& options) {
  uint32_t factor = std::max(options.merge_factor, 2u);
  uint32_t top = tier_of(std::max<uint64_t>(options.merge_rows_max, 1), factor);
  for (uint32_t tier = 0; tier <= top; ++tier) {
    Window window;
    uint64_t rows = 0;
    uint64_t bytes = 0;
    for (size_t i = 0; i <= parts.size(); ++i) {
      bool fits = i < parts.size() && tier_of(parts[i].entry.rows, factor) <= tier &&
                  rows + parts[i].entry.rows <= options.merge_rows_max &&
                  bytes + parts[i].entry.bytes <= options.merge_bytes_max &&
                  (window.count == 0 || parts[i - 1].first_row + parts[i - 1].entry.rows == parts[i].first_row);
      if (fits) {
        if (window.count == 0) window.first = i;
        ++window.count;
        rows += parts[i].entry.rows;
        bytes += parts[i].entry.bytes;
        continue;
      }
      if (window.count >= factor) return window;
      window = {};
      rows = bytes = 0;
    }
  }
  return {};
}

}  // namespace

void Maintenance::note_grown(NodeId dataset) {
  std::lock_guard lock(grown_mutex_);
  grown_.insert(dataset);
}

Result<std::vector<NodeId>> Maintenance::datasets_to_merge() {
  std::set<NodeId> result;
  {
    std::lock_guard lock(grown_mutex_);
    result.swap(grown_);
  }
  if (look_at_all_) {
    look_at_all_ = false;
    ReadView view = core_.states.view();
    NodeId next{1};
    // One seek a node: the first fragment key at or behind (next, kFragment).
    while (true) {
      NodeId found{0};
      STELA_TRY(view.catalog().scan(catalog::prefix(next, catalog::KeyKind::kNode), {}, view.newest(),
                                    [&](std::string_view key, std::string_view, Sequence) {
                                      found = NodeId{get_ordered(key.data())};
                                      return false;
                                    }));
      if (found.value == 0) break;
      result.insert(found);
      next = NodeId{found.value + 1};
    }
  }
  return std::vector<NodeId>(result.begin(), result.end());
}

Status Maintenance::merge_fragments() {
  STELA_ASSIGN(std::vector<NodeId> datasets, datasets_to_merge());
  for (NodeId dataset : datasets) {
    Status status = merge_dataset(dataset);
    if (status.ok()) continue;
    note_grown(dataset);  // tried again in a later round
    // Damage in one dataset must not keep the others from their upkeep; `check` reports it.
    if (status.code() != Code::kDamaged) return status;
  }
  return {};
}

Status Maintenance::merge_dataset(NodeId dataset) {
  while (true) {
    ReadView view = core_.states.view();
    STELA_ASSIGN(GroupParts parts, read_parts(view.catalog(), view.newest(), dataset));
    bool merged = false;
    for (const std::vector<GroupId>& groups : alike_groups(parts)) {
      Window window = choose_window(parts[groups[0]], core_.options);
      if (window.count == 0) continue;
      auto chosen = [&](GroupId group) {
        auto begin = parts[group].begin() + static_cast<std::ptrdiff_t>(window.first);
        return std::vector<Part>(begin, begin + static_cast<std::ptrdiff_t>(window.count));
      };
      // Groups of one section share its file; a group of another section reads its own.
      std::vector<FileId> allocated;
      auto allocate = [&] {
        allocated.push_back(core_.files->allocate());
        return allocated.back();
      };
      format::FragmentWriter writer(core_.env->files(), allocate, core_.fragment_options());
      std::vector<Replacement> replacements;
      for (GroupId group : groups) {
        STELA_ASSIGN(auto columns, columns_of(view.catalog(), view.newest(), dataset, {group}));
        STELA_TRY(copy_parts(*core_.files, chosen(group), columns, writer));
        STELA_ASSIGN(format::SectionInfo section, writer.end_section());
        replacements.push_back({group, chosen(group), std::move(section)});
      }
      STELA_TRY(writer.finish());
      core_.env->crash_point("merge.fragment_written");
      auto build = [&](Builder& b) -> Status {
        put_replacements(b, dataset, replacements, writer);
        put_files(b, writer);
        return {};
      };
      STELA_TRY(committer_.commit(Privilege::kInternal, build).status());
      settle_files(core_, writer);
      core_.counters.merges.fetch_add(1, std::memory_order_relaxed);
      files_may_be_unused_ = true;
      merged = true;
      break;  // the parts have changed: look again
    }
    if (!merged) return {};
  }
}

Result<std::map<FileId, uint64_t>> count_file_uses(const catalog::CatalogState& catalog, Sequence q) {
  std::map<FileId, uint64_t> uses;
  auto entries = catalog.iterator();
  std::string last_key;
  Sequence last_birth;
  std::string seek_to;
  entries->seek({});
  while (entries->valid()) {
    std::string_view key = entries->key();
    auto kind = static_cast<catalog::KeyKind>(key.size() < 9 ? 0 : key[8]);
    bool patch = kind == catalog::KeyKind::kPatch;
    bool fold = kind == catalog::KeyKind::kFold;
    if (!patch && !fold && kind != catalog::KeyKind::kFragment) {
      // To the fragments of this node, which patches follow, to its folds, or to the next node.
      NodeId node{key.size() < 8 ? 0 : get_ordered(key.data())};
      auto wanted = kind < catalog::KeyKind::kFragment ? catalog::KeyKind::kFragment : catalog::KeyKind::kFold;
      if (kind > catalog::KeyKind::kFold) node = NodeId{node.value + 1};
      if (kind > catalog::KeyKind::kFold) wanted = catalog::KeyKind::kFragment;
      seek_to = catalog::prefix(node, wanted);
      entries->seek(seek_to);
      continue;
    }
    bool newest_install = key != last_key || entries->birth() != last_birth;
    if (newest_install && entries->install() <= q) {
      last_key = std::string(key);
      last_birth = entries->birth();
      if (!entries->erased() && patch) {
        STELA_ASSIGN(PatchEntry cells, PatchEntry::decode(entries->value()));
        if (cells.file.value != 0) ++uses[cells.file];
      } else if (!entries->erased()) {
        FragmentEntry fragment;
        if (fold) {
          STELA_ASSIGN(FoldEntry folded, FoldEntry::decode(entries->value()));
          fragment = std::move(folded.fragment);
        } else {
          STELA_ASSIGN(fragment, FragmentEntry::decode(entries->value()));
        }
        ++uses[fragment.file];
        for (FileId flat : fragment.flats) ++uses[flat];
      }
    }
    entries->next();
  }
  STELA_TRY(entries->status());
  return uses;
}

Status Maintenance::remove_files() {
  struct Known {
    FileId id;
    Sequence birth;
    FileEntry entry;
  };
  auto list = [&](catalog::KeyKind kind, std::vector<Known>* out) -> Status {
    ReadView view = core_.states.view();
    std::string prefix = catalog::prefix(NodeId{0}, kind);
    Status inner;
    STELA_TRY(view.catalog().scan(prefix, catalog::prefix_end(prefix), view.newest(),
                                  [&](std::string_view key, std::string_view value, Sequence birth) {
                                    auto entry = FileEntry::decode(value);
                                    if (!entry.ok()) {
                                      inner = entry.status();
                                      return false;
                                    }
                                    out->push_back({FileId{get_ordered(key.data() + prefix.size())}, birth, *entry});
                                    return true;
                                  }));
    return inner;
  };
  if (files_may_be_unused_) {
    std::vector<Known> files;
    STELA_TRY(list(catalog::KeyKind::kFile, &files));
    std::map<FileId, uint64_t> uses;
    {
      // Files first, uses after: what a commit adds in between is used and not in the list.
      ReadView view = core_.states.view();
      STELA_ASSIGN(uses, count_file_uses(view.catalog(), view.q()));
    }
    std::erase_if(files, [&](const Known& file) { return uses.contains(file.id); });
    if (!files.empty()) {
      STELA_TRY(committer_
                    .commit(Privilege::kInternal,
                            [&](Builder& b) -> Status {
                              for (const Known& file : files) {
                                b.erase_physical(catalog::key(NodeId{0}, catalog::KeyKind::kFile, file.id.value),
                                                 file.birth);
                                b.put_physical(catalog::key(NodeId{0}, catalog::KeyKind::kRemoval, file.id.value),
                                               file.entry.encode(), b.sequence());
                              }
                              return {};
                            })
                    .status());
      core_.env->crash_point("removal.recorded");
    }
    files_may_be_unused_ = false;
  }
  std::vector<Known> removals;
  STELA_TRY(list(catalog::KeyKind::kRemoval, &removals));
  Sequence oldest = core_.states.oldest_pinned();
  std::erase_if(removals, [&](const Known& file) { return file.birth > oldest; });
  if (removals.empty()) return {};
  for (const Known& file : removals) {
    core_.files->forget(file.id);
    Status removed = core_.env->files().remove(format::data_file_name(file.id, file.entry.kind));
    if (!removed.ok() && removed.code() != Code::kNotFound) return removed;
    core_.counters.files_removed.fetch_add(1, std::memory_order_relaxed);
    core_.counters.data_files.fetch_sub(1, std::memory_order_relaxed);
    core_.counters.data_bytes.fetch_sub(file.entry.bytes, std::memory_order_relaxed);
  }
  core_.env->crash_point("removal.unlinked");
  return committer_
      .commit(Privilege::kInternal,
              [&](Builder& b) -> Status {
                for (const Known& file : removals) {
                  b.erase_physical(catalog::key(NodeId{0}, catalog::KeyKind::kRemoval, file.id.value), file.birth);
                }
                return {};
              })
      .status();
}

namespace {
std::optional<std::pair<uint64_t, std::string>> numbered(const std::string& name) {
  size_t dot = name.find('.');
  if (dot == std::string::npos || dot == 0 || dot > 19) return std::nullopt;
  uint64_t number = 0;
  for (char c : name.substr(0, dot)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<uint64_t>(c - '0');
  }
  return std::pair(number, name.substr(dot));
}
}  // namespace

Status Maintenance::clean_up_after_recovery() {
  std::lock_guard lane(lane_);
  Files& files = core_.env->files();
  auto remove = [&](const std::string& name) -> Status {
    Status status = files.remove(name);
    return status.code() == Code::kNotFound ? Status() : status;
  };
  std::set<uint64_t> living_runs;
  for (const auto& run : core_.states.current()->catalog->runs) living_runs.insert(run->info().file.value);
  STELA_ASSIGN(std::vector<std::string> names, files.list("catalog"));
  for (const std::string& name : names) {
    auto parts = numbered(name);
    if (!parts) continue;
    bool old_manifest = parts->second == ".manifest" && parts->first + 1 < manifest_.number;
    bool dead_run = parts->second == ".run" && !living_runs.contains(parts->first);
    if (old_manifest || dead_run) STELA_TRY(remove("catalog/" + name));
  }
  // Data files that were being written: only ids the manifest did not know as settled can be among them.
  uint64_t lowest = manifest_.lowest_unsettled_file;
  auto folders = files.list("data");
  if (folders.status().code() == Code::kNotFound) return {};
  if (!folders.ok()) return folders.status();
  ReadView view = core_.states.view();
  for (const std::string& folder : *folders) {
    if (!folder.ends_with('/')) continue;
    auto high = numbered(folder.substr(0, folder.size() - 1) + ".");
    if (!high || (high->first + 1) * 1024 <= lowest) continue;
    std::string path = "data/" + folder.substr(0, folder.size() - 1);
    STELA_ASSIGN(names, files.list(path));
    for (const std::string& name : names) {
      auto parts = numbered(name);
      if (!parts || parts->first < lowest) continue;
      std::string ignored;
      bool known = false;
      for (auto kind : {catalog::KeyKind::kFile, catalog::KeyKind::kRemoval}) {
        Status status = view.catalog().get(catalog::key(NodeId{0}, kind, parts->first), view.newest(), &ignored);
        if (!status.ok() && status.code() != Code::kNotFound) return status;
        known = known || status.ok();
      }
      if (!known) STELA_TRY(remove(path + "/" + name));
    }
  }
  return {};
}

}  // namespace stela::store

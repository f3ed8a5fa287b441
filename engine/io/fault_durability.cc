// The half of FaultState that knows what survives: folder syncs, crashes, images.
#include <algorithm>
#include <utility>

#include "engine/base/coding.h"
#include "engine/io/fault_state.h"
#include "engine/io/file_name.h"

namespace stela {

namespace {

using Names = std::map<std::string, SimulatedFilePtr>;
using Folders = std::set<std::string>;

void apply_change(const NameChange& change, Names& names, Folders& folders) {
  switch (change.kind) {
    case NameChange::Kind::kLink: names[change.name] = change.file; break;
    case NameChange::Kind::kUnlink: names.erase(change.name); break;
    case NameChange::Kind::kMakeFolder: folders.insert(change.name); break;
    case NameChange::Kind::kRename: {
      auto found = names.find(change.name);
      if (found != names.end() && found->second == change.file) names.erase(found);
      names[change.to] = change.file;
      break;
    }
  }
}

bool whole_path_exists(std::string_view folder, const Folders& folders) {
  for (; !folder.empty(); folder = folder_of(folder)) {
    if (!folders.contains(std::string(folder))) return false;
  }
  return true;
}

// What lies in a folder that was lost is lost.
void drop_unreachable(Names& names, Folders& folders) {
  std::erase_if(names, [&](const auto& each) { return !whole_path_exists(folder_of(each.first), folders); });
  Folders reachable;
  for (const std::string& folder : folders) {
    if (whole_path_exists(folder, folders)) reachable.insert(folder);
  }
  folders = std::move(reachable);
}

bool change_survives(const NameChange& change, CrashStyle style, SeededRandom& random) {
  switch (style) {
    case CrashStyle::kLoseUnsynced: return false;
    case CrashStyle::kRandomSubset: return random.coin();
    case CrashStyle::kTorn: return !change.failed || random.coin();
    default: return true;
  }
}

// Copies of files that keep which names share one.
class Cloner {
 public:
  SimulatedFilePtr operator()(const SimulatedFilePtr& file) {
    if (file == nullptr) return nullptr;
    SimulatedFilePtr& copy = copies_[file.get()];
    if (copy == nullptr) copy = file->clone();
    return copy;
  }

 private:
  std::map<const SimulatedFile*, SimulatedFilePtr> copies_;
};

void copy_running_state(const FaultState& from, FaultState& to) {
  Cloner clone;
  for (const auto& [name, file] : from.names) to.names[name] = clone(file);
  for (const auto& [name, file] : from.durable_names) to.durable_names[name] = clone(file);
  to.folders = from.folders;
  to.durable_folders = from.durable_folders;
  to.pending = from.pending;
  for (NameChange& change : to.pending) change.file = clone(change.file);
}

}  // namespace

Status FaultState::sync_folders_of(const std::set<std::string>& names_to_settle) {
  std::set<std::string> wanted;
  {
    std::lock_guard lock(mutex);
    for (const std::string& name : names_to_settle) {
      wanted.emplace(folder_of(name));
      for (std::string_view at = folder_of(name); !at.empty(); at = folder_of(at)) {
        if (!durable_folders.contains(std::string(at))) wanted.emplace(folder_of(at));
      }
    }
  }
  for (auto at = wanted.rbegin(); at != wanted.rend(); ++at) STELA_TRY(sync_folder(*at));
  return {};
}

Status FaultState::sync_folder(const std::string& folder) {
  std::lock_guard lock(mutex);
  Verdict verdict = begin(Operation::kFolderSync, folder);
  if (verdict.fail_sync) {
    for (NameChange& change : pending) change.failed |= change.folder == folder;
  }
  if (verdict.apply && !verdict.ignore) settle_folder(folder);
  return verdict.status;
}

void FaultState::settle_folder(const std::string& folder) {
  std::vector<NameChange> rest;
  for (NameChange& change : pending) {
    if (change.folder != folder || change.failed) {
      rest.push_back(std::move(change));
      continue;
    }
    // The entry as it is now reached the disk: what an earlier failed sync left open is decided.
    std::erase_if(rest, [&](const NameChange& earlier) {
      return earlier.failed && (earlier.name == change.name || (!earlier.to.empty() && earlier.to == change.name));
    });
    apply_change(change, durable_names, durable_folders);
  }
  pending = std::move(rest);
}

std::shared_ptr<FaultState> FaultState::rebooted(CrashStyle style, uint64_t seed) const {
  std::lock_guard lock(mutex);
  auto after = std::make_shared<FaultState>(seed);
  if (style == CrashStyle::kProcessKilled) {
    copy_running_state(*this, *after);
    after->operations = 0;
    return after;
  }
  SeededRandom random(seed);
  Names surviving = durable_names;
  after->folders = durable_folders;
  for (const NameChange& change : pending) {
    if (change_survives(change, style, random)) apply_change(change, surviving, after->folders);
  }
  drop_unreachable(surviving, after->folders);
  uint64_t last_write = 0;
  for (const auto& [name, file] : surviving) last_write = std::max(last_write, file->last_unsynced_write());
  for (const auto& [name, file] : surviving) {
    bool is_last = last_write != 0 && file->last_unsynced_write() == last_write;
    after->names[name] = file->survivor(style, random, is_last);
  }
  after->durable_names = after->names;
  after->durable_folders = after->folders;
  return after;
}

uint64_t FaultState::image_hash() const {
  std::lock_guard lock(mutex);
  std::string image;
  for (const auto& [name, file] : durable_names) {
    if (!whole_path_exists(folder_of(name), durable_folders)) continue;
    put_text(image, name);
    put_fixed(image, file->durable_hash());
  }
  return hash64(image);
}

}  // namespace stela

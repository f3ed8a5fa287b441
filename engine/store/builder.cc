#include "engine/store/builder.h"

namespace stela::store {

void PendingGroup::add(const std::map<std::string, Value, std::less<>>& said) {
  add_member(said);
  finish_members();
}

void PendingGroup::add_member(const std::map<std::string, Value, std::less<>>& said) {
  for (const auto& [key, value] : said) {
    values.insert_or_assign(key, value);
    if (key.size() > 8 && key[8] == static_cast<char>(catalog::KeyKind::kPatch)) own_patches.emplace_back(key, value);
  }
}

void PendingGroup::finish_members() {
  for (auto& patch : own_patches) patches.insert(std::move(patch));
  own_patches.clear();
}

Status Builder::get(std::string_view key, std::string* value, Sequence* birth) const {
  for (const PendingGroup* pending : {&own_, &group_}) {
    auto found = pending->values.find(key);
    if (found == pending->values.end()) continue;
    *value = found->second.value;
    if (birth != nullptr) *birth = found->second.birth;
    return {};
  }
  return catalog_.get(key, stamp_, value, birth);
}

Status Builder::scan(std::string_view prefix, std::string_view after,
                     const std::function<bool(std::string_view, std::string_view, Sequence)>& visit) const {
  // What this group wrote, over what the catalogue has; both in order.
  std::map<std::string_view, const PendingGroup::Value*> pending;
  for (const PendingGroup* source : {&group_, &own_}) {
    for (auto at = source->values.lower_bound(prefix); at != source->values.end() && at->first.starts_with(prefix);
         ++at) {
      if (std::string_view(at->first) > after) pending[at->first] = &at->second;
    }
  }
  auto next = pending.begin();
  bool stopped = false;
  auto visit_pending_below = [&](const std::string_view* limit) {
    while (!stopped && next != pending.end() && (limit == nullptr || next->first < *limit)) {
      stopped = !visit(next->first, next->second->value, next->second->birth);
      ++next;
    }
  };
  std::string from = after.empty() ? std::string(prefix) : std::string(after) + '\0';
  if (from < prefix) from = std::string(prefix);
  STELA_TRY(catalog_.scan(from, catalog::prefix_end(prefix), stamp_,
                          [&](std::string_view key, std::string_view value, Sequence birth) {
                            visit_pending_below(&key);
                            if (stopped) return false;
                            if (next != pending.end() && next->first == key) return true;  // overlaid: visited below
                            stopped = !visit(key, value, birth);
                            return !stopped;
                          }));
  visit_pending_below(nullptr);
  return {};
}

Status Builder::for_each_patch(NodeId dataset, ColumnId column, Sequence after, uint64_t first, uint64_t end,
                               const std::function<Status(uint64_t granule, const BornPatch&)>& visit) const {
  STELA_TRY(for_each_patched_granule(catalog_, stamp_, dataset, column, WhichPatches::kAll, after, first, end,
                                     [&](uint64_t at, std::vector<BornPatch>& found) -> Result<bool> {
                                       for (const BornPatch& patch : found) STELA_TRY(visit(at, patch));
                                       return true;
                                     }));
  auto key_of = [&](uint64_t row) { return catalog::key(dataset, catalog::KeyKind::kPatch, column.value, row); };
  auto stop = group_.patches.lower_bound(key_of(end));
  for (auto at = group_.patches.lower_bound(key_of(first)); at != stop; ++at) {
    STELA_ASSIGN(PatchEntry entry, PatchEntry::decode(at->second.value));
    uint64_t granule = get_ordered(at->first.data() + at->first.size() - 8);
    STELA_TRY(visit(granule, {at->second.birth, std::move(entry)}));
  }
  return {};
}

void Builder::put(std::string_view key, std::string_view value) {
  auto [place, fresh] =
      own_.values.insert_or_assign(std::string(key), PendingGroup::Value{std::string(value), sequence_});
  if (fresh) {
    entries_.push_back({std::string(key), sequence_, sequence_, false, std::string(value)});
    return;
  }
  for (catalog::Entry& entry : entries_) {
    if (entry.key == key && entry.birth == sequence_) entry.value = std::string(value);
  }
}

void Builder::put_physical(std::string_view key, std::string_view value, Sequence birth) {
  entries_.push_back({std::string(key), birth, sequence_, false, std::string(value)});
}

void Builder::erase_physical(std::string_view key, Sequence birth) {
  entries_.push_back({std::string(key), birth, sequence_, true, {}});
}

namespace {
template <typename EntryType>
Result<std::optional<EntryType>> typed(const Builder& builder, const std::string& key) {
  std::string value;
  Status status = builder.get(key, &value);
  if (status.code() == Code::kNotFound) return std::optional<EntryType>{};
  STELA_TRY(status);
  STELA_ASSIGN(EntryType entry, EntryType::decode(value));
  return std::optional(std::move(entry));
}
}  // namespace

Result<std::optional<NodeEntry>> Builder::node(NodeId id) const {
  return typed<NodeEntry>(*this, catalog::key(id, catalog::KeyKind::kNode));
}

Result<std::optional<ColumnEntry>> Builder::column(NodeId dataset, ColumnId id) const {
  return typed<ColumnEntry>(*this, catalog::key(dataset, catalog::KeyKind::kColumn, id.value));
}

Result<std::optional<VersionEntry>> Builder::latest_version(NodeId dataset) const {
  std::optional<std::string> bytes;
  STELA_TRY(scan(catalog::prefix(dataset, catalog::KeyKind::kVersion), {},
                 [&](std::string_view, std::string_view value, Sequence) {
                   bytes = std::string(value);
                   return false;
                 }));
  if (!bytes) return std::optional<VersionEntry>{};
  STELA_ASSIGN(VersionEntry entry, VersionEntry::decode(*bytes));
  return std::optional(std::move(entry));
}

Result<ColumnId> Builder::column_named(NodeId dataset, std::string_view name, Sequence* birth) const {
  std::string value;
  Status status = get(catalog::key(dataset, catalog::KeyKind::kColumnName, name), &value, birth);
  if (status.code() == Code::kNotFound) return ColumnId{0};
  STELA_TRY(status);
  STELA_ASSIGN(ColumnNameEntry entry, ColumnNameEntry::decode(value));
  return entry.column;
}

Result<std::vector<std::pair<ColumnId, ColumnEntry>>> Builder::columns(NodeId dataset) const {
  std::vector<std::pair<ColumnId, ColumnEntry>> result;
  Status inner;
  std::string prefix = catalog::prefix(dataset, catalog::KeyKind::kColumn);
  STELA_TRY(scan(prefix, {}, [&](std::string_view key, std::string_view value, Sequence) {
    auto entry = ColumnEntry::decode(value);
    if (!entry.ok() || key.size() != prefix.size() + 8) {
      inner = entry.ok() ? damaged("a column's key is malformed") : entry.status();
      return false;
    }
    if (!entry->dropped) result.emplace_back(ColumnId{get_ordered(key.data() + prefix.size())}, std::move(*entry));
    return true;
  }));
  STELA_TRY(inner);
  return result;
}

}  // namespace stela::store

#include "fsd/tree/dataset_place.h"

#include <cstdio>

#include "fsd/tree/content_identity.h"
#include "fsd/tree/context.h"

namespace stela::fsd {

std::string DatasetPlace::directory_key() const {
  if (head()) return node_identity(dataset);
  return "v" + node_identity(dataset) + "/" + std::to_string(version.value);
}

std::string DatasetPlace::path(const TreeContext& context) const {
  std::string path = context.path_of(dataset);
  return head() ? path : path + "/.versions/" + std::to_string(version.value);
}

Result<Snapshot> DatasetPlace::snapshot(TreeContext& context) const {
  STELA_ASSIGN(Table table, context.store.table(dataset));
  return head() ? table.head() : table.at(version);
}

uint32_t file_mode(const NodeAttributes& owner, bool head) { return owner.mode & (head ? 0666u : 0444u); }
uint32_t directory_mode(const NodeAttributes& owner, bool head) { return owner.mode & (head ? 07777u : 07555u); }

Result<FoundView> find_view(const Snapshot& snapshot, std::string_view file_name) {
  std::optional<ViewName> name = split_view_name(file_name);
  if (!name.has_value()) return not_found("no column is called " + std::string(file_name));
  STELA_ASSIGN(ColumnInfo column, find_column_by_stem(snapshot, name->stem));
  STELA_TRY(name->form->supports(column.type));
  return FoundView{std::move(column), name->form};
}

Result<bool> column_has_nulls(TreeContext& context, const Snapshot& snapshot, const ColumnInfo& column) {
  if (!column.nullable) return false;
  std::string identity = column_identity(snapshot.dataset(), column, ".valid.npy", false);
  ViewFacts facts = context.views.find(identity);
  if (!facts.has_nulls.has_value()) {
    STELA_ASSIGN(ColumnTotals totals, snapshot.totals(column));
    facts.has_nulls = totals.nulls > 0;
    context.views.learn(identity, {.size = {}, .stored_bytes = {}, .has_nulls = facts.has_nulls});
  }
  return *facts.has_nulls;
}

Result<std::vector<DirectoryEntry>> list_columns(TreeContext& context, const Snapshot& snapshot) {
  std::vector<DirectoryEntry> entries;
  NodeId dataset = snapshot.dataset();
  STELA_ASSIGN(std::vector<ColumnInfo> columns, snapshot.columns());
  const ViewForm* validity = find_view_form(".valid.npy");
  for (const ColumnInfo& column : columns) {
    const ViewForm& form = listed_form(column.type);
    std::string stem = encode_column_file_stem(column.name);
    uint64_t inode = inode_of_view(dataset, column, form.extension(), form.shows_name());
    entries.push_back({.name = stem + form.extension(), .inode = inode});
    if (validity == nullptr || !column.type.is_numpy()) continue;
    // A damaged column is still listed: reading it says what is wrong.
    auto nulls = column_has_nulls(context, snapshot, column);
    if (!nulls.ok() || !*nulls) continue;
    inode = inode_of_view(dataset, column, validity->extension(), validity->shows_name());
    entries.push_back({.name = stem + validity->extension(), .inode = inode});
  }
  return entries;
}

Status keep_ownership(const SetAttributes& set, const Attributes& now, const std::string& path) {
  if (set.mode && (*set.mode & 07777u) != now.mode) {
    char text[64];
    std::snprintf(text, sizeof text, "%03o, not %03o", now.mode, *set.mode & 07777u);
    return {Code::kNotPermitted, path + ": the mode belongs to the dataset, so its files are " + text +
                                     ": chmod the dataset's directory instead"};
  }
  if ((set.uid && *set.uid != now.uid) || (set.gid && *set.gid != now.gid)) {
    return {Code::kNotPermitted, path + ": the owner belongs to the dataset: chown its directory instead"};
  }
  return {};
}

}  // namespace stela::fsd

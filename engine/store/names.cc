#include "engine/store/names.h"

#include <algorithm>

#include "engine/store/dataset_commit.h"

namespace stela::store {

using catalog::key;
using catalog::KeyKind;

Status check_node_name(std::string_view name) {
  if (name.size() > 255) return {Code::kNameTooLong, "the name is longer than 255 bytes"};
  if (name.empty() || name == "." || name == "..") return invalid("'" + std::string(name) + "' is no name");
  if (name.front() == '.') return invalid("'" + std::string(name) + "' begins with a dot; such names are Stela's own");
  if (name.find('/') != std::string_view::npos || name.find('\0') != std::string_view::npos) {
    return invalid("a name must not contain '/' or NUL");
  }
  return {};
}

Result<std::vector<std::string>> split_path(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    size_t slash = path.find('/');
    std::string_view part = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (part.empty()) continue;
    STELA_TRY(check_node_name(part));
    parts.emplace_back(part);
  }
  return parts;
}

NodeInfo node_info(NodeId id, const NodeEntry& entry) {
  return {id, entry.parent, entry.kind, entry.name, entry.attributes, entry.created_ns, entry.changed_ns};
}

Result<NodeId> child_of(const Builder& builder, NodeId folder, std::string_view name) {
  std::string value;
  Status status = builder.get(key(folder, KeyKind::kName, name), &value);
  if (status.code() == Code::kNotFound) return NodeId{0};
  STELA_TRY(status);
  STELA_ASSIGN(NameEntry entry, NameEntry::decode(value));
  return entry.node;
}

std::string describe_name_change(const Builder& builder, NodeId folder, std::string_view name) {
  std::string value;
  if (!builder.get(key(folder, KeyKind::kName, name), &value).ok()) return {};
  auto entry = NameEntry::decode(value);
  if (!entry.ok() || entry->changed_ns == 0) return {};
  std::string by = entry->changed_by.empty() ? "" : "by " + entry->changed_by + ", ";
  return " (" + by + format_utc(entry->changed_ns) + ")";
}

namespace {

// The root has no entry until something is written about it.
Result<NodeEntry> living_node(const Builder& builder, NodeId id) {
  STELA_ASSIGN(auto entry, builder.node(id));
  if (!entry && id == kRootNode) {
    NodeEntry root;
    root.kind = NodeKind::kFolder;
    return root;
  }
  if (!entry || entry->dropped) return not_found("the directory is gone");
  return *entry;
}

void put_node(Builder& builder, NodeId id, const NodeEntry& entry) {
  builder.put(key(id, KeyKind::kNode), entry.encode());
}

Result<bool> has_children(const Builder& builder, NodeId folder) {
  bool found = false;
  Status inner;
  STELA_TRY(builder.scan(catalog::prefix(folder, KeyKind::kName), {},
                         [&](std::string_view, std::string_view value, Sequence) {
                           auto entry = NameEntry::decode(value);
                           if (!entry.ok()) inner = entry.status();
                           found = entry.ok() && entry->node.value != 0;
                           return inner.ok() && !found;
                         }));
  STELA_TRY(inner);
  return found;
}

Status require_folder(Builder& builder, NodeId parent, NodeEntry* entry) {
  STELA_ASSIGN(*entry, living_node(builder, parent));
  if (entry->kind == NodeKind::kDataset) {
    return invalid("'" + entry->name +
                   "' is a dataset: it holds columns, and no directories; make the directory beside it");
  }
  return {};
}

// A directory whose last child went is empty again: it may become a dataset.
Status settle_parent(Builder& builder, NodeId parent) {
  STELA_ASSIGN(NodeEntry entry, living_node(builder, parent));
  STELA_ASSIGN(bool children, has_children(builder, parent));
  if (parent != kRootNode && !children && entry.kind == NodeKind::kFolder) entry.kind = NodeKind::kEmpty;
  entry.changed_ns = builder.time_ns();
  put_node(builder, parent, entry);
  return {};
}

Status enter_parent(Builder& builder, NodeId parent, NodeEntry entry) {
  entry.kind = NodeKind::kFolder;
  entry.changed_ns = builder.time_ns();
  put_node(builder, parent, entry);
  return {};
}

void put_name(Builder& builder, NodeId parent, std::string_view name, NodeId node, NodeId last = {}) {
  builder.put(key(parent, KeyKind::kName, name), NameEntry{node, last, builder.time_ns(), builder.author()}.encode());
}

Result<NodeId> require_child(const Builder& builder, NodeId parent, std::string_view name) {
  STELA_ASSIGN(NodeId child, child_of(builder, parent, name));
  if (child.value == 0) return not_found("there is no '" + std::string(name) + "'");
  return child;
}

// What was last dropped under that name, or 0.
Result<NodeId> last_dropped(const Builder& builder, NodeId parent, std::string_view name) {
  std::string value;
  Status status = builder.get(key(parent, KeyKind::kName, name), &value);
  if (status.code() == Code::kNotFound) return NodeId{0};
  STELA_TRY(status);
  STELA_ASSIGN(NameEntry entry, NameEntry::decode(value));
  return entry.last;
}

Status mark_dropped(Builder& builder, NodeId parent, std::string_view name, NodeId child, NodeEntry entry) {
  // An empty directory is nothing to come back to: what was dropped before it still is.
  STELA_ASSIGN(NodeId earlier, last_dropped(builder, parent, name));
  STELA_ASSIGN(bool children, has_children(builder, child));
  STELA_ASSIGN(auto latest, builder.latest_version(child));
  const NodeId last = earlier.value != 0 && !children && !latest ? earlier : child;
  entry.dropped = true;
  entry.changed_ns = builder.time_ns();
  put_node(builder, child, entry);
  put_name(builder, parent, name, NodeId{0}, last);
  return {};
}

}  // namespace

Result<NodeInfo> build_directory(Builder& builder, NodeId id, NodeId parent, std::string_view name,
                                 const NodeAttributes& attributes) {
  STELA_TRY(check_node_name(name));
  NodeEntry folder;
  STELA_TRY(require_folder(builder, parent, &folder));
  STELA_ASSIGN(NodeId existing, child_of(builder, parent, name));
  if (existing.value != 0) return Status(Code::kExists, "there is a '" + std::string(name) + "' already");
  NodeEntry entry;
  entry.parent = parent;
  entry.name = std::string(name);
  entry.attributes = attributes;
  entry.created_ns = entry.changed_ns = builder.time_ns();
  put_node(builder, id, entry);
  STELA_ASSIGN(NodeId dropped, last_dropped(builder, parent, name));
  put_name(builder, parent, name, id, dropped);
  STELA_TRY(enter_parent(builder, parent, folder));
  return node_info(id, entry);
}

Status build_remove_directory(Builder& builder, NodeId parent, std::string_view name) {
  STELA_ASSIGN(NodeId child, require_child(builder, parent, name));
  STELA_ASSIGN(NodeEntry entry, living_node(builder, child));
  STELA_ASSIGN(bool children, has_children(builder, child));
  if (children) return {Code::kNotEmpty, "the folder '" + std::string(name) + "' is not empty"};
  STELA_ASSIGN(auto columns, builder.columns(child));
  if (!columns.empty()) {
    return {Code::kNotEmpty, "the dataset '" + std::string(name) + "' has columns; `rm -r` drops it with them"};
  }
  STELA_TRY(mark_dropped(builder, parent, name, child, entry));
  return settle_parent(builder, parent);
}

Status build_drop(Builder& builder, NodeId parent, std::string_view name, bool recursive) {
  STELA_ASSIGN(NodeId child, require_child(builder, parent, name));
  STELA_ASSIGN(NodeEntry entry, living_node(builder, child));
  STELA_ASSIGN(bool children, has_children(builder, child));
  if (children && !recursive) return {Code::kNotEmpty, "the folder '" + std::string(name) + "' is not empty"};
  // What lies below keeps its names and comes back with it.
  STELA_TRY(mark_dropped(builder, parent, name, child, entry));
  return settle_parent(builder, parent);
}

Status build_rename(Builder& builder, NodeId from, std::string_view name, NodeId to, std::string_view new_name) {
  STELA_TRY(check_node_name(new_name));
  STELA_ASSIGN(NodeId child, require_child(builder, from, name));
  if (from == to && name == new_name) return {};
  STELA_ASSIGN(NodeEntry entry, living_node(builder, child));
  NodeEntry folder;
  STELA_TRY(require_folder(builder, to, &folder));
  for (NodeId above = to; above != kRootNode && above.value != 0;) {
    if (above == child) return invalid("a directory cannot be moved into itself");
    STELA_ASSIGN(NodeEntry up, living_node(builder, above));
    above = up.parent;
  }
  STELA_ASSIGN(NodeId existing, child_of(builder, to, new_name));
  if (existing.value != 0) {
    STELA_ASSIGN(NodeEntry target, living_node(builder, existing));
    if (target.kind != NodeKind::kEmpty) {
      return {Code::kNotEmpty, "there is a '" + std::string(new_name) + "' already, and it is not an empty directory"};
    }
    STELA_TRY(mark_dropped(builder, to, new_name, existing, target));
  }
  put_name(builder, from, name, NodeId{0}, NodeId{0});
  put_name(builder, to, new_name, child);
  entry.parent = to;
  entry.name = std::string(new_name);
  entry.changed_ns = builder.time_ns();
  put_node(builder, child, entry);
  STELA_ASSIGN(folder, living_node(builder, to));
  STELA_TRY(enter_parent(builder, to, folder));
  return from == to ? Status() : settle_parent(builder, from);
}

Status build_attributes(Builder& builder, NodeId id, const NodeAttributes& attributes) {
  STELA_ASSIGN(NodeEntry entry, living_node(builder, id));
  entry.attributes = attributes;
  entry.changed_ns = builder.time_ns();
  put_node(builder, id, entry);
  return {};
}

namespace {

// The newest version before the run of column removals at the end of the dataset's history.
Result<std::optional<VersionEntry>> before_removals(const Builder& builder, NodeId dataset) {
  std::optional<VersionEntry> result;
  Status inner;
  STELA_TRY(builder.scan(catalog::prefix(dataset, KeyKind::kVersion), {},
                         [&](std::string_view, std::string_view value, Sequence) {
                           auto entry = VersionEntry::decode(value);
                           if (!entry.ok()) {
                             inner = entry.status();
                             return false;
                           }
                           result = *entry;
                           return entry->kind == VersionKind::kDropColumn;
                         }));
  STELA_TRY(inner);
  return result;
}

}  // namespace

Result<NodeInfo> build_restore(Builder& builder, NodeId parent, std::string_view name, const CommitInfo& info,
                               const ColumnsAt& columns_at) {
  std::string value;
  Status status = builder.get(key(parent, KeyKind::kName, name), &value);
  if (!status.ok() && status.code() != Code::kNotFound) return status;
  NameEntry named;
  if (status.ok()) {
    STELA_ASSIGN(named, NameEntry::decode(value));
  }
  if (named.node.value != 0) return Status(Code::kExists, "there is a '" + std::string(name) + "'; it was not dropped");
  if (named.last.value == 0) return not_found("nothing of the name '" + std::string(name) + "' was dropped here");
  STELA_ASSIGN(auto entry, builder.node(named.last));
  if (!entry || !entry->dropped) return not_found("nothing of the name '" + std::string(name) + "' was dropped here");
  entry->dropped = false;
  entry->parent = parent;
  entry->name = std::string(name);
  entry->changed_ns = builder.time_ns();
  put_node(builder, named.last, *entry);
  put_name(builder, parent, name, named.last);
  NodeEntry folder;
  STELA_TRY(require_folder(builder, parent, &folder));
  STELA_TRY(enter_parent(builder, parent, folder));
  STELA_ASSIGN(auto before, before_removals(builder, named.last));
  STELA_ASSIGN(DatasetHead head, entry->kind == NodeKind::kDataset ? read_head(builder, named.last) : DatasetHead{});
  bool removed = before && head.latest && before->info.number != head.latest->info.number;
  if (removed) {
    VersionChange change{
        VersionKind::kRestore, "restore", before->info.rows, before->info.rows != head.rows(), 0, 0, {}};
    STELA_ASSIGN(auto columns, columns_at(named.last, before->info.sequence));
    for (const auto& [id, column] : columns) {
      builder.put(key(named.last, KeyKind::kColumn, id.value), column.encode());
      builder.put(key(named.last, KeyKind::kColumnName, column.name), ColumnNameEntry{id}.encode());
      change.columns.push_back(id);
    }
    touch_schema(builder, named.last, head.node);
    add_version(builder, named.last, head, info, std::move(change));
  }
  return node_info(named.last, *entry);
}

Status build_drop_column(Builder& builder, NodeId dataset, std::string_view name, const CommitInfo& info,
                         VersionInfo* version) {
  STELA_ASSIGN(DatasetHead head, read_head(builder, dataset));
  STELA_ASSIGN(ColumnId id, builder.column_named(dataset, name));
  if (id.value == 0) return not_found("there is no column '" + std::string(name) + "'");
  STELA_ASSIGN(auto entry, builder.column(dataset, id));
  if (!entry) return damaged("the column '" + std::string(name) + "' has a name but no entry");
  entry->dropped = true;
  builder.put(key(dataset, KeyKind::kColumn, id.value), entry->encode());
  builder.put(key(dataset, KeyKind::kColumnName, name), ColumnNameEntry{}.encode());
  touch_schema(builder, dataset, head.node);
  *version = add_version(builder, dataset, head, info,
                         {VersionKind::kDropColumn, "drop column", head.rows(), false, 0, 0, {id}});
  return {};
}

Status build_rename_column(Builder& builder, NodeId dataset, std::string_view from, std::string_view to, bool replace,
                           const CommitInfo& info, VersionInfo* version) {
  STELA_TRY(check_column_name(to));
  STELA_ASSIGN(DatasetHead head, read_head(builder, dataset));
  STELA_ASSIGN(ColumnId id, builder.column_named(dataset, from));
  if (id.value == 0) return not_found("there is no column '" + std::string(from) + "'");
  if (from == to) {
    if (head.latest) *version = head.latest->info;
    return {};
  }
  VersionChange change{VersionKind::kRenameColumn, "rename column", head.rows(), false, 0, 0, {id}};
  STELA_ASSIGN(ColumnId target, builder.column_named(dataset, to));
  if (target.value != 0) {
    if (!replace) return {Code::kExists, "there is a column '" + std::string(to) + "' already"};
    STELA_ASSIGN(auto old, builder.column(dataset, target));
    if (!old) return damaged("the column '" + std::string(to) + "' has a name but no entry");
    old->dropped = true;
    builder.put(key(dataset, KeyKind::kColumn, target.value), old->encode());
    change.columns.push_back(target);
  }
  STELA_ASSIGN(auto entry, builder.column(dataset, id));
  if (!entry) return damaged("the column '" + std::string(from) + "' has a name but no entry");
  entry->name = std::string(to);
  builder.put(key(dataset, KeyKind::kColumn, id.value), entry->encode());
  builder.put(key(dataset, KeyKind::kColumnName, from), ColumnNameEntry{}.encode());
  builder.put(key(dataset, KeyKind::kColumnName, to), ColumnNameEntry{id}.encode());
  touch_schema(builder, dataset, head.node);
  *version = add_version(builder, dataset, head, info, std::move(change));
  return {};
}

}  // namespace stela::store

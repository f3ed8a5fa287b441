// Commits that change names: directories, datasets, columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/store/builder.h"
#include "engine/store/options.h"

namespace stela::store {

// One path component: not empty, "." or "..", at most 255 bytes, no '/', no NUL, no leading dot.
Status check_node_name(std::string_view name);
Result<std::vector<std::string>> split_path(std::string_view path);

NodeInfo node_info(NodeId id, const NodeEntry& entry);

// The node a name stands for now; 0 when there is none.
Result<NodeId> child_of(const Builder& builder, NodeId folder, std::string_view name);

// " (by root, 2026-11-29T20:00:00Z)" of its last change, for sentences; empty when that is not known.
std::string describe_name_change(const Builder& builder, NodeId folder, std::string_view name);

// `id`: the builder's next, or one that was reserved.
Result<NodeInfo> build_directory(Builder& builder, NodeId id, NodeId parent, std::string_view name,
                                 const NodeAttributes& attributes);
Status build_remove_directory(Builder& builder, NodeId parent, std::string_view name);
Status build_rename(Builder& builder, NodeId from, std::string_view name, NodeId to, std::string_view new_name);
Status build_attributes(Builder& builder, NodeId id, const NodeAttributes& attributes);
Status build_drop(Builder& builder, NodeId parent, std::string_view name, bool recursive);
// `as_of_columns`: reads the dataset's columns as a sequence saw them (for the undoing of removals).
using ColumnsAt = std::function<Result<std::vector<std::pair<ColumnId, ColumnEntry>>>(NodeId, Sequence)>;
Result<NodeInfo> build_restore(Builder& builder, NodeId parent, std::string_view name, const CommitInfo& info,
                               const ColumnsAt& columns_at);

Status build_drop_column(Builder& builder, NodeId dataset, std::string_view name, const CommitInfo& info,
                         VersionInfo* version);
Status build_rename_column(Builder& builder, NodeId dataset, std::string_view from, std::string_view to, bool replace,
                           const CommitInfo& info, VersionInfo* version);

}  // namespace stela::store

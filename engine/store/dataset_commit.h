// What the commits that change one dataset have in common.
#pragma once

#include <optional>
#include <string>

#include "engine/store/builder.h"
#include "engine/store/living_rows.h"
#include "engine/store/options.h"

namespace stela::store {

// A dataset at the moment of a commit.
struct DatasetHead {
  NodeEntry node;
  Sequence schema_birth;  // changes with every change of the schema
  std::optional<VersionEntry> latest;

  uint64_t rows() const { return latest ? latest->info.rows : 0; }
  // The next row's id.
  uint64_t row_ids() const { return latest ? latest->info.row_ids : 0; }
};

// kNotFound when it is dropped, kInvalid when it is a folder.
Result<DatasetHead> read_head(const Builder& builder, NodeId dataset);

// Adds the version entry that follows `head` and returns it. `rows` = row count from now on.
struct VersionChange {
  VersionKind kind = VersionKind::kAppend;
  const char* operation = "append";  // used when info.operation is empty
  uint64_t rows = 0;
  bool rows_changed = false;
  uint64_t rows_added = 0;
  uint64_t bytes_added = 0;
  std::vector<ColumnId> columns;
  uint64_t row_ids = 0;  // given from now on; never fewer than before
};
VersionInfo add_version(Builder& builder, NodeId dataset, const DatasetHead& head, const CommitInfo& info,
                        VersionChange change);

// Which rows the dataset has now.
Result<LivingRows> read_living(const Builder& builder, NodeId dataset, const DatasetHead& head);
// None of its rows lives from now on: the ids go on behind them.
void delete_all_rows(Builder& builder, NodeId dataset, const DatasetHead& head);

// Writes the node entry anew: its birth is the stamp of the schema.
void touch_schema(Builder& builder, NodeId dataset, NodeEntry node);

// "version 12 (import, by ann, 2026-11-22T10:00:00Z)", for the sentence of a conflict.
std::string describe_version(const VersionInfo& version);
// The same of the commit with that sequence. O(versions since).
std::string describe_commit(const Builder& builder, NodeId dataset, Sequence sequence);
std::string format_utc(int64_t time_ns);

// The newest version before this commit: not what other members of the same transaction made. nullopt: there is none.
// Not of a branch.
Result<std::optional<VersionInfo>> version_before(const Builder& builder, NodeId dataset, const DatasetHead& head);
// kConflict when the name was given, moved or dropped by another commit after `base`.
Status check_name_unchanged(const Builder& builder, NodeId dataset, const std::string& name, Sequence base);

// A name a column may have: not empty, at most 64 KiB, no NUL.
Status check_column_name(std::string_view name);

}  // namespace stela::store

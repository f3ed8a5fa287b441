// ValidityTarget: a file written under "x.valid.npy": the nulls of column x.
#pragma once

#include <memory>
#include <string>

#include "fsd/tree/column_draft.h"
#include "fsd/tree/scratch_file.h"

namespace stela::fsd {

// "x.valid.npy".
bool is_validity_name(std::string_view file_name);
// Where the nulls of a column are written, as a place of SideFiles.
std::string validity_place(NodeId dataset, std::string_view column);

// With its column there: a new version of it, in which exactly those rows are null. Before its column, or
// before the first value of one that a schema made: the bytes wait as scratch under the name, and the column's commit
// takes them (ColumnTarget).
class ValidityTarget : public DraftTarget {
 public:
  static Result<std::unique_ptr<ValidityTarget>> create(TreeContext& context, NodeId dataset,
                                                        const std::string& file_name, const Caller& caller);
  Result<std::optional<VersionInfo>> commit(ByteSource& source, bool final) override;
  bool is_drained() const override { return true; }
  void restart() override {}

 private:
  ValidityTarget(TreeContext& context, NodeId dataset, std::string file_name, std::string column, ColumnBase base,
                 const Caller& caller);
  // Before the column, or before its first value.
  Result<bool> is_early(const ColumnBase& now) const;
  Status wait(ByteSource& source) const;
  Result<std::optional<VersionInfo>> change(ByteSource& source, const Table& table, const ColumnBase& now);

  TreeContext& context_;
  const NodeId dataset_;
  const std::string file_name_, column_;
  ColumnBase base_;
  const Caller caller_;
  const uint32_t process_;
  const CommitInfo info_;
};

// Before a column is dropped: whoever has just written its nulls and now removes it (tar, to make it anew) finds them
// waiting. Nothing happens when somebody else wrote them, or longer ago. True when they wait.
Result<bool> keep_validity_waiting(TreeContext& context, const Snapshot& head, const ColumnInfo& column,
                                   const Caller& caller);

// What a file of that name becomes when it is written whole: a column, or the nulls of one.
Result<std::unique_ptr<DraftTarget>> create_column_target(TreeContext& context, NodeId dataset,
                                                          const std::string& file_name, const Caller& caller);

// The time a file that was committed under `file_name` had belongs to that content.
void keep_column_time(TreeContext& context, NodeId dataset, const std::string& file_name, int64_t mtime_ns);

}  // namespace stela::fsd

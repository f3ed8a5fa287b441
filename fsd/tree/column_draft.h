// ColumnDraft: a file written under a column's name: a new column, or the replacement of one.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "fsd/tree/dataset_place.h"
#include "fsd/tree/draft_file.h"

namespace stela::fsd {

// What a column draft was begun on; the first committer wins.
struct ColumnBase {
  std::optional<ColumnInfo> column;  // nullopt: the name was free
  uint64_t rows = 0;
  Sequence rows_changed;
};
Result<ColumnBase> column_base(TreeContext& context, NodeId dataset, const std::string& column);

// A committed source becomes the column. Also used when scratch is renamed to a column's name.
class ColumnTarget : public DraftTarget {
 public:
  // `file_name` is in a form that can be written (.npy, .arrow).
  static Result<std::unique_ptr<ColumnTarget>> create(TreeContext& context, NodeId dataset,
                                                      const std::string& file_name, const Caller& caller);
  Result<std::optional<VersionInfo>> commit(ByteSource& source, bool final) override;
  bool is_drained() const override { return true; }
  void restart() override {}
  // Of the newest commit, or of what it was begun on.
  const ColumnBase& base() const { return base_; }
  const std::string& column() const { return column_; }

 private:
  ColumnTarget(TreeContext& context, NodeId dataset, const ColumnFormat& format, std::string file_name,
               std::string column, ColumnBase base, CommitInfo info);
  Status check_first(const ColumnBase& now, const Table& table) const;
  Status lost_race(const Table& table) const;

  TreeContext& context_;
  const NodeId dataset_;
  const ColumnFormat& format_;
  const std::string file_name_, column_;
  ColumnBase base_;
  const CommitInfo info_;
};

// Private node of one writable open. Unlisted; while nothing is committed under the name it is what the
// name's lookup gives, and after a failure it answers with it.
class ColumnDraft : public DraftFile {
 public:
  // `over`: the column that readers of this node see, if there is one.
  ColumnDraft(TreeContext& context, NodeId dataset, std::string file_name, NodeRef over, const Caller& owner);

  NodeId owner() const override { return dataset_; }
  Result<Shown> attributes(bool may_compute) override;
  Status set_attributes(const SetAttributes& set, const Caller& caller) override;
  Result<std::unique_ptr<OpenFile>> open(uint32_t flags, const Caller& caller) override;
  Result<std::string> xattr(std::string_view field) override;
  std::vector<std::string> xattr_fields() override;
  void committed(const VersionInfo& version, Draft& draft) override;
  void closed(const Status& failure) override;

 private:
  void remember_time(const VersionInfo& version);
  Result<std::unique_ptr<OpenFile>> open_below(const Caller& caller);
  const NodeId dataset_;
  const std::string file_name_;
  const NodeRef over_;  // a ColumnFile
  Status refused_;
  bool read_below_ = false;
};

}  // namespace stela::fsd

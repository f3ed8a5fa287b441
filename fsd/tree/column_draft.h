// ColumnDraft: a file written under a column's name: a new column, the replacement of one, or changes in place.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "fsd/tree/column_stream.h"
#include "fsd/tree/dataset_place.h"
#include "fsd/tree/draft_file.h"

namespace stela::fsd {

// What a column draft was begun on; the first committer wins.
struct ColumnBase {
  std::optional<ColumnInfo> column;  // nullopt: the name was free
  VersionNumber version;             // 0: before the first
  uint64_t rows = 0;
  Sequence rows_changed;
};
Result<ColumnBase> column_base(TreeContext& context, NodeId dataset, const std::string& column);
// In a dataset that began without rows, with its schema: a column of which not one row has a value. Its nulls may come before its values.
Result<bool> lacks_values(TreeContext& context, NodeId dataset, const ColumnInfo& column);
// The failure of a write that came second: which commit was first, when, by whom.
Status lost_race(const Table& table, const std::string& file_name);

// A committed source becomes the column. Also used when scratch is renamed to a column's name.
class ColumnTarget : public DraftTarget {
 public:
  // `file_name` is in a form that can be written (.npy, .arrow).
  static Result<std::unique_ptr<ColumnTarget>> create(TreeContext& context, NodeId dataset,
                                                      const std::string& file_name, const Caller& caller);
  Result<std::optional<VersionInfo>> commit(ByteSource& source, bool final) override;
  bool is_drained() const override { return true; }
  void restart() override { stream_.reset(); }
  bool may_stream() const override;
  std::shared_ptr<SpoolStream> stream(ByteSpan head) override;
  // Of the newest commit, or of what it was begun on.
  const ColumnBase& base() const { return base_; }
  const std::string& column() const { return column_; }

 private:
  ColumnTarget(TreeContext& context, NodeId dataset, const ColumnFormat& format, std::string file_name,
               std::string column, ColumnBase base, CommitInfo info, uint32_t process);
  Status check_first(const ColumnBase& now, const Table& table) const;
  bool nulls_come_from_elsewhere() const;
  Result<std::optional<VersionInfo>> write_streamed(bool replace) const;
  Result<std::optional<VersionInfo>> write(ByteSource& source, const Table& table, bool replace) const;
  Result<std::optional<VersionInfo>> write_with_nulls(ByteSource& source, const Table& table) const;
  Result<std::optional<VersionInfo>> write_with_waiting(ByteSource& source, const Table& table, bool replace) const;
  bool has_waiting_nulls() const;
  // What this program removed under the name to make it anew.
  std::optional<DataType> dropped_type() const;

  TreeContext& context_;
  const NodeId dataset_;
  const ColumnFormat& format_;
  const std::string file_name_, column_;
  ColumnBase base_;
  const CommitInfo info_;
  const uint32_t process_;
  const bool keeps_nulls_;              // whoever writes it has just written its nulls
  std::weak_ptr<ColumnStream> stream_;  // the draft's, while it keeps it
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
  void flushed() override;
  void closed(const Status& failure) override;

 private:
  Result<NodeRef> column_now();
  void keep_touched_time();
  void keep_validity_time();
  void note_lost_mode();
  Result<std::unique_ptr<OpenFile>> open_below(const Caller& caller);
  Result<std::unique_ptr<OpenFile>> open_in_place(uint32_t flags, const Caller& caller);
  const NodeId dataset_;
  const std::string file_name_;
  const NodeRef over_;  // a ColumnFile
  Status refused_;
  bool read_below_ = false;
  bool in_place_ = false;                 // the last writer opened it without O_TRUNC
  std::optional<int64_t> kept_mtime_ns_;  // of set_mtime_ns_: kept already, at a flush
  std::optional<uint32_t> set_mode_;      // through the handle, until it is closed
};

}  // namespace stela::fsd

// Files whose bytes are computed from a version: a column in some form, a table's dot files.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "fsd/tree/dataset_place.h"
#include "fsd/tree/node.h"
#include "fsd/tree/view_memory.h"

namespace stela::fsd {

// One column of one version in one form. At the head a node stands for a name, inside versions for content:
// all versions that share it share the node.
class ColumnFile : public Node {
 public:
  // `version` is where the content was found; `place` says head or past and which directory shows it.
  ColumnFile(TreeContext& context, DatasetPlace place, VersionNumber version, FoundView view, std::string file_name);
  static std::string key_for(const DatasetPlace& place, const FoundView& view, std::string_view file_name);

  FileType type() const override { return FileType::kRegular; }
  std::string path() const override;
  NodeId owner() const override { return place_.dataset; }
  // Nulls at the head are hidden from some (dataset_directory.cc): the kernel asks each time.
  Lifetime lifetime() const override;
  std::string error_place() const override;
  Result<Shown> attributes(bool may_compute) override;
  Status set_attributes(const SetAttributes& set, const Caller& caller) override;
  Result<std::unique_ptr<OpenFile>> open(uint32_t flags, const Caller& caller) override;
  void repeat_expected(const Caller& caller) override;
  Result<std::string> xattr(std::string_view field) override;
  std::vector<std::string> xattr_fields() override { return {"rows", "served", "type", "version"}; }

  const ColumnInfo& column() const { return view_.column; }
  const ViewForm& form() const { return *view_.form; }
  // Where the content was found.
  VersionNumber version() const { return version_; }

 private:
  Result<Snapshot> snapshot() const;
  Result<std::shared_ptr<View>> view_with(const ViewFacts& facts) const;
  Result<VersionInfo> changed_by() const;
  Status refuse_writing(uint32_t flags) const;
  Result<int64_t> shown_mtime(int64_t changed_ns);
  Result<std::unique_ptr<OpenFile>> open_for_reading();
  Result<Serving> settle_serving(std::optional<FlatColumn>& flat, uint64_t view_bytes);

  const DatasetPlace place_;
  const VersionNumber version_;
  const FoundView view_;
  const std::string file_name_;
  const std::string identity_;
  std::mutex mutex_;
  std::optional<Serving> serving_;  // one way for the node's life
};

// The column that the dataset's head shows as that file; null when there is none.
Result<NodeRef> head_column(TreeContext& context, const DatasetPlace& place, std::string_view name);

// ".schema.json", ".table.csv", ...: of one version.
class TableFile : public Node {
 public:
  TableFile(TreeContext& context, DatasetPlace place, VersionNumber version, const TableForm& form);
  FileType type() const override { return FileType::kRegular; }
  std::string path() const override;
  NodeId owner() const override { return place_.dataset; }
  Lifetime lifetime() const override { return place_.head() ? Lifetime::kNone : Lifetime::kForever; }
  std::string error_place() const override;
  Result<Shown> attributes(bool may_compute) override;
  // Ok where nothing would change (install and cp -p of .schema.json set the mode it has).
  Status set_attributes(const SetAttributes& set, const Caller& caller) override;
  Result<std::unique_ptr<OpenFile>> open(uint32_t flags, const Caller& caller) override;
  Result<std::string> xattr(std::string_view field) override;
  std::vector<std::string> xattr_fields() override { return {"rows", "served", "version"}; }

 private:
  Result<Snapshot> snapshot() const;
  Result<std::shared_ptr<View>> view_with(const ViewFacts& facts) const;
  const DatasetPlace place_;
  const VersionNumber version_;
  const TableForm& form_;
  const std::string identity_;
};

}  // namespace stela::fsd

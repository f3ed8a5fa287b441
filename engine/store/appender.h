// Appender and ColumnWriter: rows and columns on their way into a dataset.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/store/dataset_commit.h"
#include "engine/store/store_impl.h"

namespace stela::store {

// A fragment being written outside all locks; named by no record until its commit. Its files are settled
// when it is committed, and removed at the next recovery when they never are.
class PreparedFragment {
 public:
  PreparedFragment(Core& core, std::vector<format::ColumnSpec> columns, bool may_be_flat = true);
  Status append(std::span<const ColumnView> columns);
  // Durable when it returns ok.
  Status finish();
  const format::SectionInfo& section() const { return section_; }
  // The entries of the files, and of the fragment for each group.
  void add_entries(Builder& builder, NodeId dataset, const std::vector<GroupId>& groups, uint64_t first_row) const;
  void add_file_entries(Builder& builder) const;
  // Of some of its rows only: `rows` from `skip` on become those from `first_row` on.
  void add_fragment(Builder& builder, NodeId dataset, GroupId group, uint64_t first_row, uint64_t rows,
                    uint64_t skip) const;
  FileId file_id() const { return writer_.file_id(); }
  void settle() const;
  // Its commit was refused and names nothing of it: the files go.
  void remove() const;
  uint64_t bytes() const;
  // The flat file of a column streamed by itself; null when there is none.
  FileWriter* flat_file() const { return writer_.flat_file(); }

 private:
  Core& core_;
  format::FragmentWriter writer_;
  std::vector<format::ColumnSpec> columns_;
  bool begun_ = false;
  format::SectionInfo section_;
};

// Bytes `column` takes in a log record, about.
uint64_t inline_bytes(const ColumnView& column);
// kLimit when a text or binary value is larger than the store allows, kInvalid when there are nulls where
// none may be.
Status check_values(const StoreOptions& options, const std::string& name, bool nullable, const ColumnView& column);

std::unique_ptr<Appender> make_appender(StoreImpl& store, NodeId dataset, std::vector<Field> schema);
Result<std::unique_ptr<ColumnWriter>> make_column_writer(StoreImpl& store, NodeId dataset, Field field, bool replace,
                                                         std::optional<VersionNumber> base);

}  // namespace stela::store

// Where ingest puts what it read: the narrow part of a dataset that formats need, so that they are tested
// without a store.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/store/store.h"

namespace stela::fsd {

// Rows at the end of a dataset. One thread at a time.
class RowSink {
 public:
  virtual ~RowSink() = default;
  // The dataset's columns, in the order of their creation; empty while it has none.
  virtual Result<std::vector<Field>> fields() = 0;
  // Starts afresh: rows appended and not committed are dropped. `schema` is for a dataset without columns.
  virtual Status begin(const std::vector<Field>& schema) = 0;
  virtual Status append(const Batch& batch) = 0;
  virtual Result<VersionInfo> commit(const CommitInfo& info) = 0;
  // Drops rows not committed, and what they hold.
  virtual void abandon() = 0;
};

// A whole column of a dataset. One thread at a time.
class ColumnSink {
 public:
  virtual ~ColumnSink() = default;
  // How many rows a column must have; nullopt while the dataset has none.
  virtual Result<std::optional<uint64_t>> rows_wanted() = 0;
  // The type that a column of this name has, or is to have as far as the file leaves it open.
  virtual Result<std::optional<DataType>> type_of(const std::string& name) = 0;
  virtual Status begin(const Field& field, bool replace) = 0;
  virtual Status append(const ColumnView& values) = 0;
  virtual Result<VersionInfo> commit(const CommitInfo& info) = 0;
};

std::unique_ptr<RowSink> table_row_sink(Table table);
// `base`: the version the column was begun on (Table::column_writer). `type`: type_of() a column that is not there.
std::unique_ptr<ColumnSink> table_column_sink(Table table, std::optional<VersionNumber> base = {},
                                              std::optional<DataType> type = {});

}  // namespace stela::fsd

// ColumnForm: a ViewForm that needs no more than a ColumnSource. Every form of a column is one.
#pragma once

#include "fsd/views/column_source.h"
#include "fsd/views/view.h"

namespace stela::fsd {

class ColumnForm : public ViewForm {
 public:
  Result<std::unique_ptr<View>> open(const Snapshot& snapshot, const ColumnInfo& column,
                                     std::optional<uint64_t> remembered_size) const final {
    STELA_TRY(supports(column.type));
    return open_source(snapshot_column(snapshot, column), remembered_size);
  }
  // The type is one that supports() accepts.
  virtual Result<std::unique_ptr<View>> open_source(std::shared_ptr<const ColumnSource> column,
                                                    std::optional<uint64_t> remembered_size) const = 0;
};

class TableSourceForm : public TableForm {
 public:
  Result<std::unique_ptr<View>> open(const Snapshot& snapshot, std::optional<uint64_t> remembered_size) const final {
    return open_source(snapshot_table(snapshot), remembered_size);
  }
  virtual Result<std::unique_ptr<View>> open_source(std::shared_ptr<const TableSource> table,
                                                    std::optional<uint64_t> remembered_size) const = 0;
};

// The forms there are; view_registry.cc lists them.
const ColumnForm& npy_form();
const ColumnForm& valid_npy_form();
const ColumnForm& arrow_form();
const ColumnForm& csv_form();
const ColumnForm& txt_form();
const TableSourceForm& table_csv_form();
const TableSourceForm& table_jsonl_form();
const TableSourceForm& table_arrow_form();
const TableSourceForm& schema_json_form();
const TableSourceForm& stats_json_form();
const TableSourceForm& commit_json_form();

}  // namespace stela::fsd

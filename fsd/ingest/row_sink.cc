#include "fsd/ingest/row_sink.h"

namespace stela::fsd {
namespace {

// Columns of the newest version; none before the first version.
Result<std::vector<ColumnInfo>> head_columns(const Table& table, uint64_t* rows) {
  *rows = 0;
  Result<Snapshot> head = table.head();
  if (!head.ok()) {
    if (head.status().code() == Code::kNotFound) return std::vector<ColumnInfo>{};
    return head.status();
  }
  *rows = head->rows();
  return head->columns();
}

class TableRowSink final : public RowSink {
 public:
  explicit TableRowSink(Table table) : table_(table) {}

  Result<std::vector<Field>> fields() override {
    uint64_t rows = 0;
    STELA_ASSIGN(std::vector<ColumnInfo> columns, head_columns(table_, &rows));
    std::vector<Field> fields;
    fields.reserve(columns.size());
    for (ColumnInfo& column : columns) {
      fields.push_back({std::move(column.name), std::move(column.type), column.nullable});
    }
    return fields;
  }

  Status begin(const std::vector<Field>& schema) override {
    appender_.reset();
    STELA_ASSIGN(appender_, table_.appender(schema));
    return {};
  }

  Status append(const Batch& batch) override { return appender_->append(batch); }
  Result<VersionInfo> commit(const CommitInfo& info) override {
    Result<VersionInfo> version = appender_->commit(info);
    appender_.reset();
    return version;
  }
  void abandon() override { appender_.reset(); }

 private:
  Table table_;
  std::unique_ptr<Appender> appender_;
};

class TableColumnSink final : public ColumnSink {
 public:
  TableColumnSink(Table table, std::optional<VersionNumber> base, std::optional<DataType> type)
      : table_(table), base_(base), type_(std::move(type)) {}

  Result<std::optional<uint64_t>> rows_wanted() override {
    uint64_t rows = 0;
    STELA_ASSIGN(std::vector<ColumnInfo> columns, head_columns(table_, &rows));
    if (columns.empty() || rows == 0) return std::optional<uint64_t>();
    return std::optional<uint64_t>(rows);
  }

  Result<std::optional<DataType>> type_of(const std::string& name) override {
    Result<Snapshot> head = table_.head();
    if (!head.ok()) {
      if (head.status().code() == Code::kNotFound) return type_;
      return head.status();
    }
    Result<ColumnInfo> column = head->column(name);
    if (column.ok()) return std::optional<DataType>(column->type);
    if (column.status().code() == Code::kNotFound) return type_;
    return column.status();
  }

  Status begin(const Field& field, bool replace) override {
    STELA_ASSIGN(writer_, table_.column_writer(field, replace, base_));
    return {};
  }
  Status append(const ColumnView& values) override { return writer_->append(values); }
  Result<VersionInfo> commit(const CommitInfo& info) override {
    Result<VersionInfo> version = writer_->commit(info);
    writer_.reset();
    return version;
  }

 private:
  Table table_;
  const std::optional<VersionNumber> base_;
  const std::optional<DataType> type_;
  std::unique_ptr<ColumnWriter> writer_;
};

}  // namespace

std::unique_ptr<RowSink> table_row_sink(Table table) { return std::make_unique<TableRowSink>(table); }
std::unique_ptr<ColumnSink> table_column_sink(Table table, std::optional<VersionNumber> base,
                                              std::optional<DataType> type) {
  return std::make_unique<TableColumnSink>(table, base, std::move(type));
}

}  // namespace stela::fsd

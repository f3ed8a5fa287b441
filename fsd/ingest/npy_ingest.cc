#include "fsd/ingest/npy_ingest.h"

#include "fsd/ingest/npy_values.h"
#include "fsd/ingest/utf8_text.h"
#include "fsd/views/view.h"

namespace stela::fsd {
namespace {

class NpyIngest final : public RowIngest {
 public:
  NpyIngest(ByteSource& source, std::string file_name, std::string column_name, std::unique_ptr<RowSink> sink,
            const IngestOptions& options)
      : source_(source),
        file_name_(std::move(file_name)),
        column_name_(std::move(column_name)),
        sink_(std::move(sink)),
        options_(options) {}

  Result<std::optional<VersionInfo>> commit(bool final, const CommitInfo& info) override {
    (void) final;  // an array is whole or it is not
    uint64_t end = source_.size();
    if (consumed_ >= end) return std::optional<VersionInfo>();
    if (consumed_ > 0) {
      return invalid(file_name_ + ": its array was appended already; write further rows to another name");
    }
    Result<std::optional<VersionInfo>> version = take(info);
    if (!version.ok()) {
      sink_->abandon();
      return version.status().with_context(file_name_);
    }
    consumed_ = end;
    return version;
  }
  uint64_t rows_committed() const override { return rows_committed_; }
  bool is_drained() const override { return consumed_ >= source_.size(); }

 private:
  Result<std::optional<VersionInfo>> take(const CommitInfo& info) {
    STELA_ASSIGN(NpyHeader header, read_npy_header(source_, 0));
    STELA_ASSIGN(std::vector<Field> fields, sink_->fields());
    STELA_ASSIGN(Field field, field_for(header, fields));
    if (header.rows == 0) return std::optional<VersionInfo>();
    header.type = field.type;
    STELA_TRY(sink_->begin(fields.empty() ? std::vector<Field>{field} : std::vector<Field>{}));
    Batch batch;
    batch.add(field.name, ColumnData(field.type));
    uint64_t rows = 0;
    STELA_TRY(for_each_npy_block(source_, header, [&](const ColumnView& view) -> Status {
      batch.columns[0].clear();
      batch.columns[0].append(view);
      rows += view.rows;
      if (options_.progress && !options_.progress(header.data_offset + rows * header.row_bytes, rows)) {
        return Status(Code::kDeadline, "stopped before its end; nothing of it was committed");
      }
      return sink_->append(batch);
    }));
    STELA_ASSIGN(VersionInfo version, sink_->commit(info));
    rows_committed_ += rows;
    return std::optional<VersionInfo>(std::move(version));
  }

  Result<Field> field_for(const NpyHeader& header, const std::vector<Field>& fields) const {
    if (fields.empty()) return Field{column_name_, header.type, true};
    if (fields.size() > 1) {
      return invalid("a .npy file has the rows of one column and the dataset has " + std::to_string(fields.size()) +
                     "; append a .csv with all of them");
    }
    Field field = fields[0];
    if (npy_type_for_column(header.type, field.type) == field.type) return field;
    return invalid("its values are " + header.type.name() + " and column " + quoted_for_message(field.name) + " is " +
                   field.type.name() + "; convert the array first (.astype)");
  }

  ByteSource& source_;
  std::string file_name_;
  std::string column_name_;
  std::unique_ptr<RowSink> sink_;
  IngestOptions options_;
  uint64_t consumed_ = 0;
  uint64_t rows_committed_ = 0;
};

Result<std::optional<VersionInfo>> take_column(ByteSource& source, ColumnSink& sink, const std::string& name,
                                               bool replace, const CommitInfo& info) {
  if (source.size() == 0) return std::optional<VersionInfo>();
  STELA_ASSIGN(NpyHeader header, read_npy_header(source, 0));
  STELA_ASSIGN(std::optional<uint64_t> wanted, sink.rows_wanted());
  if (wanted && *wanted != header.rows) {
    return invalid("the array has " + std::to_string(header.rows) + " rows and the dataset has " +
                   std::to_string(*wanted));
  }
  STELA_ASSIGN(std::optional<DataType> known, sink.type_of(name));
  if (known) header.type = npy_type_for_column(header.type, *known);
  STELA_TRY(sink.begin(Field{name, header.type, true}, replace));
  STELA_TRY(for_each_npy_block(source, header, [&](const ColumnView& view) { return sink.append(view); }));
  STELA_ASSIGN(VersionInfo version, sink.commit(info));
  return std::optional<VersionInfo>(std::move(version));
}

class NpyRowFormat final : public RowFormat {
 public:
  const char* extension() const override { return ".npy"; }
  Result<std::unique_ptr<RowIngest>> start(ByteSource& source, std::string file_name, Table table,
                                           const IngestOptions& options) const override {
    if (options.skip_errors) return skip_is_for_text(file_name);
    std::string_view stem = file_name;
    stem = stem.substr(stem.rfind('/') + 1);
    if (stem.ends_with(".npy")) stem.remove_suffix(4);
    std::string column_name = decode_column_file_stem(stem);
    if (column_name.empty()) return invalid(file_name + ": its name before .npy must name the column");
    return start_npy_ingest(source, std::move(file_name), std::move(column_name), table_row_sink(table), options);
  }
};

class NpyColumnFormat final : public ColumnFormat {
 public:
  const char* extension() const override { return ".npy"; }
  Result<std::optional<VersionInfo>> commit(ByteSource& source, const std::string& file_name, ColumnSink& sink,
                                            const std::string& name, bool replace,
                                            const CommitInfo& info) const override {
    return commit_npy_column(source, file_name, sink, name, replace, info);
  }
};

}  // namespace

Result<std::optional<VersionInfo>> commit_npy_column(ByteSource& source, const std::string& file_name, ColumnSink& sink,
                                                     const std::string& name, bool replace, const CommitInfo& info) {
  Result<std::optional<VersionInfo>> version = take_column(source, sink, name, replace, info);
  if (!version.ok()) return version.status().with_context(file_name);
  return version;
}

std::unique_ptr<RowIngest> start_npy_ingest(ByteSource& source, std::string file_name, std::string column_name,
                                            std::unique_ptr<RowSink> sink, const IngestOptions& options) {
  return std::make_unique<NpyIngest>(source, std::move(file_name), std::move(column_name), std::move(sink), options);
}

const RowFormat& npy_row_format() {
  static const NpyRowFormat format;
  return format;
}
const ColumnFormat& npy_column_format() {
  static const NpyColumnFormat format;
  return format;
}

}  // namespace stela::fsd

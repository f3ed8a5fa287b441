#include "fsd/ingest/arrow_rows.h"

#include <algorithm>

#include "fsd/arrow/arrow_ipc_generated.h"
#include "fsd/ingest/arrow_batch.h"
#include "fsd/ingest/arrow_dictionaries.h"
#include "fsd/ingest/batch_relay.h"
#include "fsd/ingest/column_cast.h"
#include "fsd/ingest/csv_header.h"
#include "fsd/ingest/utf8_text.h"

namespace stela::fsd {
namespace {

constexpr uint64_t kChunkBytes = 16 << 20;  // of rows handed to the sink at a time, about
constexpr uint64_t kChunkRowsMax = 64 << 10;

// A column of one record batch on its way into the dataset.
struct ColumnStream {
  ArrowBatch batch;
  ColumnData rows;    // read and not handed on
  uint64_t used = 0;  // of rows
  size_t target = 0;  // of the targets
};

class ArrowRows final : public RowIngest {
 public:
  ArrowRows(ByteSource& source, std::string file_name, std::unique_ptr<RowSink> sink, const IngestOptions& options)
      : source_(source), file_name_(std::move(file_name)), sink_(std::move(sink)), options_(options), relay_(*sink_) {}

  Result<std::optional<VersionInfo>> commit(bool final, const CommitInfo& info) override {
    uint64_t end = source_.size();
    if (consumed_ >= end) return std::optional<VersionInfo>();
    if (!failure_.ok()) return failure_;
    Result<std::optional<VersionInfo>> version = take(final, info);
    if (version.ok()) return version;
    (void)relay_.wait();
    sink_->abandon();
    Status status = version.status().with_context(file_name_);
    // Messages of a stream that were read are not read again.
    if (rows_committed_ > 0) failure_ = status;
    return status;
  }
  uint64_t rows_committed() const override { return rows_committed_; }
  bool is_drained() const override { return consumed_ >= source_.size(); }

 private:
  Result<std::optional<VersionInfo>> take(bool final, const CommitInfo& info);
  Status open(bool* cut_off);
  // The batches that are there; what a stream has of a further one stays for the next commit unless it is the last.
  Status take_batches(bool final);
  Status read_names(std::vector<std::string>* names) const;
  Status match(const std::vector<Field>& known);
  Status take_batch(const ArrowMessage& message, const ArrowDictionaries& dictionaries);
  Result<std::vector<ColumnStream>> bind(const ArrowBody& body, const ArrowDictionaries& dictionaries) const;
  Status hand_on(std::vector<ColumnStream>& streams, uint64_t rows, uint64_t first_row);
  Status in_column(size_t column, const Status& status) const {
    return status.with_context("column " + quoted_for_message(fields_[column].name));
  }

  ByteSource& source_;
  std::string file_name_;
  std::unique_ptr<RowSink> sink_;
  IngestOptions options_;
  std::unique_ptr<ArrowMessages> messages_;
  std::vector<ArrowField> fields_;
  std::optional<ArrowDictionaries> dictionaries_;
  std::vector<CsvTarget> targets_;
  uint64_t rows_ = 0;  // appended and not committed
  uint64_t rows_committed_ = 0;
  uint64_t consumed_ = 0;
  Status failure_;
  BatchRelay relay_;  // behind the sink
};

Status ArrowRows::open(bool* cut_off) {
  STELA_ASSIGN(messages_, ArrowMessages::open(source_, cut_off));
  STELA_ASSIGN(fields_, read_arrow_fields(messages_->schema()));
  dictionaries_.emplace(fields_, options_.memory_bytes);
  return {};
}

Result<std::optional<VersionInfo>> ArrowRows::take(bool final, const CommitInfo& info) {
  if (rows_committed_ == 0) {
    bool cut_off = false;
    Status opened = open(&cut_off);
    if (!opened.ok() && cut_off && !final) return std::optional<VersionInfo>();
    STELA_TRY(opened);
  } else if (!messages_->continues_at()) {
    return invalid("its rows were appended already; write further rows to another name");
  }
  STELA_ASSIGN(std::vector<Field> known, sink_->fields());
  STELA_TRY(match(known));
  std::vector<Field> schema;
  Batch empty;
  for (const CsvTarget& target : targets_) {
    empty.add(target.field.name, ColumnData(target.field.type));
    if (known.empty()) schema.push_back(target.field);
  }
  relay_.reset(empty);
  STELA_TRY(sink_->begin(schema));
  rows_ = 0;
  STELA_TRY(take_batches(final));
  STELA_TRY(relay_.wait());
  // A file without rows still states the types of an empty dataset.
  if (rows_ == 0 && (!known.empty() || !final)) {
    sink_->abandon();
    if (final || rows_committed_ > 0) consumed_ = messages_->continues_at().value_or(source_.size());
    return std::optional<VersionInfo>();
  }
  STELA_ASSIGN(VersionInfo version, sink_->commit(info));
  rows_committed_ += rows_;
  consumed_ = messages_->continues_at().value_or(source_.size());
  return std::optional<VersionInfo>(std::move(version));
}

Status ArrowRows::take_batches(bool final) {
  while (true) {
    auto message = messages_->next();
    if (!message.ok() && messages_->cut_off() && !final) return {};
    if (!message.ok()) return message.status();
    if (!*message) return {};
    STELA_TRY((*message)->is_dictionary ? dictionaries_->take(source_, **message)
                                        : take_batch(**message, *dictionaries_));
  }
}

Status ArrowRows::read_names(std::vector<std::string>* names) const {
  if (fields_.empty()) return invalid("the Arrow file has no columns");
  std::vector<std::string_view> sorted;
  for (const ArrowField& field : fields_) {
    if (field.name.empty()) return invalid("the Arrow file has a column without a name");
    if (field.name.size() > kColumnNameBytesMax) {
      return {Code::kLimit, "the Arrow file has a column's name of " + std::to_string(field.name.size()) + " bytes"};
    }
    names->push_back(field.name);
    sorted.push_back(field.name);
  }
  std::sort(sorted.begin(), sorted.end());
  auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice == sorted.end()) return {};
  return invalid("the Arrow file names " + quoted_for_message(*twice) + " twice");
}

Status ArrowRows::match(const std::vector<Field>& known) {
  std::vector<std::string> names;
  STELA_TRY(read_names(&names));
  targets_.clear();
  if (known.empty()) {
    for (size_t i = 0; i < fields_.size(); ++i) targets_.push_back({i, Field{fields_[i].name, fields_[i].type, true}});
    return {};
  }
  STELA_ASSIGN(targets_, match_columns(names, known, options_));
  for (const CsvTarget& target : targets_) {
    const DataType& type = fields_[target.file_column].type;
    if (can_cast(type, target.field.type)) continue;
    return in_column(target.file_column, invalid("its values are " + type.name() + " and the dataset's are " +
                                                 target.field.type.name() + "; cast it first"));
  }
  return {};
}

Result<std::vector<ColumnStream>> ArrowRows::bind(const ArrowBody& body, const ArrowDictionaries& dictionaries) const {
  std::vector<size_t> target_of(fields_.size(), SIZE_MAX);
  uint64_t row_bytes = 0;
  for (size_t i = 0; i < targets_.size(); ++i) {
    target_of[targets_[i].file_column] = i;
    row_bytes += targets_[i].field.type.value_width() + 16;
  }
  uint64_t rows = std::clamp<uint64_t>(kChunkBytes / row_bytes, 1, kChunkRowsMax);
  uint64_t bytes = std::max<uint64_t>(kChunkBytes / targets_.size(), 4096);
  std::vector<ColumnStream> streams;
  ArrowBody::Cursor cursor;
  for (size_t i = 0; i < fields_.size(); ++i) {
    STELA_ASSIGN(const ColumnData* dictionary, dictionaries.find(fields_[i], body.rows()));
    Result<ArrowBatch> batch = ArrowBatch::bind(body, fields_[i], dictionary, &cursor);
    if (!batch.ok()) return in_column(i, batch.status());
    if (target_of[i] == SIZE_MAX) continue;
    batch->set_limits(rows, bytes);
    streams.push_back({std::move(batch).value(), ColumnData(fields_[i].type), 0, target_of[i]});
  }
  STELA_TRY(body.check_used(cursor));
  return streams;
}

Status ArrowRows::take_batch(const ArrowMessage& message, const ArrowDictionaries& dictionaries) {
  STELA_ASSIGN(ArrowBody body,
               ArrowBody::open(source_, message, std::min(options_.memory_bytes / 2, kArrowBodyBytesMax)));
  STELA_ASSIGN(std::vector<ColumnStream> streams, bind(body, dictionaries));
  uint64_t first_row = 0;
  while (true) {
    uint64_t rows = UINT64_MAX, memory = 0;
    for (ColumnStream& stream : streams) {
      if (stream.used == stream.rows.rows()) {
        Status status = stream.batch.next(stream.rows);
        if (!status.ok()) return in_column(targets_[stream.target].file_column, status);
        stream.used = 0;
      }
      rows = std::min(rows, stream.rows.rows() - stream.used);
      memory += stream.rows.memory_bytes();
      if (memory > options_.memory_bytes / 2) {
        return {Code::kLimit, "row " + std::to_string(first_row) + " of a record batch has more than " +
                                  std::to_string(options_.memory_bytes / 2) + " bytes"};
      }
    }
    if (first_row == body.rows()) return {};
    STELA_TRY(hand_on(streams, rows, first_row));
    first_row += rows;
    rows_ += rows;
    if (options_.progress && !options_.progress(message.body_offset, rows_)) {
      return {Code::kDeadline, "stopped before its end; nothing of it was committed"};
    }
  }
}

Status ArrowRows::hand_on(std::vector<ColumnStream>& streams, uint64_t rows, uint64_t first_row) {
  for (ColumnStream& stream : streams) {
    ColumnData& to = relay_.filling().columns[stream.target];
    bool whole = stream.used == 0 && rows == stream.rows.rows() && stream.rows.type() == to.type();
    if (whole) {
      std::swap(to, stream.rows);
      stream.used = 0;
      continue;
    }
    Status status = append_cast(stream.rows.view().slice(stream.used, rows), first_row, to);
    if (!status.ok()) return in_column(targets_[stream.target].file_column, status);
    stream.used += rows;
  }
  return relay_.hand_on();
}

class ArrowRowFormat final : public RowFormat {
 public:
  explicit ArrowRowFormat(const char* extension) : extension_(extension) {}
  const char* extension() const override { return extension_; }
  Result<std::unique_ptr<RowIngest>> start(ByteSource& source, std::string file_name, Table table,
                                           const IngestOptions& options) const override {
    if (options.skip_errors) return skip_is_for_text(file_name);
    return start_arrow_ingest(source, std::move(file_name), table_row_sink(table), options);
  }

 private:
  const char* extension_;
};

}  // namespace

std::unique_ptr<RowIngest> start_arrow_ingest(ByteSource& source, std::string file_name, std::unique_ptr<RowSink> sink,
                                              const IngestOptions& options) {
  return std::make_unique<ArrowRows>(source, std::move(file_name), std::move(sink), options);
}

const RowFormat& arrow_row_format() {
  static const ArrowRowFormat format(".arrow");
  return format;
}
const RowFormat& feather_row_format() {
  static const ArrowRowFormat format(".feather");
  return format;
}

}  // namespace stela::fsd

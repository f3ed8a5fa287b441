#include "fsd/ingest/arrow_column.h"

#include "fsd/arrow/arrow_ipc_generated.h"
#include "fsd/ingest/arrow_batch.h"
#include "fsd/ingest/arrow_field.h"
#include "fsd/ingest/arrow_messages.h"

namespace stela::fsd {
namespace {

class ArrowColumn {
 public:
  ArrowColumn(ByteSource& source, ColumnSink& sink, uint64_t dictionary_bytes_max)
      : source_(source), sink_(sink), dictionary_bytes_max_(dictionary_bytes_max) {}

  Result<std::optional<VersionInfo>> commit(const std::string& name, bool replace, const CommitInfo& info) {
    if (source_.size() == 0) return std::optional<VersionInfo>();
    STELA_ASSIGN(std::unique_ptr<ArrowMessages> messages, ArrowMessages::open(source_));
    STELA_ASSIGN(field_, read_arrow_field(messages->schema()));
    STELA_ASSIGN(std::optional<uint64_t> wanted, sink_.rows_wanted());
    dictionary_ = ColumnData(field_.type);
    rows_ = ColumnData(field_.type);
    STELA_TRY(sink_.begin(Field{name, field_.type, true}, replace));
    uint64_t rows = 0;
    while (true) {
      STELA_ASSIGN(std::optional<ArrowMessage> message, messages->next());
      if (!message) break;
      if (message->is_dictionary) {
        STELA_TRY(take_dictionary(*message));
      } else {
        STELA_TRY(take_batch(*message, &rows));
      }
    }
    if (wanted && *wanted != rows) {
      return invalid("the column has " + std::to_string(rows) + " rows and the dataset has " + std::to_string(*wanted));
    }
    STELA_ASSIGN(VersionInfo version, sink_.commit(info));
    return std::optional<VersionInfo>(std::move(version));
  }

 private:
  Status take_dictionary(const ArrowMessage& message) {
    if (!field_.dictionary || field_.dictionary->id != message.dictionary_id) {
      return invalid("the Arrow file has a dictionary that its column does not use");
    }
    STELA_ASSIGN(ArrowBatch batch, ArrowBatch::bind(source_, field_, message, nullptr));
    if (!message.is_delta) dictionary_.clear();
    has_dictionary_ = true;
    while (true) {
      STELA_TRY(batch.next(rows_));
      if (rows_.rows() == 0) return {};
      dictionary_.append(rows_.view());
      if (dictionary_.memory_bytes() > dictionary_bytes_max_) {
        return Status(Code::kLimit, "the dictionary of the Arrow file is over the limit of " +
                                        std::to_string(dictionary_bytes_max_) +
                                        " bytes; write the column without a dictionary");
      }
    }
  }

  Status take_batch(const ArrowMessage& message, uint64_t* rows) {
    const ColumnData* dictionary = field_.dictionary ? &dictionary_ : nullptr;
    STELA_ASSIGN(ArrowBatch batch, ArrowBatch::bind(source_, field_, message, dictionary));
    if (dictionary != nullptr && !has_dictionary_ && batch.rows() > 0) {
      return invalid("the Arrow file has rows before their dictionary");
    }
    while (true) {
      STELA_TRY(batch.next(rows_));
      if (rows_.rows() == 0) return {};
      *rows += rows_.rows();
      STELA_TRY(sink_.append(rows_.view()));
    }
  }

  ByteSource& source_;
  ColumnSink& sink_;
  uint64_t dictionary_bytes_max_;
  ArrowField field_;
  ColumnData dictionary_;
  ColumnData rows_;
  bool has_dictionary_ = false;
};

class ArrowColumnFormat final : public ColumnFormat {
 public:
  const char* extension() const override { return ".arrow"; }
  Result<std::optional<VersionInfo>> commit(ByteSource& source, const std::string& file_name, Table table,
                                            const std::string& name, bool replace,
                                            const CommitInfo& info) const override {
    return commit_arrow_column(source, file_name, *table_column_sink(table), name, replace, info);
  }
};

}  // namespace

Result<std::optional<VersionInfo>> commit_arrow_column(ByteSource& source, const std::string& file_name,
                                                       ColumnSink& sink, const std::string& name, bool replace,
                                                       const CommitInfo& info, uint64_t dictionary_bytes_max) {
  Result<std::optional<VersionInfo>> version =
      ArrowColumn(source, sink, dictionary_bytes_max).commit(name, replace, info);
  if (!version.ok()) return version.status().with_context(file_name);
  return version;
}

const ColumnFormat& arrow_column_format() {
  static const ArrowColumnFormat format;
  return format;
}

}  // namespace stela::fsd

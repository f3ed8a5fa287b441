#include "fsd/ingest/arrow_column.h"

#include "fsd/arrow/arrow_ipc_generated.h"
#include "fsd/ingest/arrow_batch.h"
#include "fsd/ingest/arrow_dictionaries.h"
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
    STELA_ASSIGN(ArrowField field, read_arrow_field(messages->schema()));
    fields_.push_back(std::move(field));
    STELA_ASSIGN(std::optional<uint64_t> wanted, sink_.rows_wanted());
    ArrowDictionaries dictionaries(fields_, dictionary_bytes_max_);
    rows_ = ColumnData(fields_[0].type);
    STELA_TRY(sink_.begin(Field{name, fields_[0].type, true}, replace));
    uint64_t rows = 0;
    while (true) {
      STELA_ASSIGN(std::optional<ArrowMessage> message, messages->next());
      if (!message) break;
      STELA_TRY(message->is_dictionary ? dictionaries.take(source_, *message)
                                       : take_batch(*message, dictionaries, &rows));
    }
    if (wanted && *wanted != rows) {
      return invalid("the column has " + std::to_string(rows) + " rows and the dataset has " + std::to_string(*wanted));
    }
    STELA_ASSIGN(VersionInfo version, sink_.commit(info));
    return std::optional<VersionInfo>(std::move(version));
  }

 private:
  Status take_batch(const ArrowMessage& message, const ArrowDictionaries& dictionaries, uint64_t* rows) {
    STELA_ASSIGN(ArrowBody body, ArrowBody::open(source_, message, kArrowBodyBytesMax));
    STELA_ASSIGN(const ColumnData* dictionary, dictionaries.find(fields_[0], body.rows()));
    ArrowBody::Cursor cursor;
    STELA_ASSIGN(ArrowBatch batch, ArrowBatch::bind(body, fields_[0], dictionary, &cursor));
    STELA_TRY(body.check_used(cursor));
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
  std::vector<ArrowField> fields_;  // one
  ColumnData rows_;
};

class ArrowColumnFormat final : public ColumnFormat {
 public:
  const char* extension() const override { return ".arrow"; }
  Result<std::optional<VersionInfo>> commit(ByteSource& source, const std::string& file_name, ColumnSink& sink,
                                            const std::string& name, bool replace,
                                            const CommitInfo& info) const override {
    return commit_arrow_column(source, file_name, sink, name, replace, info);
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

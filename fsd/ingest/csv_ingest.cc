#include "fsd/ingest/csv_ingest.h"

#include <algorithm>

#include "fsd/ingest/byte_order_mark.h"
#include "fsd/ingest/csv_header.h"
#include "fsd/ingest/csv_inference.h"
#include "fsd/ingest/csv_pass.h"
#include "fsd/ingest/row_commit.h"
#include "fsd/ingest/row_skip.h"
#include "fsd/ingest/utf8_text.h"

namespace stela::fsd {
namespace {

// What is remembered of a file between commits.
struct CsvPlace {
  bool started = false;
  std::vector<std::string> names;  // of the file's columns; empty until the header, or a first record, is there
  CsvPosition position;
};

class CsvIngest final : public RowIngest {
 public:
  CsvIngest(ByteSource& source, CsvReaderOptions reader, std::unique_ptr<RowSink> sink, const IngestOptions& options,
            const CsvTuning& tuning)
      : source_(source),
        reader_options_(std::move(reader)),
        sink_(std::move(sink)),
        options_(options),
        tuning_(tuning),
        nulls_(options.null_texts),
        rejections_(reader_options_.file_name, options.skip_errors ? options.rejected : nullptr) {
    header_options_ = reader_options_;
    reader_options_.rejections = &rejections_;
  }

  Result<std::optional<VersionInfo>> commit(bool final, const CommitInfo& info) override;
  uint64_t rows_committed() const override { return rows_committed_; }
  bool is_drained() const override { return place_.position.offset >= source_.size(); }

 private:
  CsvReader reader(const CsvPosition& from) const { return {source_, reader_options_, from, end_, final_}; }
  Result<std::optional<VersionInfo>> take(const CommitInfo& info);
  Status start(CsvPlace& place);
  Status read_names(CsvPlace& place, const std::vector<Field>& fields);
  Result<uint64_t> take_known(CsvPlace& place, const std::vector<Field>& fields);
  Result<uint64_t> take_first(CsvPlace& place);
  CsvPass guessed_pass(const CsvPlace& place, const std::vector<uint16_t>& evidence, bool judged_all);
  Result<std::optional<CsvMisfit>> run(CsvPass& pass, CsvReader& from, CsvRecords& block, size_t columns, bool skip);
  std::string record_text(const CsvRecords& block, size_t row) const;
  Status judge_rest(CsvReader& from, CsvRecords& block, std::vector<uint16_t>& evidence, uint64_t bytes_most);
  void judge(const CsvRecords& block, std::vector<uint16_t>& evidence) const;
  Status misfit_error(const CsvPass& pass, const CsvRecords& block, const CsvMisfit& misfit) const;
  Status report_progress(uint64_t offset, uint64_t rows) const;

  ByteSource& source_;
  CsvReaderOptions reader_options_, header_options_;
  std::unique_ptr<RowSink> sink_;
  IngestOptions options_;
  CsvTuning tuning_;
  NullTexts nulls_;
  Rejections rejections_;
  CsvPlace place_;
  uint64_t rows_committed_ = 0;
  uint64_t end_ = 0;  // of the source, for the commit under way
  bool final_ = false;
};

Result<std::optional<VersionInfo>> CsvIngest::commit(bool final, const CommitInfo& info) {
  end_ = source_.size();
  final_ = final;
  rejections_.clear();
  Result<std::optional<VersionInfo>> version = take(info);
  if (!version.ok()) {
    sink_->abandon();
    rejections_.failed();
  }
  return version;
}

Result<std::optional<VersionInfo>> CsvIngest::take(const CommitInfo& info) {
  CsvPlace place = place_;
  if (place.position.offset >= end_) return std::optional<VersionInfo>();
  STELA_TRY(start(place));
  if (!place.started) return std::optional<VersionInfo>();
  STELA_ASSIGN(std::vector<Field> fields, sink_->fields());
  if (place.names.empty()) STELA_TRY(read_names(place, fields));
  uint64_t rows = 0;
  if (!place.names.empty()) {
    STELA_ASSIGN(rows, fields.empty() ? take_first(place) : take_known(place, fields));
  }
  STELA_ASSIGN(std::optional<VersionInfo> version, commit_rows(*sink_, rows, rejections_, info));
  rows_committed_ += rows;
  place_ = std::move(place);
  return version;
}

// Past a byte order mark, if there is one.
Status CsvIngest::start(CsvPlace& place) {
  if (place.started) return {};
  STELA_ASSIGN(std::optional<uint64_t> begin, find_text_begin(source_, end_, final_, reader_options_.file_name));
  if (!begin) return {};
  place.position.offset = *begin;
  place.started = true;
  return {};
}

Status CsvIngest::read_names(CsvPlace& place, const std::vector<Field>& fields) {
  CsvReader from(source_, header_options_, place.position, end_, final_);
  CsvRecords first;
  STELA_TRY(from.read_header(&first));
  if (first.rows == 0) return {};
  if (options_.header) {
    Result<std::vector<std::string>> names = header_names(first);
    if (!names.ok()) return from.at_line(place.position.line, names.status());
    place.names = std::move(names).value();
    place.position = from.position();
    return {};
  }
  place.names = positional_names(first.columns);
  if (fields.empty()) return {};
  size_t common = std::min(first.columns, fields.size());
  // A column without a partner keeps a name that no column of a dataset has.
  for (size_t i = 0; i < first.columns; ++i) {
    place.names[i] = i < common ? fields[i].name : std::string("\0", 1) + std::to_string(i + 1);
  }
  if (first.columns > fields.size() && !options_.extra_ignore) {
    return from.at_line(place.position.line,
                        invalid(std::to_string(first.columns) + " fields for the " + std::to_string(fields.size()) +
                                " columns of the dataset; extra=ignore leaves the last out"));
  }
  return {};
}

Result<uint64_t> CsvIngest::take_known(CsvPlace& place, const std::vector<Field>& fields) {
  Result<std::vector<CsvTarget>> targets =
      match_columns(place.names, fields, options_, "; is its first line a header?");
  if (!targets.ok()) return targets.status().with_context(reader_options_.file_name + ":1");
  std::vector<std::unique_ptr<CellParser>> parsers;
  for (const CsvTarget& target : *targets) parsers.push_back(make_cell_parser(target.field.type, nulls_, false));
  CsvPass pass(std::move(targets).value(), std::move(parsers), {}, *sink_, tuning_.batch_bytes);
  CsvReader from = reader(place.position);
  CsvRecords block;
  STELA_ASSIGN(std::optional<CsvMisfit> misfit, run(pass, from, block, place.names.size(), rejections_.skips()));
  if (misfit) return from.at_line(from.line_of(block, misfit->row), misfit_error(pass, block, *misfit));
  place.position = from.position();
  return pass.rows();
}

CsvPass CsvIngest::guessed_pass(const CsvPlace& place, const std::vector<uint16_t>& evidence, bool judged_all) {
  std::vector<CsvTarget> targets;
  std::vector<std::unique_ptr<CellParser>> parsers;
  std::vector<Field> schema;
  for (size_t i = 0; i < evidence.size(); ++i) {
    schema.push_back({place.names[i], type_for_evidence(evidence[i]), true});
    targets.push_back({i, schema.back()});
    bool valueless = evidence[i] == 0 && !judged_all;
    parsers.push_back(valueless ? make_valueless_parser(nulls_) : make_cell_parser(schema.back().type, nulls_, true));
  }
  return {std::move(targets), std::move(parsers), std::move(schema), *sink_, tuning_.batch_bytes};
}

// Types come from a sample; when a later value does not fit, the rest of the file is judged too and the
// rows are taken again from the first, so that a file is read three times at most.
Result<uint64_t> CsvIngest::take_first(CsvPlace& place) {
  size_t columns = place.names.size();
  std::vector<uint16_t> evidence(columns, 0);
  CsvRecords block;
  CsvReader sample = reader(place.position);
  STELA_TRY(judge_rest(sample, block, evidence, tuning_.sample_bytes));
  for (bool judged_all : {false, true}) {
    rejections_.clear();
    CsvPass pass = guessed_pass(place, evidence, judged_all);
    CsvReader from = reader(place.position);
    STELA_ASSIGN(std::optional<CsvMisfit> misfit, run(pass, from, block, columns, false));
    if (!misfit) {
      place.position = from.position();
      return pass.rows();
    }
    if (judged_all) break;
    for (size_t i = 0; i < columns; ++i) evidence[i] |= pass.evidence(i);
    judge(block, evidence);
    STELA_TRY(judge_rest(from, block, evidence, UINT64_MAX));
  }
  return invalid(reader_options_.file_name + ": the file changed while it was being read; write it again");
}

// `skip`: a row with a misfit is left out.
Result<std::optional<CsvMisfit>> CsvIngest::run(CsvPass& pass, CsvReader& from, CsvRecords& block, size_t columns,
                                                bool skip) {
  while (true) {
    uint64_t before = from.position().offset;
    STELA_TRY(from.next(columns, &block));
    if (block.rows == 0) break;
    uint64_t bytes = from.position().offset - before;
    if (skip) {
      STELA_TRY(take_fitting_rows(pass, block, bytes, [&](const CsvMisfit& misfit) {
        return rejections_.add(from.line_of(block, misfit.row), misfit_error(pass, block, misfit).message(),
                               record_text(block, misfit.row));
      }));
    } else {
      STELA_ASSIGN(std::optional<CsvMisfit> misfit, pass.take(block, bytes));
      if (misfit) return misfit;
    }
    STELA_TRY(report_progress(from.position().offset, pass.rows()));
  }
  STELA_TRY(pass.finish());
  return std::optional<CsvMisfit>();
}

Status CsvIngest::judge_rest(CsvReader& from, CsvRecords& block, std::vector<uint16_t>& evidence, uint64_t bytes_most) {
  uint64_t begin = from.position().offset;
  while (from.position().offset - begin < bytes_most) {
    STELA_TRY(from.next(evidence.size(), &block));
    if (block.rows == 0) break;
    judge(block, evidence);
    STELA_TRY(report_progress(begin, 0));
  }
  return {};
}

void CsvIngest::judge(const CsvRecords& block, std::vector<uint16_t>& evidence) const {
  for (size_t column = 0; column < evidence.size(); ++column) {
    uint16_t seen = evidence[column];
    for (size_t row = 0; row < block.rows && (seen & kSeenText) == 0; ++row) {
      const FieldRef& field = block.fields[row * block.columns + column];
      std::string_view text = block.text(field);
      if (!field.is_quoted() && (text.empty() || NullTexts::is_usual(text) || nulls_.is_stated(text))) continue;
      seen |= evidence_of(text);
    }
    evidence[column] = seen;
  }
}

// The record as it may stand in a file: its bytes are gone when a value turns out not to fit.
std::string CsvIngest::record_text(const CsvRecords& block, size_t row) const {
  std::string out;
  for (size_t column = 0; column < block.columns; ++column) {
    if (column > 0) out += reader_options_.dialect.delimiter;
    const FieldRef& field = block.fields[row * block.columns + column];
    if (!field.is_quoted()) {
      out += block.text(field);
      continue;
    }
    out += '"';
    for (char c : block.text(field)) out.append(c == '"' ? 2 : 1, c);
    out += '"';
  }
  return out;
}

Status CsvIngest::misfit_error(const CsvPass& pass, const CsvRecords& block, const CsvMisfit& misfit) const {
  const CsvTarget& target = pass.target(misfit.target);
  const FieldRef& field = block.fields[misfit.row * block.columns + target.file_column];
  std::string_view text = block.text(field);
  bool null = !field.is_quoted() && (text.empty() || NullTexts::is_usual(text) || nulls_.is_stated(text));
  std::string why = null && !target.field.nullable ? kMayNotBeNull : why_misfit(target.field.type, text);
  return invalid("column " + quoted_for_message(target.field.name) + ": " + why);
}

Status CsvIngest::report_progress(uint64_t offset, uint64_t rows) const {
  if (!options_.progress || options_.progress(offset, rows_committed_ + rows)) return {};
  return Status(Code::kDeadline, reader_options_.file_name + ": stopped before its end; nothing of it was committed");
}

class CsvFormat final : public RowFormat {
 public:
  CsvFormat(const char* extension, char delimiter) : extension_(extension), delimiter_(delimiter) {}
  const char* extension() const override { return extension_; }
  Result<std::unique_ptr<RowIngest>> start(ByteSource& source, std::string file_name, Table table,
                                           const IngestOptions& options) const override {
    return start_csv_ingest(source, std::move(file_name), delimiter_, table_row_sink(table), options);
  }

 private:
  const char* extension_;
  char delimiter_;
};

}  // namespace

Result<std::unique_ptr<RowIngest>> start_csv_ingest(ByteSource& source, std::string file_name, char delimiter,
                                                    std::unique_ptr<RowSink> sink, const IngestOptions& options,
                                                    const CsvTuning& tuning) {
  CsvReaderOptions reader;
  reader.dialect.delimiter = options.delimiter != 0 ? options.delimiter : delimiter;
  reader.dialect.field_bytes_max = std::min<uint64_t>(options.field_bytes_max, CsvScanner::kPieceMax / 4);
  reader.piece_bytes = tuning.piece_bytes;
  reader.record_bytes_max = reader.dialect.field_bytes_max + options.memory_bytes / 4;
  reader.file_name = std::move(file_name);
  return std::unique_ptr<RowIngest>(
      std::make_unique<CsvIngest>(source, std::move(reader), std::move(sink), options, tuning));
}

const RowFormat& csv_format() {
  static const CsvFormat format(".csv", ',');
  return format;
}
const RowFormat& tsv_format() {
  static const CsvFormat format(".tsv", '\t');
  return format;
}

}  // namespace stela::fsd

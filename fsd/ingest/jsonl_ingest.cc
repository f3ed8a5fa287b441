#include "fsd/ingest/jsonl_ingest.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "fsd/ingest/byte_order_mark.h"
#include "fsd/ingest/csv_pass.h"
#include "fsd/ingest/json_values.h"
#include "fsd/ingest/jsonl_cells.h"
#include "fsd/ingest/jsonl_reader.h"
#include "fsd/ingest/row_commit.h"
#include "fsd/ingest/row_skip.h"
#include "fsd/ingest/utf8_text.h"

namespace stela::fsd {
namespace {

// A table of a first file may have this many cells a byte: lines whose keys all differ would fill a disk with nulls.
constexpr uint64_t kCellsFree = 16 << 20;
constexpr uint64_t kCellsPerByteMax = 64;

std::string json_string(std::string_view text) {
  return nlohmann::json(std::string(text)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// What is remembered of a file between commits.
struct JsonlPlace {
  bool started = false;
  CsvPosition position;
  std::unordered_set<std::string> seen;  // the dataset's columns that some line had
};

class JsonlIngest final : public RowIngest {
 public:
  JsonlIngest(ByteSource& source, JsonlReaderOptions reader, std::unique_ptr<RowSink> sink,
              const IngestOptions& options, const CsvTuning& tuning)
      : source_(source),
        reader_options_(std::move(reader)),
        sink_(std::move(sink)),
        options_(options),
        tuning_(tuning),
        rejections_(reader_options_.file_name, options.skip_errors ? options.rejected : nullptr) {
    reader_options_.rejections = &rejections_;
  }

  Result<std::optional<VersionInfo>> commit(bool final, const CommitInfo& info) override {
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
  uint64_t rows_committed() const override { return rows_committed_; }
  bool is_drained() const override { return place_.position.offset >= source_.size(); }

 private:
  // Why a pass ended before the file: a key or a value that its columns have no room for.
  enum class PassEnd { kFile, kMisfit };

  JsonlReader reader(JsonColumns& columns, const CsvPosition& from) const {
    return {source_, reader_options_, columns, from, end_, final_};
  }
  Result<std::optional<VersionInfo>> take(const CommitInfo& info);
  Result<uint64_t> take_known(JsonlPlace& place, const std::vector<Field>& fields);
  Result<uint64_t> take_first(JsonlPlace& place);
  CsvPass first_pass(const JsonColumns& columns, const std::vector<JsonEvidence>& evidence, bool judged_all);
  Result<PassEnd> run_first(CsvPass& pass, JsonlReader& from, const JsonColumns& columns, size_t width,
                            bool judged_all);
  Result<std::optional<CsvMisfit>> take_block(CsvPass& pass, const JsonlReader& from, const CsvRecords& block,
                                              uint64_t bytes, bool skip);
  static Status misfit_reason(const CsvPass& pass, const CsvRecords& block, const CsvMisfit& misfit);
  static std::string line_text(const CsvPass& pass, const CsvRecords& block, size_t row);
  Status judge(const JsonlReader& block, const JsonColumns& columns, std::vector<JsonEvidence>& evidence) const;
  Status judge_rest(JsonlReader& from, const JsonColumns& columns, std::vector<JsonEvidence>& evidence,
                    uint64_t bytes_most) const;
  Status check_missing(const JsonlPlace& place, const std::vector<Field>& fields) const;
  Status report_progress(uint64_t offset, uint64_t rows) const;

  ByteSource& source_;
  JsonlReaderOptions reader_options_;
  std::unique_ptr<RowSink> sink_;
  IngestOptions options_;
  CsvTuning tuning_;
  Rejections rejections_;
  JsonlPlace place_;
  uint64_t rows_committed_ = 0;
  uint64_t end_ = 0;  // of the source, for the commit under way
  bool final_ = false;
};

Result<std::optional<VersionInfo>> JsonlIngest::take(const CommitInfo& info) {
  JsonlPlace place = place_;
  if (place.position.offset >= end_) return std::optional<VersionInfo>();
  if (!place.started) {
    STELA_ASSIGN(std::optional<uint64_t> begin, find_text_begin(source_, end_, final_, reader_options_.file_name));
    if (!begin) return std::optional<VersionInfo>();
    place.started = true;
    place.position.offset = *begin;
  }
  STELA_ASSIGN(std::vector<Field> fields, sink_->fields());
  STELA_ASSIGN(uint64_t rows, fields.empty() ? take_first(place) : take_known(place, fields));
  STELA_ASSIGN(std::optional<VersionInfo> version, commit_rows(*sink_, rows, rejections_, info));
  rows_committed_ += rows;
  place_ = std::move(place);
  return version;
}

Result<uint64_t> JsonlIngest::take_known(JsonlPlace& place, const std::vector<Field>& fields) {
  std::vector<std::string> names;
  std::vector<CsvTarget> targets;
  std::vector<std::unique_ptr<CellParser>> parsers;
  for (const Field& field : fields) {
    targets.push_back({names.size(), field});
    names.push_back(field.name);
    parsers.push_back(make_json_parser(field.type, false));
  }
  JsonColumns columns(std::move(names), options_.extra_ignore);
  CsvPass pass(std::move(targets), std::move(parsers), {}, *sink_, tuning_.batch_bytes);
  JsonlReader from = reader(columns, place.position);
  std::vector<bool> seen(fields.size(), false);
  CsvRecords block;
  while (true) {
    uint64_t before = from.position().offset;
    STELA_TRY(from.next());
    if (from.rows() == 0) break;
    from.fill(&block);
    for (const JsonCell& cell : from.cells()) seen[cell.column] = true;
    uint64_t bytes = std::max<uint64_t>(from.position().offset - before, block.fields.size());
    STELA_ASSIGN(std::optional<CsvMisfit> misfit, take_block(pass, from, block, bytes, rejections_.skips()));
    if (misfit) return from.at_line(from.line_of(misfit->row), misfit_reason(pass, block, *misfit));
    STELA_TRY(report_progress(from.position().offset, pass.rows()));
  }
  for (size_t i = 0; i < fields.size(); ++i) {
    if (seen[i] || from.has_seen(i)) place.seen.insert(fields[i].name);  // a column of nulls is there too
  }
  if (pass.rows() > 0) STELA_TRY(check_missing(place, fields));
  STELA_TRY(pass.finish());
  place.position = from.position();
  return pass.rows();
}

// `skip`: a line with a value that does not fit is left out.
Result<std::optional<CsvMisfit>> JsonlIngest::take_block(CsvPass& pass, const JsonlReader& from,
                                                         const CsvRecords& block, uint64_t bytes, bool skip) {
  if (!skip) return pass.take(block, bytes);
  STELA_TRY(take_fitting_rows(pass, block, bytes, [&](const CsvMisfit& misfit) {
    return rejections_.add(from.line_of(misfit.row), misfit_reason(pass, block, misfit).message(),
                           line_text(pass, block, misfit.row));
  }));
  return std::optional<CsvMisfit>();
}

Status JsonlIngest::misfit_reason(const CsvPass& pass, const CsvRecords& block, const CsvMisfit& misfit) {
  const Field& column = pass.target(misfit.target).field;
  const FieldRef& field = block.fields[misfit.row * block.columns + misfit.target];
  bool null = field.length() == 0 && !field.is_quoted();
  std::string why = null ? kMayNotBeNull : why_json_misfit(column.type, block.text(field), field.is_quoted());
  return invalid("column " + quoted_for_message(column.name) + ": " + why);
}

// The line as it may stand in a file: its bytes are gone when a value turns out not to fit.
std::string JsonlIngest::line_text(const CsvPass& pass, const CsvRecords& block, size_t row) {
  std::string out = "{";
  for (size_t column = 0; column < block.columns; ++column) {
    const FieldRef& field = block.fields[row * block.columns + column];
    if (field.length() == 0 && !field.is_quoted()) continue;
    if (out.size() > 1) out += ",";
    out += json_string(pass.target(column).field.name) + ":";
    out += field.is_quoted() ? json_string(block.text(field)) : std::string(block.text(field));
  }
  return out + "}";
}

// A key that some lines lack is null there; one that all lack is likely another's file.
Status JsonlIngest::check_missing(const JsonlPlace& place, const std::vector<Field>& fields) const {
  if (options_.missing_null) return {};
  for (const Field& field : fields) {
    if (place.seen.count(field.name) > 0) continue;
    return invalid(reader_options_.file_name + ": no line has a value for " + quoted_for_message(field.name) +
                   " of the dataset; missing=null fills it with nulls");
  }
  return {};
}

CsvPass JsonlIngest::first_pass(const JsonColumns& columns, const std::vector<JsonEvidence>& evidence,
                                bool judged_all) {
  std::vector<CsvTarget> targets;
  std::vector<std::unique_ptr<CellParser>> parsers;
  std::vector<Field> schema;
  for (size_t i = 0; i < columns.size(); ++i) {
    schema.push_back({columns.name(i), evidence[i].type(), true});
    targets.push_back({i, schema.back()});
    if (judged_all || (evidence[i].any() && !evidence[i].words_only())) {
      parsers.push_back(make_json_parser(schema.back().type, true));
    } else {
      parsers.push_back(evidence[i].any() ? make_json_words_parser() : make_valueless_parser({}));
    }
  }
  return {std::move(targets), std::move(parsers), std::move(schema), *sink_, tuning_.batch_bytes};
}

// As for CSV: types come from a sample; when a later line has a value that does not fit, or a new key, the rest of
// the file is judged too and the rows are taken again from the first.
Result<uint64_t> JsonlIngest::take_first(JsonlPlace& place) {
  JsonColumns columns;
  std::vector<JsonEvidence> evidence;
  JsonlReader sample = reader(columns, place.position);
  STELA_TRY(judge_rest(sample, columns, evidence, tuning_.sample_bytes));
  for (bool judged_all : {false, true}) {
    if (columns.size() == 0) {  // blank lines, or objects without keys
      if (sample.position().offset < end_ && !judged_all) STELA_TRY(judge_rest(sample, columns, evidence, UINT64_MAX));
      if (columns.size() == 0) {
        place.position = sample.position();
        return uint64_t{0};
      }
    }
    size_t width = columns.size();
    rejections_.clear();
    CsvPass pass = first_pass(columns, evidence, judged_all);
    JsonlReader from = reader(columns, place.position);
    STELA_ASSIGN(PassEnd end, run_first(pass, from, columns, width, judged_all));

    if (end == PassEnd::kFile) {
      for (size_t i = 0; i < width; ++i) place.seen.insert(columns.name(i));
      place.position = from.position();
      return pass.rows();
    }
    if (judged_all) break;
    for (size_t i = 0; i < width; ++i) evidence[i].add_bits(pass.evidence(i));
    STELA_TRY(judge(from, columns, evidence));
    STELA_TRY(judge_rest(from, columns, evidence, UINT64_MAX));
  }
  return invalid(reader_options_.file_name + ": the file changed while it was being read; write it again");
}

Result<JsonlIngest::PassEnd> JsonlIngest::run_first(CsvPass& pass, JsonlReader& from, const JsonColumns& columns,
                                                    size_t width, bool judged_all) {
  CsvRecords block;
  uint64_t begin = from.position().offset, cells = 0;
  while (true) {
    uint64_t before = from.position().offset;
    STELA_TRY(from.next());
    if (from.rows() == 0) break;
    if (columns.size() > width) return PassEnd::kMisfit;
    from.fill(&block);
    cells += block.fields.size();
    if (cells > kCellsFree && cells / kCellsPerByteMax > from.position().offset - begin) {
      return from.at_line(from.position().line,
                          Status(Code::kLimit, "the lines so far have " + std::to_string(width) +
                                                   " different keys, nearly all of them absent from each line; this is "
                                                   "not a table"));
    }
    uint64_t bytes = std::max<uint64_t>(from.position().offset - before, block.fields.size());
    STELA_ASSIGN(std::optional<CsvMisfit> misfit,
                 take_block(pass, from, block, bytes, judged_all && rejections_.skips()));
    if (misfit) return PassEnd::kMisfit;
    STELA_TRY(report_progress(from.position().offset, pass.rows()));
  }
  STELA_TRY(pass.finish());
  return PassEnd::kFile;
}

Status JsonlIngest::judge(const JsonlReader& block, const JsonColumns& columns,
                          std::vector<JsonEvidence>& evidence) const {
  if (evidence.size() < columns.size()) evidence.resize(columns.size());
  for (const JsonCell& cell : block.cells()) {
    JsonEvidence& known = evidence[cell.column];
    JsonEvidence before = rejections_.skips() ? known : JsonEvidence();
    Status status = known.add(block.text(cell.text), cell.text.is_quoted());
    if (status.ok()) continue;
    if (rejections_.skips()) {  // its row is left out when rows are taken
      known = std::move(before);
      continue;
    }
    return block.at_line(block.line_of(cell.row),
                         status.with_context("column " + quoted_for_message(columns.name(cell.column))));
  }
  return {};
}

Status JsonlIngest::judge_rest(JsonlReader& from, const JsonColumns& columns, std::vector<JsonEvidence>& evidence,
                               uint64_t bytes_most) const {
  uint64_t begin = from.position().offset;
  while (from.position().offset - begin < bytes_most) {
    STELA_TRY(from.next());
    if (from.rows() == 0) break;
    STELA_TRY(judge(from, columns, evidence));
    STELA_TRY(report_progress(begin, 0));
  }
  if (evidence.size() < columns.size()) evidence.resize(columns.size());
  return {};
}

Status JsonlIngest::report_progress(uint64_t offset, uint64_t rows) const {
  if (!options_.progress || options_.progress(offset, rows_committed_ + rows)) return {};
  return {Code::kDeadline, reader_options_.file_name + ": stopped before its end; nothing of it was committed"};
}

class JsonlFormat final : public RowFormat {
 public:
  explicit JsonlFormat(const char* extension) : extension_(extension) {}
  const char* extension() const override { return extension_; }
  Result<std::unique_ptr<RowIngest>> start(ByteSource& source, std::string file_name, Table table,
                                           const IngestOptions& options) const override {
    return start_jsonl_ingest(source, std::move(file_name), table_row_sink(table), options);
  }

 private:
  const char* extension_;
};

}  // namespace

Result<std::unique_ptr<RowIngest>> start_jsonl_ingest(ByteSource& source, std::string file_name,
                                                      std::unique_ptr<RowSink> sink, const IngestOptions& options,
                                                      const CsvTuning& tuning) {
  JsonlReaderOptions reader;
  reader.piece_bytes = tuning.piece_bytes;
  reader.line_bytes_max = std::min<uint64_t>(options.memory_bytes / 8, CsvScanner::kPieceMax / 4);
  reader.field_bytes_max = options.field_bytes_max;
  reader.null_texts = options.null_texts;
  reader.file_name = std::move(file_name);
  return std::unique_ptr<RowIngest>(
      std::make_unique<JsonlIngest>(source, std::move(reader), std::move(sink), options, tuning));
}

const RowFormat& jsonl_format() {
  static const JsonlFormat format(".jsonl");
  return format;
}
const RowFormat& ndjson_format() {
  static const JsonlFormat format(".ndjson");
  return format;
}

}  // namespace stela::fsd

#include "fsd/ingest/npz_ingest.h"

#include <algorithm>

#include "fsd/ingest/column_cast.h"
#include "fsd/ingest/csv_header.h"
#include "fsd/ingest/npy_values.h"
#include "fsd/ingest/utf8_text.h"
#include "fsd/ingest/zip_member.h"

namespace stela::fsd {
namespace {

constexpr uint64_t kChunkBytes = 16 << 20;  // of rows handed to the sink at a time, about
constexpr uint64_t kChunkRowsMax = 64 << 10;
// Arrays of zeros shrink a thousandfold; beyond this a file that does is taken for a bomb.
constexpr uint64_t kBytesFree = uint64_t{1} << 30;
constexpr uint64_t kBytesPerPackedByteMax = 200;

// An array on its way into a column.
struct ArrayStream {
  std::string name;  // of the column
  std::unique_ptr<ZipMemberSource> source;
  NpyHeader header;
  std::unique_ptr<NpyReader> reader;
};

class NpzIngest final : public RowIngest {
 public:
  NpzIngest(ByteSource& source, std::string file_name, std::unique_ptr<RowSink> sink, const IngestOptions& options)
      : source_(source), file_name_(std::move(file_name)), sink_(std::move(sink)), options_(options) {}

  Result<std::optional<VersionInfo>> commit(bool final, const CommitInfo& info) override {
    (void) final;  // a file is whole or it is not
    uint64_t end = source_.size();
    if (consumed_ >= end) return std::optional<VersionInfo>();
    if (consumed_ > 0) {
      return invalid(file_name_ + ": its arrays were appended already; write further rows to another name");
    }
    Result<std::optional<VersionInfo>> version = take(info);
    arrays_.clear();
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
  Result<std::optional<VersionInfo>> take(const CommitInfo& info);
  Result<std::vector<ZipMember>> read_members() const;
  Status check_names(const std::vector<ZipMember>& members) const;
  Status open_arrays(const std::vector<ZipMember>& members);
  Status check_lengths() const;
  Status match(const std::vector<Field>& known, std::vector<Field>* schema);
  Status start_readers();
  Status take_rows(uint64_t rows);
  Status in_array(const std::string& name, const Status& status) const {
    return status.with_context("column " + quoted_for_message(name));
  }

  ByteSource& source_;
  std::string file_name_;
  std::unique_ptr<RowSink> sink_;
  IngestOptions options_;
  std::vector<ArrayStream> arrays_;
  std::vector<CsvTarget> targets_;
  Batch batch_;
  uint64_t rows_committed_ = 0;
  uint64_t consumed_ = 0;
};

std::string column_name(const std::string& member) {
  std::string_view name = member;
  if (name.ends_with(".npy")) name.remove_suffix(4);
  return std::string(name);
}

Result<std::optional<VersionInfo>> NpzIngest::take(const CommitInfo& info) {
  STELA_ASSIGN(std::vector<ZipMember> members, read_members());
  STELA_TRY(check_names(members));
  STELA_TRY(open_arrays(members));
  STELA_TRY(check_lengths());
  uint64_t rows = arrays_[0].header.rows;
  STELA_ASSIGN(std::vector<Field> known, sink_->fields());
  std::vector<Field> schema;
  STELA_TRY(match(known, &schema));
  if (rows == 0) return std::optional<VersionInfo>();
  STELA_TRY(start_readers());
  STELA_TRY(sink_->begin(schema));
  STELA_TRY(take_rows(rows));
  for (const ArrayStream& array : arrays_) {
    Status status = array.source->verify();
    if (!status.ok()) return in_array(array.name, status);
  }
  STELA_ASSIGN(VersionInfo version, sink_->commit(info));
  rows_committed_ += rows;
  return std::optional<VersionInfo>(std::move(version));
}

Result<std::vector<ZipMember>> NpzIngest::read_members() const {
  std::byte first[4] = {};
  uint64_t size = source_.size();
  STELA_TRY(source_.read(0, {first, static_cast<size_t>(std::min<uint64_t>(size, 4))}));
  bool empty = as_text(first) == std::string_view("PK\5\6", 4);
  if (size >= 4 && as_text(first) != std::string_view("PK\3\4", 4) && !empty) {
    return invalid("this is not a .npz file: it does not begin as a zip file");
  }
  STELA_ASSIGN(std::vector<ZipMember> members, read_zip_directory(source_));
  if (members.empty()) return invalid("the .npz file holds no arrays");
  uint64_t bytes = 0, deflated = 0;
  for (const ZipMember& member : members) {
    if (__builtin_add_overflow(bytes, member.bytes, &bytes)) bytes = UINT64_MAX;
    if (member.deflated) deflated += kInflateBytes;
  }
  if (bytes > kBytesFree && bytes / kBytesPerPackedByteMax > size) {
    return Status(Code::kLimit, "its " + std::to_string(size) + " bytes declare " + std::to_string(bytes) +
                                    " of arrays, which looks like a zip bomb; save it uncompressed (numpy.savez)");
  }
  if (deflated > options_.memory_bytes) {
    return Status(Code::kLimit, "it has more compressed arrays than can be read at once (" +
                                    std::to_string(options_.memory_bytes / kInflateBytes) +
                                    "); save it uncompressed (numpy.savez)");
  }
  return members;
}

Status NpzIngest::check_names(const std::vector<ZipMember>& members) const {
  std::vector<std::string> names;
  for (const ZipMember& member : members) {
    std::string name = column_name(member.name);
    if (!member.name.ends_with(".npy")) {
      return invalid("member " + quoted_for_message(member.name) + " is not an array: its name does not end in .npy");
    }
    if (name.empty() || name.size() > kColumnNameBytesMax || find_bad_text(name) != name.size()) {
      return invalid("member " + quoted_for_message(member.name) +
                     ": its name before .npy must name a column, in UTF-8");
    }
    names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  auto twice = std::adjacent_find(names.begin(), names.end());
  return twice == names.end() ? Status() : invalid("two members are named " + quoted_for_message(*twice + ".npy"));
}

Status NpzIngest::open_arrays(const std::vector<ZipMember>& members) {
  arrays_.clear();
  for (const ZipMember& member : members) {
    ArrayStream array;
    array.name = column_name(member.name);
    STELA_ASSIGN(array.source, open_zip_member(source_, member, true));
    Result<NpyHeader> header = read_npy_header(*array.source, 0);
    if (!header.ok()) return in_array(array.name, header.status());
    array.header = std::move(header).value();
    if (array.header.fortran_order) {
      Result<std::unique_ptr<ZipMemberSource>> again = open_zip_member(source_, member, false);
      if (!again.ok()) return in_array(array.name, again.status());
      array.source = std::move(again).value();
    }
    arrays_.push_back(std::move(array));
  }
  return {};
}

Status NpzIngest::check_lengths() const {
  for (const ArrayStream& array : arrays_) {
    if (array.header.rows == arrays_[0].header.rows) continue;
    return in_array(array.name, invalid("it has " + std::to_string(array.header.rows) + " rows and " +
                                        quoted_for_message(arrays_[0].name) + " has " +
                                        std::to_string(arrays_[0].header.rows) + "; rows need arrays of one length"));
  }
  return {};
}

Status NpzIngest::match(const std::vector<Field>& known, std::vector<Field>* schema) {
  targets_.clear();
  if (known.empty()) {
    for (size_t i = 0; i < arrays_.size(); ++i) {
      schema->push_back({arrays_[i].name, arrays_[i].header.type, true});
      targets_.push_back({i, schema->back()});
    }
    return {};
  }
  std::vector<std::string> names;
  for (const ArrayStream& array : arrays_) names.push_back(array.name);
  STELA_ASSIGN(targets_, match_columns(names, known, options_));
  for (const CsvTarget& target : targets_) {
    NpyHeader& header = arrays_[target.file_column].header;
    header.type = npy_type_for_column(header.type, target.field.type);
    if (can_cast(header.type, target.field.type)) continue;
    return in_array(target.field.name, invalid("its values are " + header.type.name() + " and the dataset's are " +
                                               target.field.type.name() + "; convert the array first (.astype)"));
  }
  return {};
}

Status NpzIngest::start_readers() {
  batch_ = {};
  uint64_t row_bytes = 0;
  for (const CsvTarget& target : targets_) {
    ArrayStream& array = arrays_[target.file_column];
    array.reader = std::make_unique<NpyReader>(*array.source, array.header);
    row_bytes += array.header.row_bytes;
    batch_.add(target.field.name, ColumnData(target.field.type));
  }
  if (row_bytes <= options_.memory_bytes / 4) return {};
  return {Code::kLimit, "a row has " + std::to_string(row_bytes) + " bytes; the limit is " +
                            std::to_string(options_.memory_bytes / 4)};
}

// The same number of rows from each array at a time.
Status NpzIngest::take_rows(uint64_t rows) {
  uint64_t row_bytes = 0;
  for (const CsvTarget& target : targets_) row_bytes += arrays_[target.file_column].header.row_bytes;
  uint64_t chunk = std::clamp<uint64_t>(kChunkBytes / std::max<uint64_t>(row_bytes, 1), 1, kChunkRowsMax);
  for (uint64_t first = 0; first < rows; first += chunk) {
    for (size_t i = 0; i < targets_.size(); ++i) {
      ArrayStream& array = arrays_[targets_[i].file_column];
      batch_.columns[i].clear();
      Result<ColumnView> view = array.reader->next(chunk);
      Status status = view.ok() ? append_cast(*view, first, batch_.columns[i]) : view.status();
      if (!status.ok()) return in_array(array.name, status);
    }
    STELA_TRY(sink_->append(batch_));
    if (options_.progress && !options_.progress(source_.size() / rows * first, first)) {
      return {Code::kDeadline, "stopped before its end; nothing of it was committed"};
    }
  }
  return {};
}

class NpzFormat final : public RowFormat {
 public:
  const char* extension() const override { return ".npz"; }
  Result<std::unique_ptr<RowIngest>> start(ByteSource& source, std::string file_name, Table table,
                                           const IngestOptions& options) const override {
    if (options.skip_errors) return skip_is_for_text(file_name);
    return start_npz_ingest(source, std::move(file_name), table_row_sink(table), options);
  }
};

}  // namespace

std::unique_ptr<RowIngest> start_npz_ingest(ByteSource& source, std::string file_name, std::unique_ptr<RowSink> sink,
                                            const IngestOptions& options) {
  return std::make_unique<NpzIngest>(source, std::move(file_name), std::move(sink), options);
}

const RowFormat& npz_format() {
  static const NpzFormat format;
  return format;
}

}  // namespace stela::fsd

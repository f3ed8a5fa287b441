#include "tests/engine/format_fixture.h"

#include <algorithm>

namespace stela::format {
namespace {

class StringReader final : public FileReader {
 public:
  StringReader(TestFiles& owner, std::shared_ptr<std::string> bytes, std::string fingerprint)
      : owner_(owner), bytes_(std::move(bytes)), fingerprint_(std::move(fingerprint)) {}
  Status read(std::span<const ReadRange> ranges) override {
    for (const ReadRange& range : ranges) {
      ++owner_.reads;
      owner_.bytes_read += range.into.size();
      if (range.into.size() > bytes_->size() || range.offset > bytes_->size() - range.into.size()) {
        return damaged("read past the end");
      }
      std::memcpy(range.into.data(), bytes_->data() + range.offset, range.into.size());
    }
    return {};
  }
  uint64_t size() const override { return bytes_->size(); }
  std::string fingerprint() const override { return fingerprint_; }

 private:
  TestFiles& owner_;
  std::shared_ptr<std::string> bytes_;
  std::string fingerprint_;
};

bool is_null(Nulls nulls, uint64_t row, uint64_t rows, std::mt19937_64& random) {
  switch (nulls) {
    case Nulls::kNone: return false;
    case Nulls::kAll: return true;
    case Nulls::kFirst: return row == 0;
    case Nulls::kLast: return row + 1 == rows;
    case Nulls::kAlternating: return row % 2 == 1;
    case Nulls::kRandom: return random() % 5 == 0;
  }
  return false;
}

}  // namespace

Result<std::shared_ptr<FileReader>> TestFiles::open(FileId id, FileKind kind) {
  auto at = contents_.find({id.value, kind});
  if (at == contents_.end()) return not_found(data_file_name(id, kind) + " does not exist");
  return std::shared_ptr<FileReader>(std::make_shared<StringReader>(*this, at->second, fingerprint_));
}

void TestFiles::load(Files& files, const std::vector<DataFile>& written) {
  for (const DataFile& file : written) {
    auto reader = files.open(data_file_name(file.id, file.kind));
    ASSERT_TRUE(reader.ok()) << reader.status().message();
    ASSERT_EQ((*reader)->size(), file.bytes);
    std::string bytes(file.bytes, '\0');
    ASSERT_TRUE((*reader)->read_at(0, std::as_writable_bytes(std::span(bytes))).ok());
    set(file.id, file.kind, std::move(bytes));
  }
}

ColumnData random_column(const DataType& type, uint64_t rows, Nulls nulls, std::mt19937_64& random) {
  ColumnData column(type);
  std::string value;
  for (uint64_t row = 0; row < rows; ++row) {
    if (is_null(nulls, row, rows, random)) {
      column.append_nulls(1);
      continue;
    }
    value.resize(type.is_variable() ? random() % 12 : type.value_width());
    for (char& byte : value) byte = static_cast<char>(random() % (type.kind == TypeKind::kBool ? 2 : 256));
    column.append_text(value);
  }
  return column;
}

const std::vector<std::string>& test_type_names() {
  static const std::vector<std::string> names{"bool",
                                              "int8",
                                              "int16",
                                              "int32",
                                              "int64",
                                              "uint8",
                                              "uint16",
                                              "uint32",
                                              "uint64",
                                              "float16",
                                              "float32",
                                              "float64",
                                              "date",
                                              "timestamp[us, UTC]",
                                              "time[ns]",
                                              "duration[ms]",
                                              "decimal128(20,4)",
                                              "utf8",
                                              "binary",
                                              "fixed_binary(7)",
                                              "float32[5]",
                                              "uint8[2,3]",
                                              "bool[3]"};
  return names;
}

Statistics as_kept(Statistics statistics) {
  statistics.distinct_estimate = statistics.distinct();
  statistics.sketch.reset();
  return statistics;
}

void expect_rows(const ColumnView& view, const ColumnView& expected, uint64_t first, const std::string& where) {
  ColumnView part = expected.slice(first, view.rows);
  ASSERT_EQ(view.value_bytes(), part.value_bytes()) << where;
  ASSERT_EQ(view.null_count(), part.null_count()) << where;
  for (uint64_t row = 0; row < view.rows; ++row) {
    ASSERT_EQ(view.is_valid(row), part.is_valid(row)) << where << " row " << first + row;
    ASSERT_EQ(as_text(view.value(row)), as_text(part.value(row))) << where << " row " << first + row;
  }
}

std::vector<SectionInfo> FragmentBench::write(const std::vector<std::vector<ColumnData>>& sections,
                                              uint64_t piece_rows) {
  std::vector<SectionInfo> infos;
  FragmentWriter writer(
      env->files(), [this] { return FileId(next_id++); }, options);
  for (const std::vector<ColumnData>& columns : sections) {
    std::vector<ColumnSpec> specs;
    for (size_t i = 0; i < columns.size(); ++i) specs.push_back({id_of(i), columns[i].type()});
    EXPECT_TRUE(writer.begin_section(specs).ok());
    uint64_t rows = columns[0].rows();
    uint64_t step = piece_rows == 0 ? std::max<uint64_t>(rows, 1) : piece_rows;
    for (uint64_t row = 0; row < rows; row += step) {
      std::vector<ColumnView> views;
      for (const ColumnData& column : columns) views.push_back(column.view().slice(row, std::min(step, rows - row)));
      Status status = writer.append(views);
      EXPECT_TRUE(status.ok()) << status.message();
    }
    auto info = writer.end_section();
    EXPECT_TRUE(info.ok());
    infos.push_back(*info);
  }
  Status finished = writer.finish();
  EXPECT_TRUE(finished.ok()) << finished.message();
  fragment = writer.file_id();
  written = writer.files();
  files.load(env->files(), written);
  return infos;
}

}  // namespace stela::format

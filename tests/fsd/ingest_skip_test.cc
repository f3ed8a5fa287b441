// on-error=skip: rows that cannot be taken are left out, with their reasons.
#include <gtest/gtest.h>

#include "fsd/ingest/csv_ingest.h"
#include "fsd/ingest/jsonl_ingest.h"
#include "tests/fsd/ingest_fakes.h"

namespace stela::fsd {
namespace {

class SkippedRows : public testing::Test {
 protected:
  std::string take(const std::string& name, const std::string& text, const CsvTuning& tuning = {}) {
    rejected_ = std::make_shared<FakeRejectedRows>(bytes_max_);
    IngestOptions options;
    options.skip_errors = true;
    options.rejected = rejected_;
    options.field_bytes_max = 1000;
    MemorySource source(text);
    auto sink = std::make_unique<FakeRowSink>(dataset_);
    bool json = name.ends_with(".jsonl");
    auto ingest = json ? start_jsonl_ingest(source, name, std::move(sink), options, tuning)
                       : start_csv_ingest(source, name, ',', std::move(sink), options, tuning);
    auto version = ingest.value()->commit(true, {});
    EXPECT_EQ(rejected_->reserved, 0u);
    return version.ok() ? picture(dataset_) : "error: " + version.status().message();
  }
  void know(const std::vector<Field>& fields) {
    dataset_ = {};
    dataset_.fields = fields;
    for (const Field& field : fields) dataset_.columns.emplace_back(field.type);
  }

  FakeDataset dataset_;
  uint64_t bytes_max_ = UINT64_MAX;
  std::shared_ptr<FakeRejectedRows> rejected_;
};

const std::vector<Field> kKnown = {{"a", DataType::of(TypeKind::kInt64), true},
                                   {"b", DataType::of(TypeKind::kUtf8), true}};

TEST_F(SkippedRows, of_a_csv_file) {
  std::string text = "a,b\n1,x\n2\nz,\"y, \"\"q\"\"\"\n3,\xff\n4,\"two\nlines\",more\n5,w\n6,x\n";
  std::string lines =
      R"({"file":"x.csv","line":3,"reason":"1 field where 2 were expected","text":"2"})"
      "\n"
      R"({"file":"x.csv","line":4,"reason":"column 'a': 'z' does not fit int64","text":"z,\"y, \"\"q\"\"\""})"
      "\n"
      R"({"file":"x.csv","line":5,"reason":"column 2 is not valid UTF-8: '\\xFF'; text files are read as UTF-8","text":"3,�"})"
      "\n"
      R"({"file":"x.csv","line":6,"reason":"3 fields where 2 were expected","text":"4,\"two\nlines\",more"})"
      "\n";
  for (size_t piece = 1; piece <= 70; ++piece) {
    know(kKnown);
    EXPECT_EQ(take("x.csv", text, {piece, piece % 5 + 1, piece * 2}), "a:int64 1 5 6; b:utf8 'x' 'w' 'x'") << piece;
    EXPECT_EQ(rejected_->lines, lines) << piece;
  }
}

TEST_F(SkippedRows, of_a_first_csv_file_are_those_of_the_wrong_shape) {
  EXPECT_EQ(take("x.csv", "a,b\n1,x\n2\n1.5,y\n"), "a:float64 1 1.5; b:utf8 'x' 'y'");
  EXPECT_EQ(rejected_->lines, R"({"file":"x.csv","line":3,"reason":"1 field where 2 were expected","text":"2"})"
                              "\n");
}

TEST_F(SkippedRows, many_in_a_row) {
  know(kKnown);
  std::string text = "a,b\n";
  for (int i = 0; i < 5000; ++i) text += (i % 1000 < 400 ? "z" : std::to_string(i)) + ",x\n";
  take("x.csv", text);
  EXPECT_EQ(dataset_.rows(), 3000u);
  EXPECT_EQ(std::count(rejected_->lines.begin(), rejected_->lines.end(), '\n'), 2000);
}

TEST_F(SkippedRows, what_has_no_end_refuses_the_file) {
  know(kKnown);
  EXPECT_EQ(take("x.csv", "a,b\n1,x\n2,\"y\n").substr(0, 15), "error: x.csv:3:");
  EXPECT_EQ(take("x.csv", "a,b\nx,y\nz,w\n"),
            "error: x.csv:2: column 'a': 'x' does not fit int64 (and every other row was rejected: 2 in all)");
  EXPECT_EQ(take("x.csv", "a,a\n1,2\n").substr(0, 15), "error: x.csv:1:");
  EXPECT_EQ(dataset_.versions, 0u);
  EXPECT_EQ(rejected_->lines, "");
}

TEST_F(SkippedRows, without_room_for_them_nothing_is_committed) {
  know(kKnown);
  bytes_max_ = 10;
  EXPECT_EQ(take("x.csv", "a,b\n1,x\n2\n"), "error: no room for rejected rows");
  EXPECT_EQ(take("x.csv", "a,b\n1,x\n"), "a:int64 1; b:utf8 'x'");
}

TEST_F(SkippedRows, keys_of_rejected_lines_are_no_columns) {
  EXPECT_EQ(take("x.jsonl", "{\"a\":1}\n{\"a\":2,\"b\":3,\"b\":4}\n"), "a:int64 1");
}

TEST_F(SkippedRows, of_json_lines) {
  std::string text =
      "{\"a\":1,\"b\":\"x\"}\nhello\n{\"a\":\"z\",\"b\":\"y\"}\n{\"a\":2,\"a\":3}\n{\"a\":4,\"b\":5}\n{\"a\":6,\"b\":"
      "\"w\"}\n";
  for (size_t piece = 1; piece <= 70; ++piece) {
    for (bool first : {true, false}) {
      know(first ? std::vector<Field>() : kKnown);
      EXPECT_EQ(take("x.jsonl", text, {piece, piece % 5 + 1, piece * 2}), "a:int64 1 6; b:utf8 'x' 'w'") << piece;
      std::string lines = rejected_->lines;
      EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 4) << lines;
      for (const char* part :
           {R"({"file":"x.jsonl","line":2,"reason":"'hello' is not a JSON object)", R"("text":"hello"})",
            R"("line":3,"reason":"column 'a': the string 'z' does not fit int64)",
            R"("text":"{\"a\":\"z\",\"b\":\"y\"}"})", R"("line":4,"reason":"the key 'a' stands twice)",
            R"("line":5,"reason":"column 'b': '5' does not fit utf8)"}) {
        EXPECT_NE(lines.find(part), std::string::npos) << part << "\n" << lines;
      }
    }
  }
}

}  // namespace
}  // namespace stela::fsd

// The formats against a real store in memory.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "engine/io/memory_env.h"
#include "fsd/ingest/ingest.h"
#include "fsd/views/view.h"
#include "tests/fsd/ingest_fakes.h"

namespace stela::fsd {
namespace {

std::string file_bytes(const std::string& path) {
  std::ifstream in(std::string(STELA_SOURCE_DIR) + "/tests/" + path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

class IngestStore : public testing::Test {
 protected:
  IngestStore()
      : store_(Store::create(std::make_shared<MemoryEnv>(), {}).value()), table_(store_->create_table("/t").value()) {}

  Result<std::optional<VersionInfo>> append(const std::string& name, const std::string& bytes,
                                            const IngestOptions& options = {}) {
    MemorySource source(bytes);
    const RowFormat* format = find_row_format(name.substr(name.rfind('.')));
    STELA_ASSIGN(std::unique_ptr<RowIngest> ingest, format->start(source, name, table_, options));
    return ingest->commit(true, {});
  }
  Result<std::optional<VersionInfo>> put(const std::string& name, const std::string& bytes, bool replace = false) {
    MemorySource source(bytes);
    size_t dot = name.rfind('.');
    return find_column_format(name.substr(dot))
        ->commit(source, name, *table_column_sink(table_), name.substr(0, dot), replace, {});
  }
  std::string rows(std::string_view column) {
    Result<Snapshot> head = table_.head();
    if (!head.ok()) return head.status().message();
    Result<ColumnInfo> info = head->column(column);
    if (!info.ok()) return info.status().message();
    FakeDataset one;
    one.fields.push_back({info->name, info->type, true});
    one.columns.push_back(head->read(column, 0, head->rows()).value());
    return picture(one);
  }
  std::string view(std::string_view column, std::string_view extension) {
    Snapshot head = table_.head().value();
    auto opened = find_view_form(extension)->open(head, head.column(column).value(), std::nullopt).value();
    std::string bytes(opened->size().value(), '\0');
    EXPECT_EQ(opened->read(0, {reinterpret_cast<std::byte*>(bytes.data()), bytes.size()}).value(), bytes.size());
    return bytes;
  }

  std::unique_ptr<Store> store_;
  Table table_;
};

TEST_F(IngestStore, appends_rows_of_csv_files) {
  ASSERT_TRUE(append("a.csv", "id,name,when\n1,x,2020-01-01\n2,,\n").ok());
  ASSERT_TRUE(append("b.csv", "when,id,name\n2020-01-02,3,\"\"\n").ok());
  EXPECT_EQ(rows("id"), "id:int64 1 2 3");
  EXPECT_EQ(rows("name"), "name:utf8 'x' null ''");
  EXPECT_EQ(rows("when"), "when:date 18262 null 18263");
  EXPECT_EQ(table_.latest()->value, 2u);
}

TEST_F(IngestStore, a_refused_file_changes_nothing) {
  ASSERT_TRUE(append("a.csv", "id\n1\n").ok());
  for (const char* text : {"id\n2\nx\n", "id\n2\n3,4\n", "id,b\n2,3\n", "id\n\"2\n"}) {
    EXPECT_FALSE(append("b.csv", text).ok());
  }
  EXPECT_EQ(table_.latest()->value, 1u);
  EXPECT_EQ(rows("id"), "id:int64 1");
}

TEST_F(IngestStore, missing_columns_become_null) {
  ASSERT_TRUE(append("a.csv", "id,name\n1,x\n").ok());
  IngestOptions options;
  options.missing_null = true;
  ASSERT_TRUE(append("b.csv", "id\n2\n", options).ok());
  EXPECT_EQ(rows("name"), "name:utf8 'x' null");
}

TEST_F(IngestStore, a_stream_commits_at_each_sync) {
  MemorySource source("a\n1\n2");
  auto ingest = find_row_format(".csv")->start(source, "s.csv", table_, {}).value();
  EXPECT_EQ(ingest->commit(false, {}).value()->rows, 1u);
  source.append("2\n");
  EXPECT_EQ(ingest->commit(true, {}).value()->rows, 2u);
  EXPECT_EQ(rows("a"), "a:int64 1 22");
}

TEST_F(IngestStore, late_widening_leaves_only_the_second_attempt) {
  std::string text = "a,b\n";
  for (int i = 0; i < 2'000'000; ++i) text += "7,8\n";
  text += "x,1.5\n";
  ASSERT_TRUE(append("a.csv", text).ok());
  Snapshot head = table_.head().value();
  EXPECT_EQ(head.rows(), 2'000'001u);
  EXPECT_EQ(head.column("a")->type.name(), "utf8");
  EXPECT_EQ(head.column("b")->type.name(), "float64");
  EXPECT_EQ(as_text(head.read("a", 2'000'000, 1)->view().value(0)), "x");
  EXPECT_EQ(table_.latest()->value, 1u);
}

TEST_F(IngestStore, an_npy_column_comes_back_byte_for_byte) {
  std::string file = file_bytes("data/embeddings.npy");
  ASSERT_FALSE(file.empty());
  ASSERT_TRUE(put("e.npy", file).ok());
  EXPECT_EQ(view("e", ".npy"), file);
}

TEST_F(IngestStore, an_arrow_column_comes_back_through_its_view) {
  for (const char* name :
       {"utf8", "decimal", "vector", "bool_vector", "timestamp", "time32", "fixed_binary", "no_rows"}) {
    table_ = store_->create_table(std::string("/arrow_") + name).value();
    ASSERT_TRUE(put("x.arrow", file_bytes(std::string("fsd/data/") + name + ".arrow")).ok()) << name;
    std::string before = rows("x"), again = view("x", ".arrow");
    table_ = store_->create_table(std::string("/again_") + name).value();
    auto version = put("x.arrow", again);
    ASSERT_TRUE(version.ok()) << name << version.status().message();
    EXPECT_EQ(rows("x"), before) << name;
  }
}

TEST_F(IngestStore, a_new_column_must_have_the_rows_of_the_dataset) {
  ASSERT_TRUE(append("a.csv", "id\n1\n2\n").ok());
  EXPECT_EQ(put("x.arrow", file_bytes("fsd/data/int8.arrow")).status().message(),
            "x.arrow: the column has 3 rows and the dataset has 2");
  EXPECT_EQ(put("e.npy", file_bytes("data/embeddings.npy")).status().message(),
            "e.npy: the array has 400 rows and the dataset has 2");
  EXPECT_EQ(table_.latest()->value, 1u);
}

TEST_F(IngestStore, csv_views_can_be_taken_in_again) {
  std::string text = file_bytes("data/flights.csv");
  IngestOptions options;
  options.null_texts = {"NA"};
  ASSERT_TRUE(append("flights.csv", text, options).ok());
  Snapshot head = table_.head().value();
  auto whole = find_table_form(".table.csv")->open(head, std::nullopt).value();
  std::string csv(whole->size().value(), '\0');
  ASSERT_EQ(whole->read(0, {reinterpret_cast<std::byte*>(csv.data()), csv.size()}).value(), csv.size());
  table_ = store_->create_table("/again").value();
  ASSERT_TRUE(append("again.csv", csv).ok());
  Snapshot again = table_.head().value();
  ASSERT_EQ(again.rows(), head.rows());
  std::vector<ColumnInfo> columns = head.columns().value();
  for (const ColumnInfo& column : columns) {
    EXPECT_EQ(again.column(column.name)->type, column.type) << column.name;
    ColumnData a = head.read(column.name, 0, head.rows()).value();
    ColumnData b = again.read(column.name, 0, head.rows()).value();
    EXPECT_EQ(a.null_count(), b.null_count()) << column.name;
    for (uint64_t row = 0; row < a.rows(); ++row) {
      ASSERT_EQ(as_text(a.view().value(row)), as_text(b.view().value(row))) << column.name << " " << row;
    }
  }
}

}  // namespace
}  // namespace stela::fsd

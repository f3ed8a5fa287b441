// What goes out comes in again: whole tables of every type through .table.csv, .table.jsonl and .table.arrow.
#include "fsd/ingest/arrow_rows.h"
#include "fsd/ingest/csv_ingest.h"
#include "fsd/ingest/jsonl_ingest.h"
#include "fsd/views/column_form.h"
#include "tests/fsd/ingest_fakes.h"
#include "tests/fsd/views_fakes.h"

namespace stela::fsd {
namespace {

std::shared_ptr<MemoryTable> every_type_table(uint64_t rows, uint64_t seed) {
  std::mt19937_64 random(seed);
  auto table = std::make_shared<MemoryTable>();
  uint64_t column = 0;
  for (const std::string& name : every_type_name()) {
    table->add("c" + std::to_string(column), random_column(DataType::parse(name).value(), rows, column % 5, random));
    ++column;
  }
  return table;
}

// The dataset `table` was, before its rows: as .schema.json states it.
FakeDataset empty_copy(const MemoryTable& table) {
  FakeDataset dataset;
  std::vector<ColumnInfo> infos = table.columns().value();
  for (const ColumnInfo& info : infos) {
    dataset.fields.push_back({info.name, info.type, true});
    dataset.columns.emplace_back(info.type);
  }
  return dataset;
}

void expect_same(const MemoryTable& table, const FakeDataset& dataset) {
  auto infos = table.columns().value();
  ASSERT_EQ(dataset.fields.size(), infos.size());
  ASSERT_EQ(dataset.rows(), table.version().rows);
  for (size_t i = 0; i < infos.size(); ++i) {
    EXPECT_EQ(dataset.fields[i].name, infos[i].name);
    EXPECT_EQ(dataset.fields[i].type.name(), infos[i].type.name());
    ColumnView wanted = table.data(i).view(), got = dataset.columns[i].view();
    for (uint64_t row = 0; row < wanted.rows; ++row) {
      ASSERT_EQ(got.is_valid(row), wanted.is_valid(row)) << infos[i].type.name() << " row " << row;
      ASSERT_EQ(as_text(got.value(row)), as_text(wanted.value(row))) << infos[i].type.name() << " row " << row;
    }
  }
}

std::string bytes_of(const TableSourceForm& form, const std::shared_ptr<MemoryTable>& table) {
  auto view = form.open_source(table, std::nullopt).value();
  std::string bytes = read_range(*view, 0, view->size().value());
  EXPECT_EQ(bytes.size(), view->size().value());
  EXPECT_EQ(read_range(*view, bytes.size(), 10), "");
  return bytes;
}

void expect_taken(RowIngest& ingest) {
  auto version = ingest.commit(true, {});
  ASSERT_TRUE(version.ok()) << version.status().message();
}

TEST(TableRoundTrip, csv) {
  for (uint64_t seed : {1u, 2u}) {
    auto table = every_type_table(2000, seed);
    FakeDataset dataset = empty_copy(*table);
    MemorySource source(bytes_of(table_csv_form(), table));
    auto ingest = start_csv_ingest(source, "t.csv", ',', std::make_unique<FakeRowSink>(dataset), {}).value();
    expect_taken(*ingest);
    expect_same(*table, dataset);
  }
}

TEST(TableRoundTrip, jsonl) {
  for (uint64_t seed : {3u, 4u}) {
    auto table = every_type_table(2000, seed);
    FakeDataset dataset = empty_copy(*table);
    MemorySource source(bytes_of(table_jsonl_form(), table));
    auto ingest = start_jsonl_ingest(source, "t.jsonl", std::make_unique<FakeRowSink>(dataset), {}).value();
    expect_taken(*ingest);
    expect_same(*table, dataset);
  }
}

TEST(TableRoundTrip, arrow_says_the_types_too) {
  for (uint64_t seed : {5u, 6u}) {
    auto table = every_type_table(2000, seed);
    FakeDataset dataset;
    MemorySource source(bytes_of(table_arrow_form(), table));
    auto ingest = start_arrow_ingest(source, "t.arrow", std::make_unique<FakeRowSink>(dataset), {});
    expect_taken(*ingest);
    expect_same(*table, dataset);
  }
}

// 2^20 rows a batch: nulls in the first only, in the second only, and in both.
TEST(TableRoundTrip, arrow_of_several_batches) {
  constexpr uint64_t kRows = (1 << 20) + 1003;
  std::mt19937_64 random(7);
  auto table = std::make_shared<MemoryTable>();
  DataType text = DataType::of(TypeKind::kUtf8), small = DataType::of(TypeKind::kInt8);
  ColumnData early(small), late(text), both(DataType::of(TypeKind::kBool));
  for (uint64_t row = 0; row < kRows; ++row) {
    bool first = row < 1 << 20;
    if (first && row % 1000 == 3) {
      early.append_nulls(1);
    } else {
      early.append_value(static_cast<int8_t>(row));
    }
    if (!first && row % 10 == 0) {
      late.append_nulls(1);
    } else {
      late.append_text(std::string("0123456789").substr(0, random() % 4));
    }
    if (row % 77 == 0) {
      both.append_nulls(1);
    } else {
      both.append_value(static_cast<uint8_t>(row % 3 == 0));
    }
  }
  table->add("early", std::move(early));
  table->add("late", std::move(late));
  table->add("both", std::move(both));
  std::string bytes = bytes_of(table_arrow_form(), table);
  FakeDataset dataset;
  MemorySource source(bytes);
  auto ingest = start_arrow_ingest(source, "t.arrow", std::make_unique<FakeRowSink>(dataset), {});
  expect_taken(*ingest);
  expect_same(*table, dataset);
  // Reads anywhere, by a view that was not sized before.
  auto view = table_arrow_form().open_source(table, std::nullopt).value();
  for (int i = 0; i < 60; ++i) {
    uint64_t offset = random() % bytes.size();
    ASSERT_TRUE(read_range(*view, offset, 3000) == bytes.substr(offset, 3000)) << offset;
  }
}

TEST(TableRoundTrip, arrow_without_rows_keeps_the_types) {
  auto table = every_type_table(0, 1);
  FakeDataset dataset;
  MemorySource source(bytes_of(table_arrow_form(), table));
  auto ingest = start_arrow_ingest(source, "t.arrow", std::make_unique<FakeRowSink>(dataset), {});
  auto version = ingest->commit(true, {});
  ASSERT_TRUE(version.ok()) << version.status().message();
  expect_same(*table, dataset);
}

}  // namespace
}  // namespace stela::fsd

// What reading costs, from the I/O counters: bytes in proportion to what is asked for.
#include <gtest/gtest.h>

#include <random>

#include "engine/io/counting_env.h"
#include "engine/io/memory_env.h"
#include "engine/store/store.h"

namespace stela {
namespace {

constexpr uint64_t kColumns = 20;

class StoreReadsTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.background = false;
    env_ = std::make_shared<CountingEnv>(memory_env());
    auto store = Store::create(env_, options_);
    ASSERT_TRUE(store.ok()) << store.status().message();
    store_ = std::move(store).value();
  }

  // Closed, so that everything is in files, and opened with nothing cached.
  void reopen() {
    ASSERT_TRUE(store_->close().ok());
    store_.reset();
    auto store = Store::open(env_, options_);
    ASSERT_TRUE(store.ok()) << store.status().message();
    store_ = std::move(store).value();
  }

  uint64_t scan(const std::vector<std::string>& columns) {
    uint64_t before = env_->counters().total().read_bytes;
    Snapshot head = store_->table("/t")->head().value();
    auto scanner = head.scan(columns, 0, head.rows()).value();
    uint64_t rows = 0;
    for (Batch batch; scanner->next(&batch).value();) rows += batch.rows();
    EXPECT_EQ(rows, head.rows());
    return env_->counters().total().read_bytes - before;
  }

  StoreOptions options_;
  std::shared_ptr<CountingEnv> env_;
  std::unique_ptr<Store> store_;
};

// Random values, which no encoding makes much smaller.
Batch mixed_batch(uint64_t rows) {
  std::mt19937_64 random(31);
  Batch batch;
  for (uint64_t i = 0; i < kColumns; ++i) {
    ColumnData column(DataType::of(i % 2 == 0 ? TypeKind::kFloat64 : TypeKind::kUtf8));
    for (uint64_t row = 0; row < rows; ++row) {
      if (i % 2 == 0) {
        column.append_value(random() >> 1);
      } else {
        const uint64_t ascii = random() & 0x7f7f7f7f7f7f7f7f;
        column.append(std::as_bytes(std::span(&ascii, 1)));
      }
    }
    batch.add("c" + std::to_string(i), std::move(column));
  }
  return batch;
}

TEST_F(StoreReadsTest, AScanOfOneColumnOfTwentyReadsAtMostATenthOfTheBytes) {
  Table table = store_->create_table("/t").value();
  auto appender = table.appender().value();
  Batch batch = mixed_batch(20'000);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(appender->append(batch).ok());
  ASSERT_TRUE(appender->commit({}).ok());
  reopen();
  uint64_t plain_bytes = 100'000 * kColumns * 8;
  for (const char* column : {"c6", "c7"}) {
    uint64_t bytes = scan({column});
    EXPECT_GE(bytes, plain_bytes / kColumns) << column;  // it did read the values
    EXPECT_LE(bytes, plain_bytes / 10) << column;
  }
  EXPECT_GE(scan({}), plain_bytes * 8 / 10);
}

TEST_F(StoreReadsTest, AScanOfRowsOfManySmallAppendsReadsOnlyItsColumn) {
  Table table = store_->create_table("/t").value();
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(table.append(mixed_batch(1'000), {}).ok());
    if (i % 10 == 9) {
      ASSERT_TRUE(store_->maintain(true).ok());
    }
  }
  reopen();
  EXPECT_LE(scan({"c7"}), 30'000 * kColumns * 8 / 10);
}

TEST_F(StoreReadsTest, OneValueOfAWideTableReadsAsMuchWhateverTheNumberOfColumns) {
  uint64_t bytes_of_few = 0;
  for (uint64_t columns : {100, 20'000}) {
    std::string path = "/w" + std::to_string(columns);
    Table table = store_->create_table(path).value();
    Batch batch;
    for (uint64_t i = 0; i < columns; ++i) {
      batch.add("c" + std::to_string(i), ColumnData(DataType::of(TypeKind::kInt64)));
      for (int64_t row = 0; row < 3; ++row) batch.columns.back().append_value(static_cast<int64_t>(i) + row);
    }
    ASSERT_TRUE(table.append(batch, {}).ok());
    reopen();
    uint64_t before = env_->counters().total().read_bytes;
    Snapshot head = store_->table(path)->head().value();
    ColumnData value = head.read("c57", 1, 1).value();
    EXPECT_EQ(*reinterpret_cast<const int64_t*>(value.view().values), 58);
    uint64_t bytes = env_->counters().total().read_bytes - before;
    if (bytes_of_few == 0) bytes_of_few = bytes;
    EXPECT_LE(bytes, bytes_of_few + 65'536) << columns << " columns";
  }
}

TEST_F(StoreReadsTest, AFlatFileJustWrittenIsHandedOutWithoutReadingIt) {
  Table table = store_->create_table("/t").value();
  auto writer = table.column_writer({"v", DataType::of(TypeKind::kInt64), false}, false).value();
  ColumnData values(DataType::of(TypeKind::kInt64));
  for (int64_t row = 0; row < 500'000; ++row) values.append_value(row);
  ASSERT_TRUE(writer->append(values.view()).ok());
  ASSERT_TRUE(writer->commit({}).ok());
  auto flat_bytes_read = [&] {
    uint64_t before = env_->counters().of(FileKind::kFlat).read_bytes;
    Snapshot head = store_->table("/t")->head().value();
    EXPECT_TRUE(head.flat(head.column("v").value(), 0).value().has_value());
    return env_->counters().of(FileKind::kFlat).read_bytes - before;
  };
  EXPECT_EQ(flat_bytes_read(), 0u);
  reopen();  // what another process left is read and checked first
  Snapshot head = store_->table("/t")->head().value();
  EXPECT_FALSE(head.flat(head.column("v").value(), 0).value().has_value());
}

TEST_F(StoreReadsTest, ReadingIntoAnotherTypeIsRefused) {
  Table table = store_->create_table("/t").value();
  DataType type = DataType::tensor(TypeKind::kFloat32, {384});
  auto writer = table.column_writer({"v", type, false}, false).value();
  ColumnData values(type);
  std::fill_n(reinterpret_cast<float*>(values.grow_fixed(1'000)), 1'000 * 384, 1.0F);
  ASSERT_TRUE(writer->append(values.view()).ok());
  ASSERT_TRUE(writer->commit({}).ok());
  Snapshot head = table.head().value();
  ColumnInfo column = head.column("v").value();
  ColumnData wrong;  // int64
  EXPECT_EQ(head.read(column, 5, 1, wrong).code(), Code::kInvalid);
  std::vector<uint64_t> rows{5};
  Status status = head.read_rows(column, rows, wrong);
  EXPECT_EQ(status.code(), Code::kInvalid);
  EXPECT_NE(status.message().find("float32[384]"), std::string::npos) << status.message();
  EXPECT_EQ(wrong.rows(), 0u);
}

}  // namespace
}  // namespace stela

// The store as a library: versions, conflicts, upkeep, and many threads at once.
#include "engine/store/store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "engine/io/memory_env.h"

namespace stela {
namespace {

ColumnData integers(const std::vector<int64_t>& values) {
  ColumnData column(DataType::of(TypeKind::kInt64));
  for (int64_t value : values) column.append_value(value);
  return column;
}

Batch rows_of(const std::vector<int64_t>& values) {
  Batch batch;
  return batch.add("a", integers(values));
}

std::vector<int64_t> read(const Snapshot& snapshot, std::string_view column) {
  auto data = snapshot.read(column, 0, snapshot.rows());
  EXPECT_TRUE(data.ok()) << data.status().message();
  if (!data.ok()) return {};
  const auto* values = reinterpret_cast<const int64_t*>(data->view().values);
  return {values, values + data->rows()};
}

class StoreTest : public ::testing::Test {
 protected:
  void open(StoreOptions options) {
    store_.reset();
    auto store = env_ == nullptr ? Store::create(env_ = memory_env(3), options) : Store::open(env_, options);
    ASSERT_TRUE(store.ok()) << store.status().message();
    store_ = std::move(*store);
  }
  Table make_table(const char* path) {
    auto table = store_->create_table(path);
    EXPECT_TRUE(table.ok());
    return *table;
  }
  static void must(const Status& status) { ASSERT_TRUE(status.ok()) << status.message(); }
  static uint64_t latest(const Table& table) { return table.latest()->value; }

  std::shared_ptr<MemoryEnv> env_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, EachVersionKeepsItsRows) {
  open({.background = false});
  Table table = make_table("/t");
  for (int64_t value = 1; value <= 5; value++) must(table.append(rows_of({value}), {}).status());
  for (uint64_t version = 1; version <= 5; version++) {
    auto snapshot = table.at(VersionNumber{version});
    ASSERT_TRUE(snapshot.ok());
    EXPECT_EQ(version, snapshot->rows());
    EXPECT_EQ(static_cast<int64_t>(version), read(*snapshot, "a").back());
  }
  EXPECT_EQ(Code::kNotFound, table.at(VersionNumber{6}).status().code());
}

TEST_F(StoreTest, TwoReplacementsBegunOnOneVersionMakeOneCommit) {
  open({.background = false});
  Table table = make_table("/t");
  must(table.append(rows_of({1, 2}), {}).status());
  must(table.append(rows_of({3}), {}).status());
  VersionNumber base = *table.latest();
  auto replace = [&](int64_t value) {
    auto writer = table.column_writer({"a", DataType::of(TypeKind::kInt64), true}, true, base);
    EXPECT_TRUE(writer.ok());
    EXPECT_TRUE((*writer)->append(integers({value, value, value}).view()).ok());
    return (*writer)->commit({.author = "me"}).status();
  };
  must(replace(7));
  Status second = replace(8);  // its writer is made after the first commit, but stands on the version before
  EXPECT_EQ(Code::kConflict, second.code());
  EXPECT_NE(std::string::npos, second.message().find("version 3")) << second.message();
  EXPECT_EQ((std::vector<int64_t>{7, 7, 7}), read(*table.head(), "a"));
}

TEST_F(StoreTest, ANewColumnOfTheOldLengthLosesAgainstAnAppend) {
  open({.background = false});
  Table table = make_table("/t");
  must(table.append(rows_of({1, 2}), {}).status());
  auto writer = table.column_writer({"b", DataType::of(TypeKind::kInt64), true}, false);
  ASSERT_TRUE(writer.ok());
  must((*writer)->append(integers({5, 6}).view()));
  must(table.append(rows_of({3}), {}).status());
  EXPECT_EQ(Code::kConflict, (*writer)->commit({}).status().code());
  EXPECT_EQ(Code::kNotFound, table.head()->column("b").status().code());
}

TEST_F(StoreTest, ThousandsOfCommitsLeaveAHandfulOfFiles) {
  open({.background = false, .flush_log_bytes = 256 << 10, .flush_tail_bytes = 16 << 10});
  Table table = make_table("/t");
  constexpr int64_t kRows = 3000;
  for (int64_t value = 0; value < kRows; value++) {
    must(table.append(rows_of({value}), {}).status());
    if (value % 50 == 0) must(store_->maintain(false));
  }
  must(store_->maintain(true));
  EXPECT_LT(store_->counters().data_files, 50u);
  auto values = read(*table.head(), "a");
  ASSERT_EQ(static_cast<size_t>(kRows), values.size());
  for (int64_t value = 0; value < kRows; value++) ASSERT_EQ(value, values[static_cast<size_t>(value)]);
  must(store_->close());
  open({.background = false});
  EXPECT_EQ(static_cast<uint64_t>(kRows), latest(*store_->table("/t")));
  EXPECT_EQ(1235u, store_->table("/t")->at(VersionNumber{1235})->rows());
}

// Each thread's rows are there once and in order, each version is one commit, and readers see whole versions.
TEST_F(StoreTest, ConcurrentAppendsReadersAndUpkeep) {
  open({.flush_log_bytes = 128 << 10, .flush_tail_bytes = 8 << 10});
  Table table = make_table("/t");
  must(table.append(rows_of({-1}), {}).status());
  constexpr int64_t kWriters = 4, kEach = 150;
  std::atomic<bool> writing = true;
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int64_t writer = 0; writer < kWriters; writer++) {
    threads.emplace_back([&, writer] {
      for (int64_t i = 0; i < kEach; i++) {
        if (!table.append(rows_of({writer * 1000 + i, writer * 1000 + i}), {}).ok()) failures++;
      }
    });
  }
  std::thread reader([&] {
    uint64_t rows_before = 0;
    while (writing) {
      auto head = table.head();
      if (!head.ok() || head->rows() < rows_before || head->rows() % 2 != 1) {
        failures++;
        break;
      }
      rows_before = head->rows();
      auto values = read(*head, "a");
      for (size_t i = 1; i < values.size(); i += 2) failures += values[i] != values[i + 1];
    }
  });
  std::thread upkeep([&] {
    while (writing) failures += !store_->maintain(true).ok();
  });
  for (std::thread& thread : threads) thread.join();
  writing = false;
  reader.join();
  upkeep.join();
  EXPECT_EQ(0, failures);
  EXPECT_EQ(1u + kWriters * kEach, latest(table));
  std::vector<int64_t> next(kWriters, 0);
  auto values = read(*table.head(), "a");
  for (size_t i = 1; i < values.size(); i += 2) {
    auto writer = static_cast<size_t>(values[i] / 1000);
    ASSERT_EQ(next[writer]++, values[i] % 1000);
  }
}

// What `latest` says can be opened: nothing that is only half published is named.
TEST_F(StoreTest, ConcurrentLatestIsAlwaysThere) {
  open({});
  Table table = make_table("/t");
  must(table.append(rows_of({-1}), {}).status());
  std::atomic<bool> writing = true;
  std::atomic<int> failures = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; i++) {
    readers.emplace_back([&] {
      while (writing) {
        auto newest = table.latest();
        failures += !newest.ok() || !table.version(*newest).ok();
      }
    });
  }
  for (int64_t i = 0; i < 3000; i++) must(table.append(rows_of({i}), {}).status());
  writing = false;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(0, failures);
}

}  // namespace
}  // namespace stela

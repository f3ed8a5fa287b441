// Cells changed in place: what versions show, conflicts, statistics, recovery.
#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <thread>

#include "engine/io/manual_clock.h"
#include "engine/io/memory_env.h"
#include "engine/store/store.h"
#include "tests/engine/cells_fixture.h"

namespace stela {
namespace {

using cells::Cells;
using cells::cells_of;
using cells::data_of;
using cells::read;

class StoreUpdates : public ::testing::Test {
 protected:
  void open(StoreOptions options) {
    options.background = false;
    store_.reset();
    auto store = env_ == nullptr ? Store::create(env_ = memory_env(3), options) : Store::open(env_, options);
    ASSERT_TRUE(store.ok()) << store.status().message();
    store_ = std::move(*store);
  }
  Table make_table(const Cells& cells) {
    auto table = store_->create_table("/t");
    EXPECT_TRUE(table.ok());
    Batch batch;
    EXPECT_TRUE(table->append(batch.add("a", data_of(cells)).add("b", data_of(cells)), {.author = "ann"}).ok());
    return *table;
  }
  static void must(const Status& status) { ASSERT_TRUE(status.ok()) << status.message(); }
  static Status update(const Table& table, const std::vector<uint64_t>& rows, const Cells& values,
                       const UpdateBase& base = {}, std::string_view column = "a") {
    auto writer = table.update_writer(column, base);
    if (!writer.ok()) return writer.status();
    ColumnData data = data_of(values);
    STELA_TRY((*writer)->write(rows, data.view()));
    return (*writer)->commit({.author = "bob"}).status();
  }
  static Cells range(int64_t count) {
    Cells cells;
    for (int64_t i = 0; i < count; ++i) cells.emplace_back(i);
    return cells;
  }

  std::shared_ptr<MemoryEnv> env_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreUpdates, AVersionKeepsItsCellsAndTheNextHasTheNewOnes) {
  open({});
  Table table = make_table(range(10));
  auto before = table.head();
  must(update(table, {2, 7}, {20, std::nullopt}));
  EXPECT_EQ(range(10), read(*before, "a"));
  EXPECT_EQ(range(10), read(*table.at(VersionNumber{1}), "a"));
  Cells expected = range(10);
  expected[2] = 20;
  expected[7].reset();
  auto head = table.head();
  EXPECT_EQ(expected, read(*head, "a"));
  EXPECT_EQ(range(10), read(*head, "b"));
  EXPECT_EQ("update", head->version().operation);
  EXPECT_EQ(10u, head->rows());
  EXPECT_EQ(1u, head->totals(*head->column("a"))->nulls);
  ColumnData some(DataType::of(TypeKind::kInt64));
  std::vector<uint64_t> rows{1, 2, 7, 9};
  must(head->read_rows(*head->column("a"), rows, some));
  EXPECT_EQ((Cells{1, 20, std::nullopt, 9}), cells_of(some.view()));
  // The identity of the content changes with the column's cells, and of no other column.
  EXPECT_NE(head->column("a")->change, before->column("a")->change);
  EXPECT_EQ(head->column("b")->change, before->column("b")->change);
}

TEST_F(StoreUpdates, StatisticsAreThoseOfTheValuesSeen) {
  open({.flat_bytes_min = 1024, .statistics_rows = 16});
  Table table = make_table(range(200));
  must(store_->maintain(true));
  must(update(table, {0, 199}, {50, std::nullopt}));
  auto head = table.head();
  auto statistics = head->statistics(*head->column("a"));
  ASSERT_TRUE(statistics.ok());
  EXPECT_EQ(200u, statistics->rows);
  EXPECT_EQ(1u, statistics->nulls);
  EXPECT_EQ(1, get_fixed<int64_t>(statistics->min.data()));
  EXPECT_EQ(198, get_fixed<int64_t>(statistics->max.data()));
}

TEST_F(StoreUpdates, WhatIsWrittenAsItWasIsNoChange) {
  open({});
  Table table = make_table(range(10));
  must(update(table, {3, 4}, {3, 4}));
  EXPECT_EQ(1u, table.latest()->value);
  auto writer = table.update_writer("a");
  std::vector<uint64_t> all(10);
  std::iota(all.begin(), all.end(), 0);
  Cells cells = range(10);
  cells[5] = 55;
  must((*writer)->write(all, data_of(cells).view()));
  EXPECT_EQ(1u, (*writer)->cells());
}

TEST_F(StoreUpdates, TenCellsOfManyAreTenCellsInTheLog) {
  open({});
  constexpr int64_t kRows = 500'000;
  Table table = make_table(range(kRows));
  must(store_->maintain(true));
  StoreCounters before = store_->counters();
  std::vector<uint64_t> rows;
  Cells values;
  for (uint64_t i = 0; i < 10; ++i) {
    rows.push_back(i * 50'000 + 17);
    values.emplace_back(-1);
  }
  must(update(table, rows, values));
  StoreCounters after = store_->counters();
  EXPECT_LE(after.log_bytes - before.log_bytes, 4096u);
  EXPECT_EQ(before.data_bytes, after.data_bytes);
  auto head = table.head();
  EXPECT_FALSE(head->flat(*head->column("a"), 0)->has_value());
  EXPECT_TRUE(table.at(VersionNumber{1})->flat(*table.at(VersionNumber{1})->column("a"), 1'000'000'000).ok());
  EXPECT_EQ((Cells{-1}), cells_of(head->read("a", 450'017, 1)->view()));
}

TEST_F(StoreUpdates, ManyCellsGoIntoAFileAndStayThere) {
  open({.inline_bytes_max = 600, .entries_inline_max = 700});
  Table table = make_table(range(9000));
  Cells expected = range(9000);
  std::vector<uint64_t> rows;
  Cells values;
  for (uint64_t row = 0; row < 9000; row += 3) {
    rows.push_back(row);
    values.emplace_back(-static_cast<int64_t>(row));
    expected[row] = -static_cast<int64_t>(row);
  }
  must(update(table, rows, values));
  for (int round = 0; round < 3; ++round) {
    must(store_->maintain(true));
    EXPECT_EQ(expected, read(*table.head(), "a"));
    bool damaged = false;
    must(store_->check([&](const DamageReport&) { damaged = true; }));
    EXPECT_FALSE(damaged);
    open({.inline_bytes_max = 600, .entries_inline_max = 700});
    table = *store_->table("/t");
  }
  EXPECT_EQ(range(9000), read(*table.at(VersionNumber{1}), "a"));
}

TEST_F(StoreUpdates, TheSecondWriterOfACellLosesAndIsToldToWhom) {
  open({});
  Table table = make_table(range(10));
  UpdateBase base{.version = VersionNumber{1}, .own = {}, .own_newest = {}};
  must(update(table, {4}, {40}, base));
  Status second = update(table, {3, 4}, {30, 41}, base);
  EXPECT_EQ(Code::kConflict, second.code());
  EXPECT_NE(std::string::npos, second.message().find("row 4 of column 'a' was changed by version 2 (update, by bob"))
      << second.message();
  EXPECT_EQ(2u, table.latest()->value);
  must(update(table, {3, 5}, {30, 50}, base));  // other rows of the same granule
  must(update(table, {4}, {44}, base, "b"));    // another column
  Cells expected = range(10);
  expected[3] = 30;
  expected[4] = 40;
  expected[5] = 50;
  EXPECT_EQ(expected, read(*table.head(), "a"));
}

TEST_F(StoreUpdates, ARefusedUpdateLeavesNoFiles) {
  StoreOptions small{.inline_bytes_max = 600, .entries_inline_max = 700};
  open(small);
  Table table = make_table(range(5000));
  must(store_->maintain(true));
  UpdateBase base{.version = VersionNumber{1}, .own = {}, .own_newest = {}};
  std::vector<uint64_t> rows(4000);
  std::iota(rows.begin(), rows.end(), 0);
  must(update(table, {17}, {-17}, base));
  auto files = env_->files().list("data/0");
  EXPECT_EQ(Code::kConflict, update(table, rows, Cells(4000, 8), base).code());
  EXPECT_EQ(files->size(), env_->files().list("data/0")->size());
}

TEST_F(StoreUpdates, AWritersOwnCommitsAreNoConflict) {
  open({});
  Table table = make_table(range(10));
  UpdateBase base{.version = VersionNumber{1}, .own = {}, .own_newest = {}};
  must(update(table, {4}, {40}, base));
  VersionInfo mine = table.head()->version();
  must(update(table, {7}, {70}, base));  // somebody else's
  base.own.push_back(mine.sequence);
  base.own_newest = mine.number;
  must(update(table, {4}, {41}, base));
  EXPECT_EQ(Code::kConflict, update(table, {7}, {71}, base).code());
}

TEST_F(StoreUpdates, AppendsRenamesAndOtherColumnsAreNoConflictAndReplacementIs) {
  open({});
  Table table = make_table(range(4));
  UpdateBase base{.version = VersionNumber{1}, .own = {}, .own_newest = {}};
  Batch more;
  must(table.append(more.add("a", data_of({4})).add("b", data_of({4})), {}).status());
  must(table.rename_column("a", "c", false, {}).status());
  must(update(table, {1}, {10}, base));
  EXPECT_EQ((Cells{0, 10, 2, 3, 4}), read(*table.head(), "c"));
  VersionNumber now = *table.latest();
  // A replacement that began before an update of the column loses, and the other way round.
  auto replacement = table.column_writer({"c", DataType::of(TypeKind::kInt64), true}, true, now);
  must((*replacement)->append(data_of({9, 9, 9, 9, 9}).view()));
  must(update(table, {0}, {-1}, {now, {}, {}}, "c"));
  Status lost = (*replacement)->commit({}).status();
  EXPECT_EQ(Code::kConflict, lost.code());
  EXPECT_NE(std::string::npos, lost.message().find("changed by version 5")) << lost.message();
  now = *table.latest();
  auto again = table.column_writer({"c", DataType::of(TypeKind::kInt64), true}, true, now);
  must((*again)->append(data_of({9, 9, 9, 9, 9}).view()));
  must((*again)->commit({}).status());
  Status replaced = update(table, {0}, {-2}, {now, {}, {}}, "c");
  EXPECT_EQ(Code::kConflict, replaced.code());
  EXPECT_NE(std::string::npos, replaced.message().find("version 6")) << replaced.message();
}

TEST_F(StoreUpdates, BadUpdatesAreRefusedWithASentence) {
  open({});
  Table table = make_table(range(4));
  EXPECT_EQ(Code::kNotFound, table.update_writer("nope").status().code());
  EXPECT_EQ(Code::kInvalid, update(table, {4}, {1}).code());
  EXPECT_EQ(Code::kInvalid, update(table, {2, 1}, {1, 1}).code());
  EXPECT_EQ(Code::kInvalid, update(table, {2}, {1, 1}).code());
  ColumnData text(DataType::of(TypeKind::kUtf8));
  text.append_text("x");
  std::vector<uint64_t> row{0};
  EXPECT_EQ(Code::kInvalid, table.update("a", row, text.view(), {}).status().code());
  EXPECT_EQ(1u, table.latest()->value);
}

TEST_F(StoreUpdates, AFoldedColumnIsOneFlatFileAgainAndNoVersionChanges) {
  open({});
  constexpr int64_t kRows = 200'000;
  Table table = make_table(range(kRows));
  must(store_->maintain(true));
  must(update(table, {5, 150'000}, {-5, std::nullopt}));
  Cells second = range(kRows);
  second[5] = -5;
  second[150'000].reset();
  auto held = table.head();
  EXPECT_FALSE(held->flat(*held->column("a"), 0)->has_value());
  must(store_->maintain(true));
  EXPECT_EQ(1u, store_->counters().folds);
  auto head = table.head();
  EXPECT_EQ(held->column("a")->change, head->column("a")->change);
  EXPECT_TRUE(head->flat(*head->column("a"), 1'000'000'000)->has_value());
  EXPECT_EQ(1u, head->totals(*head->column("a"))->nulls);
  EXPECT_EQ(second, read(*head, "a"));
  EXPECT_EQ(second, read(*held, "a"));
  EXPECT_EQ(range(kRows), read(*table.at(VersionNumber{1}), "a"));
  // Over the folded column new patches lie; the next fold takes the place of the first.
  must(update(table, {5, 6}, {55, 66}));
  Cells third = second;
  third[5] = 55;
  third[6] = 66;
  EXPECT_EQ(third, read(*table.head(), "a"));
  Batch more;
  must(table.append(more.add("a", data_of({7})).add("b", data_of({7})), {}).status());
  uint64_t files = store_->counters().data_files;
  held = {Status(Code::kNotFound, "")};
  head = {Status(Code::kNotFound, "")};
  must(store_->maintain(true));
  must(store_->maintain(true));
  EXPECT_EQ(2u, store_->counters().folds);
  EXPECT_LE(store_->counters().data_files, files + 1);  // the tail's
  Cells fourth = third;
  fourth.emplace_back(7);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(range(kRows), read(*table.at(VersionNumber{1}), "a"));
    EXPECT_EQ(second, read(*table.at(VersionNumber{2}), "a"));
    EXPECT_EQ(third, read(*table.at(VersionNumber{3}), "a"));
    EXPECT_EQ(fourth, read(*table.head(), "a"));
    EXPECT_TRUE(table.head()->flat(*table.head()->column("a"), 1'000'000'000)->has_value());
    bool damaged = false;
    must(store_->check([&](const DamageReport&) { damaged = true; }));
    EXPECT_FALSE(damaged);
    open({});
    table = *store_->table("/t");
  }
}

TEST_F(StoreUpdates, ManyUpdatesOfOneGranuleAreEachKept) {
  open({.merge_factor = 3});
  Table table = make_table(Cells(100, 0));
  for (uint64_t i = 0; i < 600; ++i) {
    must(update(table, {i % 100}, {static_cast<int64_t>(i + 1)}));
    if (i % 150 == 149) must(store_->maintain(i % 300 == 299));
  }
  for (uint64_t version : {1, 2, 8, 9, 10, 101, 102, 333, 601}) {
    Cells expected(100, 0);
    for (uint64_t i = 0; i + 1 < version; ++i) expected[i % 100] = static_cast<int64_t>(i + 1);
    EXPECT_EQ(expected, read(*table.at(VersionNumber{version}), "a")) << version;
  }
}

TEST_F(StoreUpdates, ConcurrentUpdatesOfOneGranuleAllStand) {
  open({});
  Table table = make_table(Cells(64, 0));
  std::vector<std::thread> threads;
  for (uint64_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (uint64_t i = 0; i < 16; ++i) {
        Status status = update(table, {i * 4 + thread}, {static_cast<int64_t>(1 + thread)});
        EXPECT_TRUE(status.ok()) << status.message();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Cells expected;
  for (uint64_t row = 0; row < 64; ++row) expected.emplace_back(1 + row % 4);
  EXPECT_EQ(expected, read(*table.head(), "a"));
}

TEST_F(StoreUpdates, ConcurrentUpdatesOfOneCellLoseNone) {
  open({});
  Table table = make_table(Cells(4, 0));
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        while (true) {
          auto head = table.head();
          int64_t value = *read(*head, "a")[1];
          Status status = update(table, {1}, {value + 1}, {head->version().number, {}, {}});
          if (status.ok()) break;
          ASSERT_EQ(Code::kConflict, status.code()) << status.message();
        }
        ++done;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(100, *read(*table.head(), "a")[1]);
}

}  // namespace
}  // namespace stela

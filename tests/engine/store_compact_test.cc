// Compaction on demand: what versions show stays, whatever happens beside it, and cold is smaller.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "engine/io/memory_env.h"
#include "engine/store/store.h"

namespace stela {
namespace {

constexpr int64_t kRows = 60'000;

class StoreCompact : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    store_.reset();
    StoreOptions options{.background = false, .flat_bytes_min = 64 << 10};
    auto store = env_ == nullptr ? Store::create(env_ = memory_env(5), options) : Store::open(env_, options);
    ASSERT_TRUE(store.ok()) << store.status().message();
    store_ = std::move(*store);
  }
  static void must(const Status& status) { ASSERT_TRUE(status.ok()) << status.message(); }
  static int64_t number(int64_t row) { return row * 37 + row * row % 5001; }
  static Batch rows(int64_t first, int64_t count) {
    ColumnData numbers(DataType::of(TypeKind::kInt64)), noise(DataType::of(TypeKind::kFloat64));
    ColumnData texts(DataType::of(TypeKind::kUtf8));
    for (int64_t row = first; row < first + count; ++row) {
      numbers.append_value(number(row));
      noise.append_value(1.0 / static_cast<double>(row + 1));
      if (row % 10 == 3) {
        texts.append_nulls(1);
      } else {
        texts.append_text("the line of number " + std::to_string(row * 7919 % 10007) + " of all lines");
      }
    }
    Batch batch;
    batch.add("number", std::move(numbers)).add("noise", std::move(noise)).add("text", std::move(texts));
    return batch;
  }
  // Bytes and validity of every column of every version.
  static std::string shown(const Table& table) {
    std::string all;
    for (uint64_t version = 1; version <= table.latest()->value; ++version) {
      auto snapshot = table.at(VersionNumber{version});
      const std::vector<ColumnInfo> columns = *snapshot->columns();
      for (const ColumnInfo& column : columns) {
        auto data = snapshot->read(column.name, 0, snapshot->rows());
        EXPECT_TRUE(data.ok()) << data.status().message();
        if (!data.ok()) return {};
        for (uint64_t row = 0; row < data->rows(); ++row) {
          all += data->view().is_valid(row) ? '1' : '0';
          all += as_text(data->view().value(row));
        }
      }
    }
    return std::to_string(all.size()) + " " + std::to_string(hash64(all));
  }
  void check() {
    must(store_->check([](const DamageReport& report) { ADD_FAILURE() << report.reason; }));
  }

  std::shared_ptr<MemoryEnv> env_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreCompact, ColdIsSmallerAndEveryVersionStays) {
  Table table = *store_->create_table("/t");
  must(table.append(rows(0, kRows), {}).status());
  must(table.append(rows(kRows, 500), {}).status());
  std::vector<uint64_t> some{5, 700, kRows + 3};
  ColumnData values(DataType::of(TypeKind::kInt64));
  for (int64_t value : {1, 2, 3}) values.append_value(value);
  must(table.update("number", some, values.view(), {}).status());
  must(table.drop_column("noise", {}).status());
  must(table.restore(VersionNumber{3}, {}).status());
  const std::string before = shown(table);
  auto cold = store_->compact(table.id(), {.cold = true, .progress = {}});
  ASSERT_TRUE(cold.ok()) << cold.status().message();
  EXPECT_LT(cold->bytes_after, cold->bytes_before / 10 * 7);
  EXPECT_EQ(before, shown(table));
  check();
  // Once more there is nothing to gain.
  auto again = store_->compact(table.id(), {.cold = true, .progress = {}});
  EXPECT_EQ(cold->bytes_after, again->bytes_before);
  EXPECT_EQ(again->bytes_after, again->bytes_before);
  EXPECT_EQ(before, shown(table));
  open();
  Table reopened = *store_->table("/t");
  EXPECT_EQ(before, shown(reopened));
  // Back to the form of new rows.
  auto light = store_->compact(reopened.id(), {.cold = false, .progress = {}});
  ASSERT_TRUE(light.ok()) << light.status().message();
  EXPECT_GT(light->bytes_after, light->bytes_before);
  EXPECT_EQ(before, shown(reopened));
  check();
}

TEST_F(StoreCompact, AppendsReadersAndUpkeepGoOn) {
  Table table = *store_->create_table("/t");
  must(table.append(rows(0, 20'000), {}).status());
  std::atomic<bool> writing = true;
  std::atomic<int> failures = 0;
  std::thread writer([&] {
    for (int64_t i = 0; i < 40; ++i) failures += !table.append(rows(20'000 + i * 50, 50), {}).ok();
    writing = false;
  });
  std::thread upkeep([&] {
    while (writing) failures += !store_->maintain(true).ok();
  });
  uint64_t compactions = 0;
  do {
    failures += !store_->compact(table.id(), {.cold = compactions % 2 == 0, .progress = {}}).ok();
    auto head = table.head();
    auto numbers = head->read("number", 0, head->rows());
    ASSERT_TRUE(numbers.ok()) << numbers.status().message();
    for (uint64_t row = 0; row < numbers->rows(); ++row) {
      ASSERT_EQ(number(static_cast<int64_t>(row)), get_fixed<int64_t>(numbers->view().value(row).data())) << row;
    }
    ++compactions;
  } while (writing);
  writer.join();
  upkeep.join();
  EXPECT_EQ(0, failures);
  EXPECT_EQ(22'000u, table.head()->rows());
  check();
}

TEST_F(StoreCompact, StopsWhenItIsNotWanted) {
  Table table = *store_->create_table("/t");
  must(table.append(rows(0, 2000), {}).status());
  auto report = store_->compact(table.id(), {.cold = true, .progress = [](uint64_t, uint64_t) { return false; }});
  EXPECT_EQ(Code::kDeadline, report.status().code());
  check();
}

}  // namespace
}  // namespace stela

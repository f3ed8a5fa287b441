// Going back to an older version: rows, cells, columns and names; undoing it; what others do meanwhile.
#include "engine/store/store.h"

#include <gtest/gtest.h>

#include "engine/io/memory_env.h"
#include "engine/store/living_rows.h"

namespace stela {
namespace {

using Cells = std::vector<int64_t>;

ColumnData data_of(const Cells& cells) {
  ColumnData column(DataType::of(TypeKind::kInt64));
  for (int64_t cell : cells) column.append_value(cell);
  return column;
}

class StoreRestore : public ::testing::Test {
 protected:
  StoreRestore() : env_(memory_env(3)), store_(Store::create(env_, options()).value()) {
    table_.emplace(store_->create_table("/t").value());
  }
  static StoreOptions options() { return {.background = false}; }
  static void must(const Status& status) { ASSERT_TRUE(status.ok()) << status.message(); }
  Status append(const Cells& cells, const char* column = "a") {
    Batch batch;
    return table_->append(batch.add(column, data_of(cells)), {}).status();
  }
  Status update(const std::vector<uint64_t>& rows, const Cells& cells) {
    return table_->update("a", rows, data_of(cells).view(), {}).status();
  }
  Status add_column(const char* name, const Cells& cells) {
    STELA_ASSIGN(auto writer, table_->column_writer({name, DataType::of(TypeKind::kInt64), true}, true));
    STELA_TRY(writer->append(data_of(cells).view()));
    return writer->commit({}).status();
  }
  Status restore(uint64_t version) { return table_->restore(VersionNumber{version}, {.author = "ann"}).status(); }
  Cells read(const char* column = "a", uint64_t version = 0) {
    auto snapshot = table_->at(VersionNumber{version});
    auto data = snapshot->read(column, 0, snapshot->rows());
    if (!data.ok()) return {-9999};
    const auto* values = reinterpret_cast<const int64_t*>(data->view().values);
    return {values, values + data->rows()};
  }
  void reopen() {
    store_.reset();
    store_ = Store::open(env_, options()).value();
    table_.emplace(store_->table("/t").value());
  }

  std::shared_ptr<MemoryEnv> env_;
  std::unique_ptr<Store> store_;
  std::optional<Table> table_;
};

TEST_F(StoreRestore, RowsAndCellsGoBackAndComeAgain) {
  must(append({0, 1, 2}));
  must(append({3, 4}));
  must(update({1, 4}, {10, 40}));
  must(restore(1));
  EXPECT_EQ((Cells{0, 1, 2}), read());
  EXPECT_EQ("restore", table_->head()->version().operation);
  EXPECT_EQ(4u, table_->latest()->value);
  must(append({5}));
  EXPECT_EQ((Cells{0, 1, 2, 5}), read());
  must(update({3, 0}, {0, 0}).ok() ? Status() : update({0, 3}, {-1, 50}));
  EXPECT_EQ((Cells{-1, 1, 2, 50}), read());
  must(restore(3));  // undoes the restoring
  EXPECT_EQ((Cells{0, 10, 2, 3, 40}), read());
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ((Cells{0, 1, 2}), read("a", 1));
    EXPECT_EQ((Cells{0, 1, 2, 3, 4}), read("a", 2));
    EXPECT_EQ((Cells{0, 10, 2, 3, 40}), read("a", 3));
    EXPECT_EQ((Cells{0, 1, 2}), read("a", 4));
    EXPECT_EQ((Cells{0, 1, 2, 5}), read("a", 5));
    EXPECT_EQ((Cells{-1, 1, 2, 50}), read("a", 6));
    EXPECT_EQ((Cells{0, 10, 2, 3, 40}), read("a", 7));
    must(store_->maintain(true));
    reopen();
  }
  EXPECT_FALSE(table_->restore(VersionNumber{7}, {})->has_value());
  EXPECT_EQ(Code::kNotFound, restore(8).code());
  EXPECT_EQ(Code::kNotFound, restore(0).code());
  EXPECT_EQ(7u, table_->latest()->value);
}

TEST_F(StoreRestore, ColumnsAndTheirNamesGoBack) {
  must(append({0, 1, 2}));
  must(add_column("b", {7, 8, 9}));
  must(table_->rename_column("a", "c", false, {}).status());
  must(table_->drop_column("b", {}).status());
  must(append({3}, "c"));
  must(restore(2));
  EXPECT_EQ((Cells{0, 1, 2}), read("a"));
  EXPECT_EQ((Cells{7, 8, 9}), read("b"));
  EXPECT_EQ(Code::kNotFound, table_->head()->column("c").status().code());
  EXPECT_EQ(2u, table_->head()->columns()->size());
  Batch batch;
  must(table_->append(batch.add("a", data_of({4})).add("b", data_of({10})), {}).status());
  EXPECT_EQ((Cells{7, 8, 9, 10}), read("b"));
  must(add_column("d", {1, 2, 3, 4}));  // over a dataset with deleted rows
  EXPECT_EQ((Cells{1, 2, 3, 4}), read("d"));
  must(store_->maintain(true));
  reopen();
  EXPECT_EQ((Cells{1, 2, 3, 4}), read("d"));
  EXPECT_EQ((Cells{0, 1, 2, 4}), read("a"));
  EXPECT_EQ((Cells{0, 1, 2, 3}), read("c", 5));
}

TEST_F(StoreRestore, AColumnIsOneFlatFileAgain) {
  Cells many(200'000);
  for (size_t i = 0; i < many.size(); ++i) many[i] = static_cast<int64_t>(i);
  must(append(many));
  must(append({1, 2, 3}));
  must(restore(1));
  auto head = table_->head();
  EXPECT_TRUE(head->flat(*head->column("a"), 1'000'000'000)->has_value());
  EXPECT_EQ(200'000u, head->totals(*head->column("a"))->rows);
  EXPECT_EQ(199'999, get_fixed<int64_t>(head->statistics(*head->column("a"))->max.data()));
}

TEST_F(StoreRestore, AnUpdateOfARemovedRowLosesAndOthersDoNot) {
  must(append({0, 1, 2}));
  must(append({3, 4}));
  UpdateBase base{VersionNumber{2}, {}, {}};
  auto removed = table_->update_writer("a", base);
  auto kept = table_->update_writer("a", base);
  std::vector<uint64_t> fourth{3};
  std::vector<uint64_t> first{0};
  must((*removed)->write(fourth, data_of({30}).view()));
  must((*kept)->write(first, data_of({-1}).view()));
  must(restore(1));
  Status lost = (*removed)->commit({}).status();
  EXPECT_EQ(Code::kConflict, lost.code());
  EXPECT_NE(std::string::npos, lost.message().find("was removed by version 3 (restore, by ann")) << lost.message();
  must((*kept)->commit({}).status());
  EXPECT_EQ((Cells{-1, 1, 2}), read());
  // A column of the old length, begun before rows were exchanged.
  auto column = table_->column_writer({"b", DataType::of(TypeKind::kInt64), true}, true, VersionNumber{2});
  must((*column)->append(data_of({1, 2, 3}).view()));
  EXPECT_EQ(Code::kConflict, (*column)->commit({}).status().code());
}

TEST_F(StoreRestore, NewRowsAfterTheLastColumnWasDroppedAreOthers) {
  must(append({0, 1, 2}));
  must(table_->drop_column("a", {}).status());
  must(append({7, 8}, "z"));
  EXPECT_EQ((Cells{7, 8}), read("z"));
  must(restore(1));
  EXPECT_EQ((Cells{0, 1, 2}), read("a"));
  must(restore(3));
  EXPECT_EQ((Cells{7, 8}), read("z"));
  must(append({9}, "z"));
  EXPECT_EQ((Cells{7, 8, 9}), read("z"));
}

TEST(LivingRows, PositionsAndIdsAgreeWithAPlainList) {
  SeededRandom random(11);
  for (int round = 0; round < 200; ++round) {
    std::vector<uint64_t> ids;
    std::vector<store::RowRange> ranges;
    uint64_t next = 0;
    for (uint64_t i = random.below(8); i > 0; --i) {
      next += random.below(3) == 0 ? store::kDeletedBlockRows - 5 : 1 + random.below(9);
      uint64_t count = 1 + random.below(12);
      ranges.push_back({next, count});
      for (uint64_t row = 0; row < count; ++row) ids.push_back(next + row);
      next += count;
    }
    uint64_t all = next + random.below(5);
    store::LivingRows living = store::LivingRows::of(all, ranges);
    ASSERT_EQ(ids.size(), living.rows());
    std::vector<uint64_t> positions;
    for (uint64_t position = 0; position < ids.size(); ++position) positions.push_back(position);
    EXPECT_EQ(ids, living.ids_of(positions));
    if (!ids.empty()) {
      uint64_t first = random.below(ids.size());
      uint64_t count = random.below(ids.size() - first + 1);
      std::vector<uint64_t> visited;
      (void)living.for_each(first, count, [&](uint64_t id, uint64_t rows) {
        for (uint64_t row = 0; row < rows; ++row) visited.push_back(id + row);
        return Status();
      });
      EXPECT_EQ(std::vector<uint64_t>(ids.begin() + static_cast<std::ptrdiff_t>(first),
                                      ids.begin() + static_cast<std::ptrdiff_t>(first + count)),
                visited);
    }
    store::LivingRowsReader reader(all);
    for (uint64_t block = 0; block * store::kDeletedBlockRows < all; ++block) {
      std::string key;
      put_ordered(key, block);
      std::string bytes = living.deleted_of(block).encode();
      ASSERT_TRUE(reader.add(key, bytes).ok());
      bytes[random.below(bytes.size())] ^= static_cast<char>(1 << random.below(8));
      (void)store::DeletedEntry::decode(bytes);  // any outcome but a crash
    }
    EXPECT_EQ(living.ranges(), reader.finish().ranges());
  }
}

}  // namespace
}  // namespace stela

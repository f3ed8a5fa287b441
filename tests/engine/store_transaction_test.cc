// Transactions: what they see, what others see, conflicts, upkeep beside them.
#include <gtest/gtest.h>

#include <numeric>

#include "engine/io/memory_env.h"
#include "engine/store/store.h"

namespace stela {
namespace {

using Values = std::vector<int64_t>;

ColumnData integers(const Values& values) {
  ColumnData column(DataType::of(TypeKind::kInt64));
  for (int64_t value : values) column.append_value(value);
  return column;
}

Batch rows_of(const Values& a, const Values& b) {
  Batch batch;
  return batch.add("a", integers(a)).add("b", integers(b));
}

Values read(const Table& table, std::string_view column) {
  auto head = table.head();
  if (!head.ok()) return {-99};
  auto data = head->read(column, 0, head->rows());
  EXPECT_TRUE(data.ok()) << data.status().message();
  if (!data.ok()) return {};
  const auto* values = reinterpret_cast<const int64_t*>(data->view().values);
  return {values, values + data->rows()};
}

class StoreTransaction : public ::testing::Test {
 protected:
  void SetUp() override {
    open({});
    table_ = *store_->create_table("/t");
    must(table_.append(rows_of({1, 2, 3}, {10, 20, 30}), {.author = "ann"}).status());
  }
  void open(StoreOptions options) {
    options.background = false;
    store_.reset();
    auto store = env_ == nullptr ? Store::create(env_ = memory_env(3), options) : Store::open(env_, options);
    ASSERT_TRUE(store.ok()) << store.status().message();
    store_ = std::move(*store);
  }
  std::unique_ptr<Transaction> begin() const {
    auto begun = store_->begin();
    EXPECT_TRUE(begun.ok()) << begun.status().message();
    return std::move(*begun);
  }
  static void must(const Status& status) { ASSERT_TRUE(status.ok()) << status.message(); }
  static Status append(const Table& table, const Values& a, const Values& b) {
    return table.append(rows_of(a, b), {.author = "bob"}).status();
  }
  static Status update(const Table& table, uint64_t row, int64_t value, std::string_view column = "a") {
    ColumnData data = integers({value});
    return table.update(column, {{row}}, data.view(), {.author = "bob"}).status();
  }
  static Status save(const Table& table, const std::string& name, const Values& values) {
    auto writer = table.column_writer({name, DataType::of(TypeKind::kInt64), true}, true);
    if (!writer.ok()) return writer.status();
    ColumnData data = integers(values);
    STELA_TRY((*writer)->append(data.view()));
    return (*writer)->commit({.author = "bob"}).status();
  }

  std::shared_ptr<MemoryEnv> env_;
  std::unique_ptr<Store> store_;
  Table table_{nullptr, NodeId{}};
};

TEST_F(StoreTransaction, SeesItsOwnChangesAndNobodyElseDoes) {
  auto tx = begin();
  Table own = tx->table(table_.id());
  EXPECT_EQ((Values{1, 2, 3}), read(own, "a"));
  must(append(own, {4, 5}, {40, 50}));
  must(update(own, 0, -1));
  must(update(own, 4, -5));  // a row of its own
  must(update(own, 1, -2));
  must(save(own, "c", {7, 8, 9, 10, 11}));
  must(own.rename_column("b", "d", false, {}).status());
  EXPECT_EQ((Values{-1, -2, 3, 4, -5}), read(own, "a"));
  EXPECT_EQ((Values{10, 20, 30, 40, 50}), read(own, "d"));
  EXPECT_EQ((Values{7, 8, 9, 10, 11}), read(own, "c"));
  EXPECT_FALSE(own.head()->column("b").ok());
  EXPECT_EQ(7u, own.latest()->value);  // each change counts inside
  EXPECT_EQ((Values{1, 2, 3}), read(table_, "a"));
  EXPECT_EQ(1u, table_.latest()->value);
  must(tx->check());

  auto versions = tx->commit({.author = "cy", .message = "all of it"});
  ASSERT_TRUE(versions.ok()) << versions.status().message();
  ASSERT_EQ(1u, versions->size());
  const VersionInfo& version = versions->front().second;
  EXPECT_EQ(2u, version.number.value);
  EXPECT_EQ("transaction", version.operation);
  EXPECT_EQ("all of it", version.message);
  EXPECT_EQ("cy", version.author);
  EXPECT_EQ(2u, version.rows_added);
  for (int opened = 0; opened < 2; ++opened) {
    EXPECT_EQ((Values{-1, -2, 3, 4, -5}), read(table_, "a"));
    EXPECT_EQ((Values{10, 20, 30, 40, 50}), read(table_, "d"));
    EXPECT_EQ((Values{7, 8, 9, 10, 11}), read(table_, "c"));
    EXPECT_EQ(2u, table_.latest()->value);
    auto first = table_.at(VersionNumber{1})->read("b", 0, 3);
    ASSERT_TRUE(first.ok());
    tx.reset();
    open({});  // from the log, then from pages
    table_ = *store_->table("/t");
  }
}

TEST_F(StoreTransaction, SpansDatasetsAndIsGoneWithoutACommit) {
  Table other = *store_->create_table("/u");
  {
    auto tx = begin();
    must(append(tx->table(table_.id()), {4}, {40}));
    must(append(tx->table(other.id()), {1}, {1}));
    EXPECT_EQ((Values{1}), read(tx->table(other.id()), "a"));
  }
  EXPECT_EQ(1u, table_.latest()->value);
  EXPECT_EQ(0u, other.latest()->value);
  auto tx = begin();
  must(append(tx->table(table_.id()), {4}, {40}));
  must(append(tx->table(other.id()), {1}, {1}));
  auto versions = tx->commit({});
  ASSERT_TRUE(versions.ok());
  ASSERT_EQ(2u, versions->size());
  EXPECT_EQ((*versions)[0].second.sequence, (*versions)[1].second.sequence);
  EXPECT_EQ((Values{1, 2, 3, 4}), read(table_, "a"));
  EXPECT_EQ((Values{1}), read(other, "a"));
  EXPECT_EQ(Code::kInvalid, tx->commit({}).status().code());
  EXPECT_EQ(Code::kConflict, append(tx->table(other.id()), {2}, {2}).code());
  EXPECT_EQ(Code::kInvalid, tx->store().begin().status().code());
}

TEST_F(StoreTransaction, WhatOthersCommitIsNotSeenAndRowsOfBothFollowEachOther) {
  auto tx = begin();
  Table own = tx->table(table_.id());
  must(append(table_, {100}, {100}));  // into the tail that the transaction reads
  EXPECT_EQ((Values{1, 2, 3}), read(own, "a"));
  must(append(own, {4}, {40}));
  must(append(table_, {101}, {101}));
  must(update(table_, 2, -3));
  EXPECT_EQ((Values{1, 2, 3, 4}), read(own, "a"));
  must(store_->maintain(true));
  must(store_->maintain(true));
  EXPECT_EQ((Values{1, 2, 3, 4}), read(own, "a"));
  must(append(table_, {102}, {102}));
  ASSERT_TRUE(tx->commit({}).ok());
  EXPECT_EQ((Values{1, 2, -3, 100, 101, 102, 4}), read(table_, "a"));
  EXPECT_EQ(6u, table_.latest()->value);
}

TEST_F(StoreTransaction, TheFirstCommitterWins) {
  struct Case {
    const char* name;
    std::function<Status(const Table&)> own, other;
    const char* sentence;  // null: both succeed
  };
  const Case cases[] = {
      {"same cell", [](const Table& t) { return update(t, 1, 5); }, [](const Table& t) { return update(t, 1, 6); },
       "row 1"},
      {"other cell", [](const Table& t) { return update(t, 1, 5); }, [](const Table& t) { return update(t, 2, 6); },
       nullptr},
      {"other column", [](const Table& t) { return update(t, 1, 5); },
       [](const Table& t) { return update(t, 1, 6, "b"); }, nullptr},
      {"same name",
       [](const Table& t) {
         return save(t, "b", {1, 1, 1});
       },
       [](const Table& t) {
         return save(t, "b", {2, 2, 2});
       },
       "'b' was changed"},
      {"drop of a replaced one", [](const Table& t) { return t.drop_column("b", {}).status(); },
       [](const Table& t) {
         return save(t, "b", {2, 2, 2});
       },
       "'b' was changed"},
      {"rename onto a new one", [](const Table& t) { return t.rename_column("b", "z", true, {}).status(); },
       [](const Table& t) {
         return save(t, "z", {2, 2, 2});
       },
       "'z' was changed"},
      {"update of a dropped one", [](const Table& t) { return update(t, 1, 5, "b"); },
       [](const Table& t) { return t.drop_column("b", {}).status(); }, "'b' was dropped"},
      {"column and rows",
       [](const Table& t) {
         return save(t, "z", {1, 1, 1});
       },
       [](const Table& t) { return append(t, {4}, {40}); }, "rows were appended"},
      {"rows and rows", [](const Table& t) { return append(t, {5}, {50}); },
       [](const Table& t) { return append(t, {4}, {40}); }, nullptr},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    Table table = *store_->create_table(std::string("/") + each.name);
    must(append(table, {1, 2, 3}, {10, 20, 30}));
    auto tx = begin();
    must(append(tx->table(table_.id()), {9}, {9}));  // in another dataset, as whole as the rest
    must(each.own(tx->table(table.id())));
    must(tx->check());
    must(each.other(table));
    Values a = read(table, "a");
    uint64_t versions = table_.latest()->value;
    if (each.sentence == nullptr) {
      must(tx->check());
      EXPECT_TRUE(tx->commit({}).ok());
      EXPECT_EQ(3u, table.latest()->value);
      continue;
    }
    for (const Status& status : {tx->check(), tx->commit({}).status()}) {
      EXPECT_EQ(Code::kConflict, status.code()) << status.message();
      EXPECT_NE(std::string::npos, status.message().find(each.sentence)) << status.message();
    }
    EXPECT_EQ(a, read(table, "a"));
    EXPECT_EQ(versions, table_.latest()->value);
  }
}

TEST_F(StoreTransaction, RestoresAnOlderVersionAmongItsChanges) {
  must(append(table_, {4}, {40}));
  must(update(table_, 0, -1));
  {
    auto tx = begin();
    Table own = tx->table(table_.id());
    must(append(own, {5}, {50}));
    auto restored = own.restore(VersionNumber{1}, {});
    ASSERT_TRUE(restored.ok()) << restored.status().message();
    EXPECT_EQ((Values{1, 2, 3}), read(own, "a"));
    must(append(own, {6}, {60}));
    must(update(own, 3, -6));
    EXPECT_EQ((Values{1, 2, 3, -6}), read(own, "a"));
    EXPECT_EQ((Values{-1, 2, 3, 4}), read(table_, "a"));
    must(tx->check());
    ASSERT_TRUE(tx->commit({}).ok());
  }
  EXPECT_EQ((Values{1, 2, 3, -6}), read(table_, "a"));
  EXPECT_EQ(4u, table_.latest()->value);

  auto tx = begin();
  Table own = tx->table(table_.id());
  must(append(own, {7}, {70}));
  ASSERT_TRUE(own.restore(VersionNumber{1}, {}).ok());
  must(append(table_, {8}, {80}));
  Status lost = tx->commit({}).status();
  EXPECT_EQ(Code::kConflict, lost.code());
  EXPECT_NE(std::string::npos, lost.message().find("version 5 (append, by bob")) << lost.message();
  EXPECT_EQ((Values{1, 2, 3, -6, 8}), read(table_, "a"));
}

TEST_F(StoreTransaction, ManySmallChangesGoToFilesAndThenThereIsNoRoom) {
  env_ = nullptr;
  StoreOptions small;
  small.log_segment_bytes = 256 << 10;
  open(small);
  table_ = *store_->create_table("/t");
  must(append(table_, {1, 2, 3}, {10, 20, 30}));
  auto tx = begin();
  Table own = tx->table(table_.id());
  auto files = [&] { return env_->files().list("data/0").ok() ? env_->files().list("data/0")->size() : 0; };
  Values thousand(1000, 7);
  Values expected{1, 2, 3};
  Status last;
  for (int i = 0; i < 1000 && files() < 5; ++i) {
    must(append(own, thousand, thousand));
    expected.insert(expected.end(), thousand.begin(), thousand.end());
  }
  EXPECT_EQ(expected, read(own, "a"));
  must(tx->check());
  ASSERT_TRUE(tx->commit({}).ok());
  EXPECT_EQ(expected, read(table_, "a"));

  auto full = begin();
  for (int i = 0; i < 100'000 && last.ok(); ++i) last = update(full->table(table_.id()), 0, i);
  EXPECT_EQ(Code::kLimit, last.code());
  EXPECT_NE(std::string::npos, last.message().find("commit it and begin another")) << last.message();
  must(full->check());
  ASSERT_TRUE(full->commit({}).ok());
}

TEST_F(StoreTransaction, OneThatIsGivenUpTakesNothingMore) {
  auto tx = begin();
  Table own = tx->table(table_.id());
  must(append(own, {4}, {40}));
  auto shown = own.head();
  tx->give_up({Code::kConflict, "it was idle for too long"});
  EXPECT_EQ(4u, shown->rows());
  EXPECT_EQ("it was idle for too long", append(own, {5}, {50}).message());
  EXPECT_EQ(Code::kConflict, tx->commit({}).status().code());
  EXPECT_EQ((Values{1, 2, 3}), read(table_, "a"));
}

TEST_F(StoreTransaction, FilesOfOneThatIsGivenUpGo) {
  Values many(100'000);
  must(append(table_, many, many));
  auto files = [&] { return env_->files().list("data/0")->size(); };
  size_t before = files();
  {
    auto tx = begin();
    Table own = tx->table(table_.id());
    must(append(own, many, many));
    must(save(own, "c", Values(200'003)));
    Values rows(50'000);
    std::iota(rows.begin(), rows.end(), 0);
    ColumnData ones = integers(Values(50'000, 1));
    must(own.update("a", {reinterpret_cast<const uint64_t*>(rows.data()), rows.size()}, ones.view(), {}).status());
    EXPECT_LT(before, files());
    size_t staged = files();
    auto late = own.column_writer({"d", DataType::of(TypeKind::kInt64), true}, true);
    ASSERT_TRUE(late.ok());
    ColumnData values = integers(Values(200'003, 4));
    must((*late)->append(values.view()));
    must(append(own, {1}, {1}));
    EXPECT_EQ(Code::kConflict, (*late)->commit({}).status().code());  // within the transaction, too
    EXPECT_EQ(staged, files());
  }
  EXPECT_EQ(before, files());
}

TEST_F(StoreTransaction, DatasetsAndFoldersAreMadeMovedAndRemoved) {
  Table other = *store_->create_table("/other");
  must(append(other, {1}, {1}));
  auto tx = begin();
  Store& own = tx->store();
  NodeInfo folder = *own.make_directory(kRootNode, "team", {}, {});
  NodeInfo fresh = *own.make_directory(folder.id, "fresh", {}, {});
  must(append(tx->table(fresh.id), {7}, {70}));
  must(own.rename(kRootNode, "t", folder.id, "moved", {}));
  must(update(tx->table(table_.id()), 0, -1));
  must(own.drop("/other", true, {}));
  EXPECT_EQ((Values{7}), read(*own.table("/team/fresh"), "a"));
  EXPECT_EQ((Values{-1, 2, 3}), read(*own.table("/team/moved"), "a"));
  EXPECT_EQ(Code::kNotFound, own.table("/other").status().code());
  EXPECT_EQ(Code::kExists, own.make_directory(kRootNode, "team", {}, {}).status().code());
  EXPECT_EQ(Code::kNotFound, store_->table("/team/fresh").status().code());
  NodeInfo meanwhile = *store_->make_directory(kRootNode, "meanwhile", {}, {});
  EXPECT_NE(meanwhile.id, folder.id);
  EXPECT_NE(meanwhile.id, fresh.id);
  must(tx->check());
  auto versions = tx->commit({});
  ASSERT_TRUE(versions.ok()) << versions.status().message();
  EXPECT_EQ(2u, versions->size());
  tx.reset();
  for (int opened = 0; opened < 2; ++opened) {
    EXPECT_EQ((Values{7}), read(*store_->table("/team/fresh"), "a"));
    EXPECT_EQ((Values{-1, 2, 3}), read(*store_->table("/team/moved"), "a"));
    EXPECT_EQ(Code::kNotFound, store_->table("/t").status().code());
    EXPECT_EQ(Code::kNotFound, store_->table("/other").status().code());
    EXPECT_GT(store_->make_directory(kRootNode, "x" + std::to_string(opened), {}, {})->id, meanwhile.id);
    open({});
  }
  EXPECT_TRUE(store_->restore_dropped("/other", {}).ok());
}

TEST_F(StoreTransaction, NamesThatOthersChangedAreConflicts) {
  using Change = std::function<Status(Store&)>;
  auto make = [](const char* name) -> Change {
    return [name](Store& store) { return store.make_directory(kRootNode, name, {}, {}).status(); };
  };
  auto move = [](const char* from, const char* to) -> Change {
    return [from, to](Store& store) { return store.rename(kRootNode, from, kRootNode, to, {}); };
  };
  auto drop = [](const char* path) -> Change { return [path](Store& store) { return store.drop(path, true, {}); }; };
  struct Case {
    Change own, other;
    bool conflict;
  };
  const Case cases[] = {
      {make("n"), make("n"), true},       {make("n"), make("m"), false},       {move("d", "n"), move("d", "m"), true},
      {move("d", "n"), make("n"), true},  {move("d", "n"), drop("/d"), true},  {drop("/d"), drop("/d"), true},
      {drop("/d"), move("d", "m"), true}, {drop("/e"), move("d", "m"), false}, {move("e", "d2"), drop("/d"), false},
      {make("d/.."), make("x"), false},
  };
  int number = 0;
  for (const Case& each : cases) {
    SCOPED_TRACE(number++);
    env_ = nullptr;
    open({});
    must(append(*store_->create_table("/d"), {1}, {1}));
    must(append(*store_->create_table("/e"), {1}, {1}));
    auto tx = begin();
    must(append(tx->table(store_->table("/e")->id()), {2}, {2}));
    if (number == 10) {
      EXPECT_EQ(Code::kInvalid, each.own(tx->store()).code());  // refused at once, and no part of it
    } else {
      must(each.own(tx->store()));
    }
    must(tx->check());
    must(each.other(*store_));
    for (const Status& status : {tx->check(), tx->commit({}).status()}) {
      EXPECT_EQ(each.conflict ? Code::kConflict : Code::kOk, status.code()) << status.message();
    }
  }
}

TEST_F(StoreTransaction, LargeChangesAreFilesOfTheirOwn) {
  Values many(100'000);
  for (size_t i = 0; i < many.size(); ++i) many[i] = static_cast<int64_t>(i * 977);
  auto tx = begin();
  Table own = tx->table(table_.id());
  must(append(own, many, many));
  must(update(own, 50'000, -1));
  Values expected{1, 2, 3};
  expected.insert(expected.end(), many.begin(), many.end());
  expected[50'000] = -1;
  EXPECT_EQ(expected, read(own, "a"));
  must(store_->maintain(true));
  EXPECT_EQ(expected, read(own, "a"));
  ASSERT_TRUE(tx->commit({}).ok());
  EXPECT_EQ(expected, read(table_, "a"));
  must(store_->maintain(true));
  tx.reset();
  open({});
  EXPECT_EQ(expected, read(*store_->table("/t"), "a"));
}

}  // namespace
}  // namespace stela

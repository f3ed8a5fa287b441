// The matrix of docs/transactions.md: what becomes of a commit that began before another one and comes after it. Each
// cell is a test; the document's table is compared with the one here.
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <sstream>

#include "engine/io/memory_env.h"
#include "engine/store/store.h"
#include "snapshots/tags.h"

namespace stela {
namespace {

// What was begun against a version and commits later.
using Commit = std::function<Status()>;

struct Operation {
  const char* name;  // as in the document
  std::function<Result<Commit>(Store&, const Table&, VersionNumber base)> begin;
};

ColumnData integers(uint64_t count, int64_t value) {
  ColumnData column(DataType::of(TypeKind::kInt64));
  for (uint64_t row = 0; row < count; ++row) column.append_value(value);
  return column;
}

Result<Commit> begin_append(Store&, const Table& table, VersionNumber) {
  STELA_ASSIGN(std::shared_ptr<Appender> rows, table.appender());
  Batch batch;
  STELA_TRY(rows->append(batch.add("a", integers(1, 7)).add("b", integers(1, 7))));
  return Commit([rows] { return rows->commit({}).status(); });
}

Result<Commit> begin_update(const Table& table, VersionNumber base, uint64_t row) {
  STELA_ASSIGN(std::shared_ptr<UpdateWriter> writer, table.update_writer("a", {base, {}, {}}));
  std::vector<uint64_t> rows{row};
  static int64_t value = 100;
  STELA_TRY(writer->write(rows, integers(1, ++value).view()));
  return Commit([writer] { return writer->commit({}).status(); });
}

Result<Commit> begin_column(const Table& table, VersionNumber base, const char* name) {
  STELA_ASSIGN(std::shared_ptr<ColumnWriter> writer,
               table.column_writer({name, DataType::of(TypeKind::kInt64), true}, true, base));
  STELA_TRY(writer->append(integers(5, 9).view()));
  return Commit([writer] { return writer->commit({}).status(); });
}

const Operation kOperations[] = {
    {"append rows", begin_append},
    {"change a cell", [](Store&, const Table& table, VersionNumber base) { return begin_update(table, base, 4); }},
    {"change another cell",
     [](Store&, const Table& table, VersionNumber base) { return begin_update(table, base, 0); }},
    {"replace the column",
     [](Store&, const Table& table, VersionNumber base) { return begin_column(table, base, "a"); }},
    {"add a column", [](Store&, const Table& table, VersionNumber base) { return begin_column(table, base, "n"); }},
    {"drop the column",
     [](Store&, const Table& table, VersionNumber) -> Result<Commit> {
       return Commit([table] { return table.drop_column("a", {}).status(); });
     }},
    {"rename the column",
     [](Store&, const Table& table, VersionNumber) -> Result<Commit> {
       return Commit([table] { return table.rename_column("a", "m", false, {}).status(); });
     }},
    {"restore fewer rows",
     [](Store&, const Table& table, VersionNumber) -> Result<Commit> {
       return Commit([table] { return table.restore(VersionNumber{1}, {}).status(); });
     }},
    {"tag a version",
     [](Store& store, const Table& table, VersionNumber base) -> Result<Commit> {
       return Commit([&store, table, base] { return set_tag(store, table.id(), "v", base, true, {}); });
     }},
    {"drop the dataset",
     [](Store& store, const Table&, VersionNumber) -> Result<Commit> {
       return Commit([&store] { return store.drop("/t", false, {}); });
     }},
    {"rename the dataset",
     [](Store& store, const Table&, VersionNumber) -> Result<Commit> {
       return Commit([&store] { return store.rename(kRootNode, "t", kRootNode, "u", {}); });
     }},
};
constexpr size_t kCount = std::size(kOperations);

// Rows: what committed first. Columns: what began before it and commits after it, in the order above.
// y: it succeeds; C: kConflict, ESTALE or EBUSY in the mount; N: kNotFound, what it means is gone.
const char* const kVerdicts[kCount] = {
    "yyyCCyyyyyy",  // append rows
    "yCyCyyyyyyy",  // change a cell
    "yyCCyyyyyyy",  // change another cell
    "yCCCyyyyyyy",  // replace the column
    "yyyyCyyyyyy",  // add a column
    "yCCCyNNyyyy",  // drop the column
    "yyyCyNNyyyy",  // rename the column
    "yCyCCyyyyyy",  // restore fewer rows
    "yyyyyyyyyyy",  // tag a version
    "NNNNNNNNNNN",  // drop the dataset
    "yyyyyyyyyNN",  // rename the dataset
};

// The same where the second is a change in a transaction, which stands on the state that began with for drops, renames
// and restoring too; those of tags and of whole datasets it does not take.
constexpr size_t kChanges = 8;
const char* const kVerdictsInTransaction[kCount] = {
    "yyyCCyyC",  // append rows
    "yCyCyyyC",  // change a cell
    "yyCCyyyC",  // change another cell
    "yCCCyCCC",  // replace the column
    "yyyyCyyC",  // add a column
    "yCCCyCCC",  // drop the column
    "yyyCyCCC",  // rename the column
    "yCyCCyyC",  // restore fewer rows
    "yyyyyyyy",  // tag a version
    "NNNNNNNN",  // drop the dataset
    "yyyyyyyy",  // rename the dataset
};

char verdict(const Status& status) {
  if (status.ok()) return 'y';
  if (status.code() == Code::kConflict) return 'C';
  return status.code() == Code::kNotFound ? 'N' : '?';
}

class Conflicts : public ::testing::TestWithParam<std::pair<size_t, size_t>> {};

TEST_P(Conflicts, TheSecondCommitterMeets) {
  auto [first, second] = GetParam();
  auto store = Store::create(memory_env(3), {.background = false}).value();
  Table table = store->create_table("/t").value();
  for (uint64_t rows : {3, 2}) {
    Batch batch;
    ASSERT_TRUE(table.append(batch.add("a", integers(rows, 1)).add("b", integers(rows, 2)), {}).ok());
  }
  auto begun_second = kOperations[second].begin(*store, table, VersionNumber{2});
  ASSERT_TRUE(begun_second.ok()) << begun_second.status().message();
  auto begun_first = kOperations[first].begin(*store, table, VersionNumber{2});
  ASSERT_TRUE(begun_first.ok()) << begun_first.status().message();
  Status committed = (*begun_first)();
  ASSERT_TRUE(committed.ok()) << committed.message();
  uint64_t before = table.latest()->value;
  Status status = (*begun_second)();
  EXPECT_EQ(kVerdicts[first][second], verdict(status)) << status.message();
  if (status.ok()) return;
  EXPECT_EQ(before, table.latest()->value);  // nothing changed
  if (status.code() != Code::kConflict) return;
  EXPECT_NE(std::string::npos, status.message().find("version 3 (")) << status.message();
}

TEST_P(Conflicts, ATransactionMeets) {
  auto [first, second] = GetParam();
  if (second >= kChanges) return;
  auto store = Store::create(memory_env(3), {.background = false}).value();
  Table table = store->create_table("/t").value();
  for (uint64_t rows : {3, 2}) {
    Batch batch;
    ASSERT_TRUE(table.append(batch.add("a", integers(rows, 1)).add("b", integers(rows, 2)), {}).ok());
  }
  auto begun_first = kOperations[first].begin(*store, table, VersionNumber{2});
  ASSERT_TRUE(begun_first.ok()) << begun_first.status().message();
  auto transaction = store->begin();
  ASSERT_TRUE(transaction.ok());
  auto change = kOperations[second].begin((*transaction)->store(), (*transaction)->table(table.id()), VersionNumber{2});
  ASSERT_TRUE(change.ok()) << change.status().message();
  Status changed = (*change)();
  ASSERT_TRUE(changed.ok()) << changed.message();
  Status committed = (*begun_first)();
  ASSERT_TRUE(committed.ok()) << committed.message();
  uint64_t before = table.latest()->value;
  Status check = (*transaction)->check();
  Status status = (*transaction)->commit({}).status();
  EXPECT_EQ(check.message(), status.message());
  EXPECT_EQ(kVerdictsInTransaction[first][second], verdict(status)) << status.message();
  EXPECT_EQ(before + (status.ok() ? 1 : 0), table.latest()->value);
  if (status.code() != Code::kConflict) return;
  EXPECT_NE(std::string::npos, status.message().find("version 3 (")) << status.message();
}

std::vector<std::pair<size_t, size_t>> all_cells() {
  std::vector<std::pair<size_t, size_t>> cells;
  for (size_t first = 0; first < kCount; ++first) {
    for (size_t second = 0; second < kCount; ++second) cells.emplace_back(first, second);
  }
  return cells;
}

std::string word(std::string name) {
  for (char& c : name) c = c == ' ' ? '_' : c;
  return name;
}

INSTANTIATE_TEST_SUITE_P(Matrix, Conflicts, ::testing::ValuesIn(all_cells()), [](const auto& tested) {
  return word(kOperations[tested.param.second].name) + "_after_" + word(kOperations[tested.param.first].name);
});

std::string table_text() {
  std::string text = "| committed first |";
  for (const Operation& operation : kOperations) text += std::string(" ") + operation.name + " |";
  text += "\n|---|" + [] {
    std::string rule;
    for (size_t i = 0; i < kCount; ++i) rule += ":-:|";
    return rule;
  }() + "\n";
  for (size_t first = 0; first < kCount; ++first) {
    text += std::string("| ") + kOperations[first].name + " |";
    for (size_t second = 0; second < kCount; ++second) {
      char cell = kVerdicts[first][second];
      text += cell == 'y' ? "  |" : cell == 'C' ? " **C** |" : " N |";
    }
    text += "\n";
  }
  return text;
}

TEST(ConflictsDocument, ShowsTheSameTable) {
  std::ifstream file(std::string(STELA_SOURCE_DIR) + "/docs/transactions.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_NE(std::string::npos, text.str().find(table_text())) << "docs/transactions.md should have:\n" << table_text();
}

}  // namespace
}  // namespace stela

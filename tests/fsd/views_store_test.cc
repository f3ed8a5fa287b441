// Views of a real store: the same bytes for ever, whatever the store does with its files.
#include <map>

#include "engine/io/memory_env.h"
#include "engine/store/store.h"
#include "fsd/views/column_form.h"
#include "tests/fsd/views_fakes.h"

namespace stela::fsd {
namespace {

class ViewsOfAStore : public testing::Test {
 protected:
  ViewsOfAStore() : env_(memory_env(11)) {
    options_.background = false;
    options_.inline_bytes_max = 20'000;  // small commits go to the tail, larger ones make fragments
    options_.page_bytes = 4096;          // versions end inside pages
    options_.flat_bytes_min = 16 << 10;
    options_.merge_factor = 2;
    store_ = Store::create(env_, options_).value();
    table_ = store_->create_table("/t").value();
  }

  Batch random_batch(uint64_t rows) {
    Batch batch;
    uint64_t column = 0;
    for (const std::string& name : every_type_name()) {
      batch.add("c" + std::to_string(column),
                random_column(DataType::parse(name).value(), rows, column % 4 == 0 ? 0 : column % 4 * 2, random_));
      ++column;
    }
    return batch;
  }

  void append(uint64_t rows) {
    auto version = table_->append(random_batch(rows), {});
    ASSERT_TRUE(version.ok()) << version.status().message();
  }

  static std::string read_view(View& view) {
    std::string bytes = read_range(view, 0, view.size().value());
    EXPECT_EQ(bytes.size(), view.size().value());
    return bytes;
  }

  // Every form of every column and of the table, of every version.
  std::map<std::string, std::string> everything() {
    std::map<std::string, std::string> all;
    for (uint64_t number = 1; number <= table_->latest()->value; ++number) {
      Snapshot at = table_->at(VersionNumber(number)).value();
      std::string place = std::to_string(number) + "/";
      for (const TableForm* form : all_table_forms()) {
        if (std::string_view(form->name()) == ".stats.json") continue;  // says how much is stored
        all[place + form->name()] = read_view(*form->open(at, std::nullopt).value());
      }
      std::vector<ColumnInfo> columns = at.columns().value();
      for (const ColumnInfo& column : columns) {
        for (const ViewForm* form : all_view_forms()) {
          if (!form->supports(column.type).ok()) continue;
          all[place + column.name + form->extension()] = read_view(*form->open(at, column, std::nullopt).value());
        }
      }
    }
    return all;
  }

  void expect_same(const std::map<std::string, std::string>& wanted, const char* after) {
    auto now = everything();
    ASSERT_EQ(now.size(), wanted.size());
    for (const auto& [name, bytes] : wanted) EXPECT_TRUE(now[name] == bytes) << name << " after " << after;
  }

  std::shared_ptr<MemoryEnv> env_;
  StoreOptions options_;
  std::unique_ptr<Store> store_;
  std::optional<Table> table_;
  std::mt19937_64 random_{3};
};

TEST_F(ViewsOfAStore, are_the_same_before_and_after_flush_merge_and_restart) {
  for (uint64_t rows : {1u, 300u, 3u, 40u, 500u, 5u, 1u}) append(rows);
  auto wanted = everything();
  ASSERT_TRUE(store_->maintain(false).ok());
  expect_same(wanted, "a round of upkeep");
  for (int round = 0; round < 3; ++round) ASSERT_TRUE(store_->maintain(true).ok());
  expect_same(wanted, "flush and merge");
  ASSERT_TRUE(store_->close().ok());
  store_.reset();
  store_ = Store::open(env_, options_).value();
  table_ = store_->table("/t").value();
  expect_same(wanted, "a restart");
}

// An independent reckoning: what was appended, row for row.
TEST_F(ViewsOfAStore, show_what_was_appended_at_every_version) {
  std::vector<MemoryTable> versions;
  Batch all;
  for (uint64_t rows : {50u, 900u, 2u}) {
    Batch batch = random_batch(rows);
    ASSERT_TRUE(table_->append(batch, {}).ok());
    for (size_t i = 0; i < batch.columns.size(); ++i) {
      if (all.columns.size() <= i) all.add(batch.names[i], ColumnData(batch.columns[i].type()));
      all.columns[i].append(batch.columns[i].view());
    }
    auto plain = std::make_shared<MemoryTable>();
    for (size_t i = 0; i < all.columns.size(); ++i) plain->add(all.names[i], all.columns[i]);
    Snapshot head = table_->head().value();
    for (const TableSourceForm* form : {&table_csv_form(), &table_jsonl_form(), &table_arrow_form()}) {
      std::string shown = read_view(*form->open(head, std::nullopt).value());
      std::string wanted = read_view(*form->open_source(plain, std::nullopt).value());
      EXPECT_TRUE(shown == wanted) << form->name() << " of " << head.rows() << " rows";
    }
  }
}

}  // namespace
}  // namespace stela::fsd

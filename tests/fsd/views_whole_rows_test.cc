// The rows that are left where others are damaged, against the rows themselves.
#include <algorithm>
#include <map>

#include "fsd/views/whole_rows.h"
#include "tests/fsd/views_fakes.h"

namespace stela::fsd {
namespace {

// A column of whose pages some cannot be read.
class DamagedColumn final : public ColumnSource {
 public:
  DamagedColumn(std::shared_ptr<const ColumnSource> whole, uint64_t page, std::vector<uint64_t> damaged)
      : whole_(std::move(whole)), page_(page), damaged_(std::move(damaged)) {}
  bool is_damaged(uint64_t row) const {
    return std::find(damaged_.begin(), damaged_.end(), row / page_) != damaged_.end();
  }
  const ColumnInfo& info() const override { return whole_->info(); }
  uint64_t rows() const override { return whole_->rows(); }
  Result<ColumnTotals> totals() const override { return whole_->totals(); }
  Status read(uint64_t first, uint64_t count, ColumnData& out) const override {
    for (uint64_t page : damaged_) {
      if (first < (page + 1) * page_ && first + count > page * page_) return damaged("page " + std::to_string(page));
    }
    return whole_->read(first, count, out);
  }
  Result<uint64_t> value_bytes(uint64_t first, uint64_t count) const override {
    ColumnData ignored(type());
    STELA_TRY(read(first, count, ignored));
    return whole_->value_bytes(first, count);
  }
  Result<format::Statistics> statistics() const override { return whole_->statistics(); }
  Result<uint64_t> stored_bytes() const override { return whole_->stored_bytes(); }

 private:
  std::shared_ptr<const ColumnSource> whole_;
  uint64_t page_;
  std::vector<uint64_t> damaged_;
};

class DamagedTable final : public TableSource {
 public:
  DamagedTable(MemoryTable whole, std::map<std::string, std::pair<uint64_t, std::vector<uint64_t>>> damage)
      : whole_(std::move(whole)), damage_(std::move(damage)) {}
  const VersionInfo& version() const override { return whole_.version(); }
  Result<std::vector<ColumnInfo>> columns() const override { return whole_.columns(); }
  std::shared_ptr<const ColumnSource> column(const ColumnInfo& info) const override { return damaged_column(info); }
  std::shared_ptr<const DamagedColumn> damaged_column(const ColumnInfo& info) const {
    const auto& [page, pages] = damage_.at(info.name);
    return std::make_shared<DamagedColumn>(whole_.column(info), page, pages);
  }
  const MemoryTable& whole() const { return whole_; }

 private:
  MemoryTable whole_;
  std::map<std::string, std::pair<uint64_t, std::vector<uint64_t>>> damage_;
};

TEST(WholeRows, AreThoseThatNoColumnLacks) {
  std::mt19937_64 random(4);
  constexpr uint64_t kRows = 20'000;
  for (int round = 0; round < 8; ++round) {
    MemoryTable memory;
    std::map<std::string, std::pair<uint64_t, std::vector<uint64_t>>> damage;
    for (const char* name : {"int64", "utf8", "bool"}) {
      memory.add(name, random_column(*DataType::parse(name), kRows, 5, random));
      const uint64_t page = 1024 + random() % 4000;  // never two damages within 1,024 rows and a good one between
      std::vector<uint64_t> pages;
      for (uint64_t i = 0; round > 0 && i * page < kRows; ++i) {
        if (random() % 4 == 0) pages.push_back(i);
      }
      damage[name] = {page, pages};
    }
    auto table = std::make_shared<const DamagedTable>(std::move(memory), damage);
    auto whole = whole_rows(table);
    ASSERT_TRUE(whole.ok()) << whole.status().message();
    const std::vector<ColumnInfo> columns = *table->columns();
    std::vector<uint64_t> kept;
    for (uint64_t row = 0; row < kRows; ++row) {
      bool good = true;
      for (const ColumnInfo& info : columns) good = good && !table->damaged_column(info)->is_damaged(row);
      if (good) kept.push_back(row);
    }
    ASSERT_EQ(whole->table->version().rows, kept.size());
    for (size_t i = 0; i < columns.size(); ++i) {
      const auto column = whole->table->column(columns[i]);
      ASSERT_EQ(column->rows(), kept.size());
      ColumnData found(columns[i].type), wanted(columns[i].type);
      for (uint64_t row : kept) wanted.append(table->whole().data(i).view().slice(row, 1));
      for (uint64_t row = 0; row < kept.size();) {
        const uint64_t count = std::min<uint64_t>(1 + random() % 3000, kept.size() - row);
        ASSERT_TRUE(column->read(row, count, found).ok());
        if (columns[i].type.is_variable()) {
          EXPECT_EQ(*column->value_bytes(row, count), wanted.view().slice(row, count).value_bytes());
        }
        row += count;
      }
      ASSERT_EQ(found.rows(), wanted.rows());
      for (uint64_t row = 0; row < found.rows(); ++row) {
        ASSERT_EQ(found.view().is_valid(row), wanted.view().is_valid(row));
        ASSERT_EQ(as_text(found.view().value(row)), as_text(wanted.view().value(row))) << row;
      }
      const ColumnTotals totals = *column->totals();
      EXPECT_EQ(totals.rows, wanted.rows());
      EXPECT_EQ(totals.nulls, wanted.null_count());
      EXPECT_EQ(totals.value_bytes, wanted.view().value_bytes());
    }
    for (const MissingRows& missing : whole->missing) {
      EXPECT_FALSE(missing.reason.empty());
      for (const ColumnInfo& info : columns) {
        if (info.name != missing.column) continue;
        for (uint64_t row = missing.first; row < missing.end; ++row) {
          ASSERT_TRUE(table->damaged_column(info)->is_damaged(row)) << row;
        }
      }
    }
  }
}

}  // namespace
}  // namespace stela::fsd

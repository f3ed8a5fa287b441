// More rows than 32 bits count: columns of one value, of nulls and of few others among them, read at both ends and on
// both sides of row 2^32, from pages and from a plain file.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <map>

#include "engine/io/memory_env.h"
#include "engine/store/store.h"

namespace stela {
namespace {

// 2^32; below half of STELA_TEST_SCALE, as under sanitizers, 2^23.
uint64_t border() {
  static const char* const percent = std::getenv("STELA_TEST_SCALE");
  return percent == nullptr || std::atoi(percent) >= 50 ? uint64_t{1} << 32 : uint64_t{1} << 23;
}
uint64_t all_rows() { return border() + 1; }
constexpr uint64_t kBatchRows = 4 << 20;

// What is not the usual value of a column; null where negative.
const std::map<uint64_t, int>& exceptions() {
  static const std::map<uint64_t, int> rows{{0, 1},           {5'000'000, -1},      {border() / 2 - 1, 2},
                                            {border() / 2, 3}, {border() / 4 * 3, 6}, {border() - 2, 4},
                                            {border() - 1, -1}, {border(), 5}};
  return rows;
}

// Rows [first, first + count) of the column, whose other rows are all `usual`.
ColumnData rows_of(uint64_t first, uint64_t count, int usual) {
  ColumnData column(DataType::of(TypeKind::kInt8));
  auto add_usual = [&](uint64_t rows) {
    if (usual < 0) return column.append_nulls(rows);
    if (rows > 0) std::memset(column.grow_fixed(rows), usual, rows);
  };
  uint64_t row = first;
  for (auto at = exceptions().lower_bound(first); at != exceptions().end() && at->first < first + count; ++at) {
    add_usual(at->first - row);
    if (at->second < 0) {
      column.append_nulls(1);
    } else {
      column.append_value(static_cast<int8_t>(at->second));
    }
    row = at->first + 1;
  }
  add_usual(first + count - row);
  return column;
}

void expect_rows(const Snapshot& head, const std::string& name, uint64_t first, uint64_t count, int usual) {
  auto read = head.read(name, first, count);
  ASSERT_TRUE(read.ok()) << name << " at " << first << ": " << read.status().message();
  const ColumnData wanted = rows_of(first, count, usual);
  ASSERT_EQ(read->rows(), count);
  for (uint64_t i = 0; i < count; ++i) {
    ASSERT_EQ(read->view().is_valid(i), wanted.view().is_valid(i)) << name << " row " << first + i;
    if (!wanted.view().is_valid(i)) continue;
    ASSERT_EQ(as_text(read->view().value(i)), as_text(wanted.view().value(i))) << name << " row " << first + i;
  }
}

void expect_column(const Snapshot& head, const std::string& name, int usual) {
  for (uint64_t first : {uint64_t{0}, border() / 2 - 5, border() - 8, border() - 1, border(), uint64_t{4'999'990}}) {
    expect_rows(head, name, first, std::min<uint64_t>(20, all_rows() - first), usual);
  }
  const ColumnInfo column = head.column(name).value();
  std::vector<uint64_t> positions;
  ColumnData wanted(column.type), out(column.type);
  for (const auto& [row, value] : exceptions()) {
    for (uint64_t at : {row > 0 && !exceptions().contains(row - 1) ? row - 1 : row, row}) {
      positions.push_back(at);
      wanted.append(rows_of(at, 1, usual).view());
    }
  }
  ASSERT_TRUE(head.read_rows(column, positions, out).ok());
  for (uint64_t i = 0; i < positions.size(); ++i) {
    ASSERT_EQ(out.view().is_valid(i), wanted.view().is_valid(i)) << name << " row " << positions[i];
    ASSERT_EQ(as_text(out.view().value(i)), as_text(wanted.view().value(i))) << name << " row " << positions[i];
  }
  const ColumnTotals totals = head.totals(column).value();
  const uint64_t nulls = usual < 0 ? all_rows() - 6 : 2;
  EXPECT_EQ(totals.rows, all_rows());
  EXPECT_EQ(totals.nulls, nulls) << name;
  EXPECT_EQ(totals.value_bytes, all_rows());
  const format::Statistics statistics = head.statistics(column).value();
  EXPECT_EQ(statistics.rows, all_rows());
  EXPECT_EQ(statistics.nulls, nulls);
  EXPECT_EQ(statistics.max, std::string(1, usual == 7 ? 7 : 6));
}

TEST(StoreManyRows, AreReadAtTheEndsAndAcrossTheBorder) {
  StoreOptions options;
  options.background = false;
  auto store = Store::create(memory_env(), options).value();
  Table table = store->create_table("/t").value();
  const std::map<std::string, int> usual{{"ones", 7}, {"few", 0}, {"nulls", -1}};
  auto appender = table.appender().value();
  Batch alike;  // rows of a stretch without exceptions
  for (const auto& [name, value] : usual) alike.add(name, rows_of(2 * border(), kBatchRows, value));
  for (uint64_t row = 0; row < all_rows(); row += kBatchRows) {
    const uint64_t count = std::min(kBatchRows, all_rows() - row);
    auto next = exceptions().lower_bound(row);
    if (count == kBatchRows && (next == exceptions().end() || next->first >= row + count)) {
      ASSERT_TRUE(appender->append(alike).ok());
      continue;
    }
    Batch batch;
    for (const auto& [name, value] : usual) batch.add(name, rows_of(row, count, value));
    ASSERT_TRUE(appender->append(batch).ok());
  }
  ASSERT_TRUE(appender->commit({}).ok());
  appender.reset();
  Snapshot head = table.head().value();
  for (const auto& [name, value] : usual) expect_column(head, name, value);
  EXPECT_LT(head.stored_bytes(head.column("ones").value()).value(), 1u << 20);
}

}  // namespace
}  // namespace stela

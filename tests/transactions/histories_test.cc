// Histories of transactions: those of histories.txt, and every order of the steps of short ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "engine/io/memory_env.h"
#include "engine/store/store.h"

namespace stela {
namespace {

ColumnData integers(const std::vector<int64_t>& values) {
  ColumnData column(DataType::of(TypeKind::kInt64));
  for (int64_t value : values) column.append_value(value);
  return column;
}

// One column, x; transactions by number, 0 is none.
class Player {
 public:
  Player(Store& store, const std::string& path, const std::vector<int64_t>& values)
      : store_(store), table_(store.create_table(path).value()) {
    append(0, values);
  }
  void begin(int number) { open_[number] = std::move(store_.begin().value()); }
  Status commit(int number) { return open_.at(number)->commit({}).status(); }
  void give_up(int number) { open_.erase(number); }
  void append(int number, const std::vector<int64_t>& values) {
    Batch batch;
    Status status = table(number).append(batch.add("x", integers(values)), {}).status();
    EXPECT_TRUE(status.ok()) << status.message();
  }
  void write(int number, uint64_t row, int64_t value) {
    ColumnData data = integers({value});
    Status status = table(number).update("x", {{row}}, data.view(), {}).status();
    EXPECT_TRUE(status.ok()) << status.message();
  }
  std::vector<int64_t> read(int number) const {
    Snapshot head = table(number).head().value();
    ColumnData data = head.read("x", 0, head.rows()).value();
    const auto* values = reinterpret_cast<const int64_t*>(data.view().values);
    return {values, values + data.rows()};
  }

 private:
  Table table(int number) const { return number == 0 ? table_ : open_.at(number)->table(table_.id()); }
  Store& store_;
  Table table_;
  std::map<int, std::unique_ptr<Transaction>> open_;
};

std::unique_ptr<Store> fresh_store() { return Store::create(memory_env(3), {.background = false}).value(); }

std::string joined(const std::vector<int64_t>& values) {
  std::string text;
  for (int64_t value : values) text += (text.empty() ? "" : ",") + std::to_string(value);
  return text;
}

void play(Player& player, const std::string& step) {
  SCOPED_TRACE(step);
  const int number = step.at(1) - '0';
  const std::string rest = step.substr(2);
  const size_t bracket = rest.find(']');
  const uint64_t row = bracket == std::string::npos ? 0 : std::stoull(rest.substr(1));
  const std::string value = rest.find('=') == std::string::npos ? "" : rest.substr(rest.find('=') + 1);
  switch (step.front()) {
    case 'b': return player.begin(number);
    case 'x': return player.give_up(number);
    case 'a': return player.append(number, {std::stoll(value)});
    case 'w': return player.write(number, row, std::stoll(value));
    case 'r': EXPECT_EQ(std::stoll(value), player.read(number).at(row)); return;
    case 's': EXPECT_EQ(value, joined(player.read(number))); return;
    case 'c': {
      Status status = player.commit(number);
      EXPECT_EQ(rest == "!" ? Code::kConflict : Code::kOk, status.code()) << status.message();
      return;
    }
    default: ADD_FAILURE() << "no such step";
  }
}

TEST(Histories, ShowNoAnomalyButWriteSkew) {
  std::ifstream file(std::string(STELA_SOURCE_DIR) + "/tests/transactions/histories.txt");
  std::string line;
  int played = 0;
  auto store = fresh_store();
  while (std::getline(file, line)) {
    if (line.empty() || line.front() == '#') continue;
    SCOPED_TRACE(line);
    std::istringstream steps(line.substr(line.find(':') + 1));
    Player player(*store, "/t" + std::to_string(played), {10, 20});
    for (std::string step; steps >> step;) play(player, step);
    ++played;
  }
  EXPECT_EQ(17, played);
}

// Of counters that each transaction raises by one: every order of the steps of three.
TEST(Histories, InEveryOrderNoUpdateIsLost) {
  std::string order = "111222333";  // begin; read and write; commit
  int orders = 0;
  auto store = fresh_store();
  do {
    Player player(*store, "/t" + std::to_string(orders), {0, 0});
    std::map<char, int> step;
    std::map<char, std::pair<int, int>> lived;  // from its begin to its commit, of those that committed
    std::map<char, int> begun;
    int64_t committed = 0;
    for (size_t at = 0; at < order.size(); ++at) {
      const char who = order[at];
      const int number = who - '0';
      const int now = static_cast<int>(at);
      switch (step[who]++) {
        case 0:
          player.begin(number);
          begun[who] = now;
          break;
        case 1: player.write(number, 0, player.read(number).at(0) + 1); break;
        default:
          if (!player.commit(number).ok()) break;
          ++committed;
          lived[who] = {begun[who], now};
      }
    }
    EXPECT_EQ(committed, player.read(0).at(0)) << order;
    EXPECT_GE(committed, 1) << order;
    for (const auto& [one, first] : lived) {
      for (const auto& [other, second] : lived) {
        EXPECT_TRUE(one == other || first.second < second.first || second.second < first.first) << order;
      }
    }
    ++orders;
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_EQ(1680, orders);
}

}  // namespace
}  // namespace stela

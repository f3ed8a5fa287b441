// Money that several writers move between accounts, a transaction each: no reader ever sees a part of a transfer, and
// no transfer is lost. Every writer notes what it moved in rows of its own dataset, in the same transaction.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "engine/io/manual_clock.h"
#include "engine/io/memory_env.h"
#include "engine/store/store.h"

namespace stela {
namespace {

constexpr int kAccounts = 6;
constexpr int kWriters = 4;
constexpr int64_t kMoney = 100;

ColumnData integers(const std::vector<int64_t>& values) {
  ColumnData column(DataType::of(TypeKind::kInt64));
  for (int64_t value : values) column.append_value(value);
  return column;
}

std::vector<int64_t> read(const Snapshot& snapshot, std::string_view column) {
  auto data = snapshot.read(column, 0, snapshot.rows());
  EXPECT_TRUE(data.ok()) << data.status().message();
  if (!data.ok()) return {};
  const auto* values = reinterpret_cast<const int64_t*>(data->view().values);
  return {values, values + data->rows()};
}

class Bank : public ::testing::Test {
 protected:
  void SetUp() override {
    auto store = Store::create(memory_env(5), {});
    ASSERT_TRUE(store.ok()) << store.status().message();
    store_ = std::move(*store);
    accounts_ = *store_->create_table("/accounts");
    moves_ = *store_->create_table("/moves");
    Batch opening;
    ASSERT_TRUE(accounts_.append(opening.add("money", integers(std::vector<int64_t>(kAccounts, kMoney))), {}).ok());
  }

  // A transfer, as one transaction: ok, or kConflict.
  Status move(int64_t from, int64_t to, int64_t amount) {
    STELA_ASSIGN(auto transaction, store_->begin());
    Table accounts = transaction->table(accounts_.id());
    STELA_ASSIGN(Snapshot head, accounts.head());
    std::vector<int64_t> money = read(head, "money");
    money[static_cast<size_t>(from)] -= amount;
    money[static_cast<size_t>(to)] += amount;
    for (int64_t at : {from, to}) {
      ColumnData value = integers({money[static_cast<size_t>(at)]});
      STELA_TRY(accounts.update("money", {{static_cast<uint64_t>(at)}}, value.view(), {}).status());
    }
    Batch note;
    note.add("from", integers({from})).add("to", integers({to})).add("amount", integers({amount}));
    STELA_TRY(transaction->table(moves_.id()).append(note, {}).status());
    return transaction->commit({}).status();
  }

  std::unique_ptr<Store> store_;
  Table accounts_{nullptr, NodeId{}}, moves_{nullptr, NodeId{}};
};

TEST_F(Bank, ConcurrentTransfersLoseNothingAndAreSeenWhole) {
  constexpr int kTransfers = 60;
  std::atomic<int> done = 0, writing = kWriters;
  std::vector<std::thread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      SeededRandom random(static_cast<uint64_t>(writer) + 1);
      for (int i = 0; i < kTransfers; ++i) {
        auto from = static_cast<int64_t>(random.below(kAccounts));
        int64_t to = (from + 1 + static_cast<int64_t>(random.below(kAccounts - 1))) % kAccounts;
        Status status = move(from, to, 1 + static_cast<int64_t>(random.below(9)));
        if (status.ok()) ++done;
        EXPECT_TRUE(status.ok() || status.code() == Code::kConflict) << status.message();
      }
      --writing;
    });
  }
  threads.emplace_back([&] {
    while (writing > 0) {
      // Both datasets of one moment: what a transaction begins on.
      auto moment = store_->begin();
      ASSERT_TRUE(moment.ok());
      std::vector<int64_t> money = read(*(*moment)->table(accounts_.id()).head(), "money");
      std::vector<int64_t> expected(kAccounts, kMoney);
      auto moves = (*moment)->table(moves_.id()).head();
      if (moves.ok()) {
        std::vector<int64_t> from = read(*moves, "from"), to = read(*moves, "to"), amount = read(*moves, "amount");
        for (size_t i = 0; i < from.size(); ++i) {
          expected[static_cast<size_t>(from[i])] -= amount[i];
          expected[static_cast<size_t>(to[i])] += amount[i];
        }
      }
      EXPECT_EQ(expected, money);
    }
  });
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(done, 0);
  EXPECT_EQ(static_cast<uint64_t>(done), moves_.head()->rows());
  EXPECT_EQ(static_cast<uint64_t>(done), moves_.latest()->value);
}

}  // namespace
}  // namespace stela

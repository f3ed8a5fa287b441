#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/engine/catalog_fixture.h"

namespace stela::catalog {
namespace {

std::string numbered_key(uint64_t number) {
  std::string key;
  put_ordered(key, number * 0x9e3779b97f4a7c15);
  return key;
}

TEST(MemTable, InsertingTheSameEntryAgainChangesNothing) {
  MemTable table;
  table.insert(make_entry("k", 3, 4, "first"));
  table.insert(make_entry("k", 3, 4, "second"));
  table.insert(make_entry("k", 3, 5, "third"));
  EXPECT_EQ(table.entries(), 2u);
  FoundEntry found;
  ASSERT_TRUE(table.find("k", {Sequence{3}, Sequence{4}}, &found));
  EXPECT_EQ(found.value, "first");
}

TEST(MemTable, KeepsEmptyAndLargeKeysAndValues) {
  MemTable table;
  const std::string large(size_t{3} << 20, 'v');
  const std::string long_key(100000, 'k');
  table.insert(make_entry("", 1, 1, ""));
  table.insert(make_entry(long_key, 1, 1, large));
  table.insert(make_entry(std::string(1, '\0'), 1, 1, "nul"));
  EXPECT_GE(table.memory_bytes(), large.size() + long_key.size());
  auto entries = table.iterator();
  entries->seek("");
  ASSERT_TRUE(entries->valid());
  EXPECT_EQ(entries->key(), "");
  entries->next();
  EXPECT_EQ(entries->value(), "nul");
  entries->next();
  EXPECT_EQ(entries->key(), long_key);
  EXPECT_EQ(entries->value(), large);
  entries->next();
  EXPECT_FALSE(entries->valid());
}

TEST(MemTable, CountsMemoryOfManyEntriesTightly) {
  MemTable table;
  EXPECT_LT(table.memory_bytes(), 16384u);
  constexpr uint64_t kEntries = 20000;
  for (uint64_t i = 0; i < kEntries; ++i) table.insert(make_entry(numbered_key(i), i, i, "0123456789abcdef"));
  EXPECT_EQ(table.entries(), kEntries);
  EXPECT_LT(table.memory_bytes(), kEntries * 160);
}

// One writer; each reader sees an ordered list in which everything the writer had announced is present.
TEST(MemTable, ConcurrentReadersSeeEverythingPublished) {
  constexpr uint64_t kEntries = 20000;
  MemTable table;
  std::atomic<uint64_t> published{0};
  std::atomic<uint64_t> failures{0};
  std::thread writer([&] {
    for (uint64_t i = 1; i <= kEntries; ++i) {
      table.insert(make_entry(numbered_key(i), i, i, "value " + std::to_string(i)));
      published.store(i, std::memory_order_release);
    }
  });
  auto read = [&](uint64_t seed) {
    std::mt19937_64 random(seed);
    for (uint64_t seen = 0; seen < kEntries;) {
      seen = published.load(std::memory_order_acquire);
      if (seen == 0) continue;
      for (int i = 0; i < 50; ++i) {
        const uint64_t number = 1 + random() % seen;
        FoundEntry found;
        const bool here = table.find(numbered_key(number), {}, &found);
        if (!here || found.value != "value " + std::to_string(number)) ++failures;
      }
      auto entries = table.iterator();
      entries->seek(numbered_key(random()));
      std::string last;
      for (int i = 0; i < 100 && entries->valid(); ++i, entries->next()) {
        if (entries->key() <= last) ++failures;
        last.assign(entries->key());
      }
    }
  };
  std::thread first(read, 1);
  std::thread second(read, 2);
  writer.join();
  first.join();
  second.join();
  EXPECT_EQ(failures.load(), 0u);
  EXPECT_EQ(table.entries(), kEntries);
}

// A state whose first table grows: a reader at (s, q) never sees a commit half, nor one after q.
TEST(CatalogState, ConcurrentCommitsAreSeenWholeOrNotAtAll) {
  constexpr uint64_t kCommits = 3000;
  constexpr uint64_t kKeys = 8;
  auto table = std::make_shared<MemTable>();
  const CatalogState state{{table}, {}};
  std::atomic<uint64_t> newest{0};
  std::atomic<uint64_t> failures{0};
  std::thread writer([&] {
    for (uint64_t commit = 1; commit <= kCommits; ++commit) {
      for (uint64_t k = 0; k < kKeys; ++k) {
        table->insert(make_entry("key" + std::to_string(k), commit, commit, std::to_string(commit)));
      }
      newest.store(commit, std::memory_order_release);
    }
  });
  auto read = [&] {
    for (uint64_t q = 0; q < kCommits;) {
      q = newest.load(std::memory_order_acquire);
      const Stamp stamp{Sequence{q}, Sequence{q}};
      uint64_t seen = 0;
      Status status = state.scan("", "", stamp, [&](std::string_view, std::string_view value, Sequence birth) {
        if (value != std::to_string(q) || birth.value != q) ++failures;
        return ++seen, true;
      });
      if (!status.ok() || seen != (q == 0 ? 0 : kKeys)) ++failures;
    }
  };
  std::thread first(read);
  std::thread second(read);
  writer.join();
  first.join();
  second.join();
  EXPECT_EQ(failures.load(), 0u);
}

}  // namespace
}  // namespace stela::catalog

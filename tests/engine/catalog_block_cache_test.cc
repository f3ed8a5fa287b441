#include <gtest/gtest.h>

#include <thread>

#include "tests/engine/catalog_fixture.h"

namespace stela::catalog {
namespace {

std::shared_ptr<const Buffer> block_of(size_t bytes, uint8_t fill) {
  Buffer block(bytes);
  std::fill_n(block.data(), bytes, std::byte{fill});
  return std::make_shared<const Buffer>(std::move(block));
}

TEST(BlockCache, ForgetsWhatWasUsedLeastRecently) {
  BlockCache cache(10 * 1200);
  for (uint64_t i = 0; i < 9; ++i) cache.insert(1, i, block_of(1000, 0));
  ASSERT_NE(cache.find(1, 0), nullptr);  // now the newest
  for (uint64_t i = 9; i < 14; ++i) cache.insert(1, i, block_of(1000, 0));
  EXPECT_NE(cache.find(1, 0), nullptr);
  EXPECT_EQ(cache.find(1, 1), nullptr);
  EXPECT_EQ(cache.find(1, 2), nullptr);
  EXPECT_NE(cache.find(1, 13), nullptr);
  EXPECT_GT(cache.counters().evictions, 0u);
}

TEST(BlockCache, StaysWithinItsBytesAndKeepsPinnedBlocksAlive) {
  for (uint64_t capacity : {uint64_t{0}, uint64_t{5000}, uint64_t{1} << 20, uint64_t{300} << 20}) {
    BlockCache cache(capacity);
    std::mt19937_64 random(capacity + 1);
    std::shared_ptr<const Buffer> pinned = block_of(300, 7);
    cache.insert(9, 9, pinned);
    for (int i = 0; i < 5000; ++i) {
      cache.insert(random() % 4, random() % 3000, block_of(random() % 3000, 1));
      ASSERT_LE(cache.counters().bytes, capacity);
    }
    EXPECT_EQ(pinned->size(), 300u);
    EXPECT_EQ(std::to_integer<int>(pinned->data()[299]), 7);
  }
}

TEST(BlockCache, DoesNotKeepABlockLargerThanItself) {
  BlockCache cache(1000);
  cache.insert(1, 0, block_of(100, 0));
  cache.insert(1, 1, block_of(2000, 0));
  EXPECT_EQ(cache.find(1, 1), nullptr);
  EXPECT_NE(cache.find(1, 0), nullptr);
  cache.insert(1, 2, nullptr);
  EXPECT_EQ(cache.find(1, 2), nullptr);
}

TEST(BlockCache, ReplacesABlockAndCountsItOnce) {
  BlockCache cache(100000);
  cache.insert(1, 0, block_of(100, 1));
  cache.insert(1, 0, block_of(500, 2));
  EXPECT_EQ(cache.counters().blocks, 1u);
  EXPECT_EQ(cache.find(1, 0)->size(), 500u);
  EXPECT_LT(cache.counters().bytes, 800u);
}

TEST(BlockCache, ErasesAllBlocksOfOneFile) {
  BlockCache cache(uint64_t{300} << 20);
  for (uint64_t i = 0; i < 500; ++i) cache.insert(i % 2, i, block_of(100, 0));
  cache.erase_file(1);
  EXPECT_EQ(cache.counters().blocks, 250u);
  EXPECT_EQ(cache.find(1, 1), nullptr);
  EXPECT_NE(cache.find(0, 0), nullptr);
  cache.erase_file(0);
  EXPECT_EQ(cache.counters().bytes, 0u);
}

TEST(BlockCache, CountsHitsAndMisses) {
  BlockCache cache(100000);
  cache.insert(1, 0, block_of(100, 1));
  (void)cache.find(1, 0);
  (void)cache.find(1, 1);
  (void)cache.find(2, 0);
  EXPECT_EQ(cache.counters().hits, 1u);
  EXPECT_EQ(cache.counters().misses, 2u);
}

TEST(BlockCache, ConcurrentUseGivesOnlyWhatWasInserted) {
  BlockCache cache(200000);
  std::atomic<uint64_t> wrong{0};
  auto work = [&](uint64_t seed) {
    std::mt19937_64 random(seed);
    for (int i = 0; i < 5000; ++i) {
      const uint64_t file = random() % 3, offset = random() % 200;
      auto block = cache.find(file, offset);
      if (block == nullptr) {
        cache.insert(file, offset, block_of(1000 + file, static_cast<uint8_t>(offset)));
      } else if (block->size() != 1000 + file || std::to_integer<uint64_t>(block->data()[500]) != offset) {
        ++wrong;
      }
      if (random() % 1000 == 0) cache.erase_file(file);
    }
  };
  std::thread other(work, 1);
  work(2);
  other.join();
  EXPECT_EQ(wrong.load(), 0u);
}

}  // namespace
}  // namespace stela::catalog

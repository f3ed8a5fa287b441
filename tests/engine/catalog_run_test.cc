#include <gtest/gtest.h>

#include "engine/catalog/run_layout.h"
#include "tests/engine/catalog_fixture.h"

namespace stela::catalog {
namespace {

std::vector<Entry> some_entries(size_t count, uint64_t seed = 1, size_t value_bytes = 20) {
  std::mt19937_64 random(seed);
  std::vector<Entry> entries;
  for (size_t i = 0; i < count; ++i) {
    entries.push_back(
        make_entry("dataset/key" + std::to_string(random() % (count / 2 + 1)), i + 1, i + 1 + random() % 3,
                   std::string(random() % (value_bytes + 1), static_cast<char>(random())), random() % 5 == 0));
  }
  std::sort(entries.begin(), entries.end(), EntryLess{});
  return entries;
}

std::vector<Entry> read_all(EntryIterator& entries) {
  std::vector<Entry> out;
  for (entries.seek(""); entries.valid(); entries.next()) {
    out.push_back({std::string(entries.key()), entries.birth(), entries.install(), entries.erased(),
                   std::string(entries.value())});
  }
  return out;
}

std::vector<std::string> damage_of(const RunReader& run) {
  std::vector<std::string> sentences;
  EXPECT_TRUE(run.verify([&](const std::string& sentence) { sentences.push_back(sentence); }).ok());
  return sentences;
}

TEST(Run, GivesBackWhatWasWritten) {
  for (size_t count : {0, 1, 2, 15, 16, 17, 100, 3000}) {
    for (uint32_t block_bytes : {0u, 64u, 300u, 8192u}) {
      SCOPED_TRACE(std::to_string(count) + " entries, blocks of " + std::to_string(block_bytes));
      const std::vector<Entry> entries = some_entries(count);
      RunInfo info;
      const std::string bytes = write_run(entries, FileId{4}, block_bytes, &info);
      auto run = open_run(bytes, FileId{4}, std::make_shared<BlockCache>(1 << 20));
      ASSERT_TRUE(run.ok()) << run.status().message();
      EXPECT_EQ(read_all(*(*run)->iterator()), entries);
      EXPECT_EQ((*run)->info().entries, count);
      EXPECT_EQ(info.bytes, bytes.size());
      EXPECT_EQ((*run)->info().bytes, bytes.size());
      EXPECT_EQ((*run)->info().birth_min, info.birth_min);
      EXPECT_EQ((*run)->info().birth_max, info.birth_max);
      EXPECT_EQ((*run)->info().install_max, info.install_max);
      EXPECT_EQ(info.birth_max.value, count);
      EXPECT_TRUE(damage_of(**run).empty());
      for (const Entry& entry : entries) EXPECT_TRUE((*run)->may_contain(entry.key));
    }
  }
}

TEST(Run, FilterKeepsAbsentKeysAway) {
  auto run =
      open_run(write_run(some_entries(20000), FileId{4}, 4096), FileId{4}, std::make_shared<BlockCache>(1 << 24));
  ASSERT_TRUE(run.ok());
  int passed = 0;
  for (int i = 0; i < 10000; ++i) passed += (*run)->may_contain("dataset/key" + std::to_string(i) + "x") ? 1 : 0;
  EXPECT_LT(passed, 250);  // about 1 %
}

TEST(Run, SeeksToAnyPlace) {
  const std::vector<Entry> entries = some_entries(2000);
  auto run = open_run(write_run(entries, FileId{4}, 200), FileId{4}, std::make_shared<BlockCache>(1 << 20));
  ASSERT_TRUE(run.ok());
  auto iterator = (*run)->iterator();
  std::mt19937_64 random(2);
  for (int i = 0; i < 5000; ++i) {
    Entry target = entries[random() % entries.size()];
    if (random() % 2 == 0) target.birth = Sequence{random() % 2200};
    if (random() % 4 == 0) target.key += "x";
    auto expected = std::lower_bound(entries.begin(), entries.end(), target, EntryLess{});
    iterator->seek_to(target.key, target.birth, target.install);
    ASSERT_EQ(iterator->valid(), expected != entries.end());
    if (!iterator->valid()) continue;
    ASSERT_EQ(iterator->key(), expected->key);
    ASSERT_EQ(iterator->birth(), expected->birth);
    ASSERT_EQ(iterator->install(), expected->install);
  }
}

TEST(Run, MayBeSoughtWithItsOwnKey) {
  const std::vector<Entry> entries = some_entries(50);
  auto run = open_run(write_run(entries, FileId{4}, 64), FileId{4});
  ASSERT_TRUE(run.ok());
  auto iterator = (*run)->iterator();
  iterator->seek(entries[30].key);
  const std::string key(iterator->key());
  iterator->seek(iterator->key());
  ASSERT_TRUE(iterator->valid());
  EXPECT_EQ(iterator->key(), key);
}

TEST(Run, PassesOverBlocksOfOtherBirthsUnread) {
  std::vector<Entry> entries;  // births rise with the key, so each block has few
  for (uint64_t i = 0; i < 5000; ++i) entries.push_back(make_entry("k" + std::to_string(100000 + i), i, i, "value"));
  auto file = std::make_shared<StringReader>(write_run(entries, FileId{4}, 512));
  auto run = RunReader::open(file, FileId{4}, kTestStore, nullptr);
  ASSERT_TRUE(run.ok());
  file->reads = 0;
  auto iterator = (*run)->iterator(Sequence{2000}, Sequence{2010});
  size_t seen = 0;
  for (iterator->seek(""); iterator->valid(); iterator->next()) {
    seen += iterator->birth() >= Sequence{2000} && iterator->birth() <= Sequence{2010} ? 1 : 0;
  }
  EXPECT_EQ(seen, 11u);
  EXPECT_LE(file->reads, 6u);
}

TEST(Run, OpensWithTwoReadsWhateverItsSize) {
  for (size_t count : {10, 20000}) {
    auto file = std::make_shared<StringReader>(write_run(some_entries(count), FileId{4}, 1024));
    ASSERT_TRUE(RunReader::open(file, FileId{4}, kTestStore, nullptr).ok());
    EXPECT_EQ(file->reads, 2u);
  }
}

TEST(Run, LookupsComeFromTheCacheTheSecondTime) {
  const std::vector<Entry> entries = some_entries(1000);
  auto file = std::make_shared<StringReader>(write_run(entries, FileId{4}, 512));
  auto cache = std::make_shared<BlockCache>(1 << 20);
  {
    auto run = RunReader::open(file, FileId{4}, kTestStore, cache);
    ASSERT_TRUE(run.ok());
    FoundEntry found;
    for (const Entry& entry : entries) ASSERT_TRUE((*run)->find(entry.key, {}, &found).ok());
    file->reads = 0;
    for (const Entry& entry : entries) ASSERT_TRUE((*run)->find(entry.key, {}, &found).ok());
    EXPECT_EQ(file->reads, 0u);
    EXPECT_GT(cache->counters().blocks, 0u);
  }
  EXPECT_EQ(cache->counters().blocks, 0u) << "a run that is gone leaves nothing in the cache";
}

TEST(Run, HoldsValuesUpToTheirLimitInBlocksOfTheirOwn) {
  std::vector<Entry> entries;
  for (uint64_t i = 0; i < 4; ++i) {
    entries.push_back(make_entry("k" + std::to_string(i) + "a", 1, 1, "small"));
    entries.push_back(make_entry("k" + std::to_string(i) + "b", 1, 1, std::string(kValueBytesMax / (i + 1), 'v')));
  }
  const std::string bytes = write_run(entries, FileId{4}, 8192);  // several strides of 8 MiB
  ASSERT_GT(bytes.size(), 2 * 3 * kMirrorStride);
  auto file = std::make_shared<StringReader>(bytes);
  auto run = RunReader::open(file, FileId{4}, kTestStore, std::make_shared<BlockCache>(1 << 20));
  ASSERT_TRUE(run.ok()) << run.status().message();
  EXPECT_EQ(read_all(*(*run)->iterator()), entries);
  EXPECT_TRUE(damage_of(**run).empty());
  // Damage in the first copy of each stride is passed over.
  for (size_t at = 1000; at < file->text.size(); at += 2 * kMirrorStride) file->text[at] ^= 1;
  EXPECT_EQ(read_all(*(*run)->iterator()), entries);
  EXPECT_FALSE(damage_of(**run).empty());
}

TEST(Run, RefusesWhatIsOverItsLimits) {
  StringWriter file;
  RunWriter large_value(file, FileId{1}, {});
  EXPECT_EQ(large_value.add(make_entry("k", 1, 1, std::string(kValueBytesMax + 1, 'v'))).code(), Code::kLimit);
  EXPECT_EQ(large_value.finish().status().code(), Code::kLimit) << "the first error stays";
  RunWriter large_key(file, FileId{1}, {});
  EXPECT_EQ(large_key.add(make_entry(std::string(kKeyBytesMax + 1, 'k'), 1, 1, "v")).code(), Code::kLimit);
}

TEST(RunDeathTest, EntriesOutOfOrderAreAMistakeOfTheProgram) {
  StringWriter file;
  RunWriter writer(file, FileId{1}, {});
  ASSERT_TRUE(writer.add(make_entry("b", 1, 1, "v")).ok());
  EXPECT_DEATH((void)writer.add(make_entry("b", 1, 1, "v")), "out of order");
  EXPECT_DEATH((void)writer.add(make_entry("a", 1, 1, "v")), "out of order");
}

class FailingWriter final : public FileWriter {
 public:
  Status append(ByteSpan) override { return {Code::kNoSpace, "the disk is full"}; }
  Status fill_head(ByteSpan) override { return {}; }
  uint64_t size() const override { return 0; }
};

TEST(Run, ReportsAFailedWrite) {
  FailingWriter file;
  RunWriter writer(file, FileId{1}, {});
  ASSERT_TRUE(writer.add(make_entry("b", 1, 1, "v")).ok());
  Result<RunInfo> done = writer.finish();
  EXPECT_EQ(done.status().code(), Code::kNoSpace);
  EXPECT_NE(done.status().message().find("catalog/1.run"), std::string::npos);
}

}  // namespace
}  // namespace stela::catalog

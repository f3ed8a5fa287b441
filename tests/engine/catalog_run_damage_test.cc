// Damaged, truncated and foreign run files: the right entries or kDamaged, never others, never none.
#include <gtest/gtest.h>

#include "engine/catalog/run_block.h"
#include "engine/catalog/run_layout.h"
#include "tests/engine/catalog_fixture.h"

namespace stela::catalog {
namespace {

std::vector<Entry> history() {
  std::mt19937_64 random(9);
  std::vector<Entry> entries;
  for (uint64_t i = 1; i <= 60; ++i) {
    entries.push_back(make_entry("k" + std::to_string(random() % 20), i, i, "value" + std::to_string(i), i % 7 == 0));
  }
  std::sort(entries.begin(), entries.end(), EntryLess{});
  return entries;
}

struct Outcome {
  int right = 0;
  int damaged = 0;
};

// Looks at everything through a file that may be wrong.
void check_file(const std::string& bytes, const std::vector<Entry>& entries, Outcome* outcome) {
  auto run = open_run(bytes, FileId{4});
  if (!run.ok()) {
    ASSERT_EQ(run.status().code(), Code::kDamaged) << run.status().message();
    ASSERT_NE(run.status().message().find("catalog/4.run"), std::string::npos) << run.status().message();
    ++outcome->damaged;
    return;
  }
  const CatalogState state{{}, {*run}};
  Oracle oracle;
  for (const Entry& entry : entries) oracle.add(entry);
  for (int k = 0; k < 21; ++k) {
    const std::string key = "k" + std::to_string(k);
    for (uint64_t s : {5, 30, 60}) {
      const Stamp stamp{Sequence{s}, kSequenceMax};
      std::string value;
      Status status = state.get(key, stamp, &value);
      const Entry* expected = oracle.visible(key, stamp);
      if (status.code() == Code::kDamaged) {
        ++outcome->damaged;
      } else {
        ASSERT_EQ(status.ok(), expected != nullptr) << key << " at " << s;
        if (expected != nullptr) {
          ASSERT_EQ(value, expected->value);
        }
        ++outcome->right;
      }
    }
  }
  auto iterator = (*run)->iterator();
  size_t at = 0;
  for (iterator->seek(""); iterator->valid(); iterator->next(), ++at) {
    ASSERT_LT(at, entries.size());
    ASSERT_EQ(iterator->key(), entries[at].key);
    ASSERT_EQ(iterator->value(), entries[at].value);
  }
  if (iterator->status().ok()) {
    ASSERT_EQ(at, entries.size());
  } else {
    ASSERT_EQ(iterator->status().code(), Code::kDamaged);
    ++outcome->damaged;
  }
}

TEST(RunDamage, OneCopyIsEnoughWhateverByteIsWrongInTheOther) {
  const std::vector<Entry> entries = history();
  std::string bytes = write_run(entries, FileId{4}, 100);
  const size_t stride = 100 / std::min<uint64_t>(100, scaled(100));
  Outcome outcome;
  for (size_t at = 0; at < bytes.size(); at += stride) {
    const char old = bytes[at];
    bytes[at] = static_cast<char>(old ^ (1 << (at % 8)));
    SCOPED_TRACE("byte " + std::to_string(at));
    check_file(bytes, entries, &outcome);
    if (testing::Test::HasFatalFailure()) return;
    ASSERT_EQ(outcome.damaged, 0);
    auto run = open_run(bytes, FileId{4});
    int sentences = 0;
    ASSERT_TRUE((*run)->verify([&](const std::string&) { ++sentences; }).ok());
    ASSERT_EQ(sentences, 1);
    bytes[at] = old;
  }
}

TEST(RunDamage, TheSameByteWrongInBothCopiesIsDamageOrDoesNotMatter) {
  const std::vector<Entry> entries = history();
  std::string bytes = write_run(entries, FileId{4}, 100);
  const size_t half = bytes.size() / 2;
  const size_t stride = 100 / std::min<uint64_t>(100, scaled(100));
  for (size_t at = 0; at < half; at += stride) {
    const std::string old = bytes;
    bytes[at] = static_cast<char>(~bytes[at]);
    bytes[at + half] = static_cast<char>(~bytes[at + half]);
    SCOPED_TRACE("byte " + std::to_string(at));
    Outcome outcome;
    check_file(bytes, entries, &outcome);
    if (testing::Test::HasFatalFailure()) return;
    auto run = open_run(bytes, FileId{4});
    if (run.ok()) {
      int sentences = 0;
      ASSERT_TRUE((*run)->verify([&](const std::string&) { ++sentences; }).ok());
      ASSERT_GE(sentences, 2);
    } else {
      ASSERT_GT(outcome.damaged, 0);
    }
    bytes = old;
  }
}

TEST(RunDamage, LookupsAwayFromTheDamageGoOn) {
  const std::vector<Entry> entries = history();
  std::string bytes = write_run(entries, FileId{4}, 100);
  const size_t half = bytes.size() / 2;
  bytes[10] ^= 1;
  bytes[half + 10] ^= 1;
  Outcome outcome;
  check_file(bytes, entries, &outcome);
  EXPECT_GT(outcome.damaged, 0);
  EXPECT_GT(outcome.right, 40);
}

TEST(RunDamage, TruncatedFilesAreDamaged) {
  const std::vector<Entry> entries = history();
  const std::string bytes = write_run(entries, FileId{4}, 100);
  for (size_t size = 0; size < bytes.size(); ++size) {
    Outcome outcome;
    check_file(bytes.substr(0, size), entries, &outcome);
    if (testing::Test::HasFatalFailure()) return;
    ASSERT_GT(outcome.damaged, 0) << size;
  }
  Outcome outcome;
  check_file(bytes + "xx", entries, &outcome);
  EXPECT_EQ(outcome.damaged, 1);
}

TEST(RunDamage, SwappedBlocksAndForeignFilesAreNotTakenForRight) {
  const std::vector<Entry> entries = history();
  const std::string bytes = write_run(entries, FileId{4}, 100);
  auto other_id = open_run(bytes, FileId{5});
  ASSERT_FALSE(other_id.ok());
  EXPECT_EQ(other_id.status().code(), Code::kDamaged);
  auto other_store = RunReader::open(std::make_shared<StringReader>(bytes), FileId{4}, kTestStore + 1, nullptr);
  ASSERT_FALSE(other_store.ok());
  EXPECT_EQ(other_store.status().code(), Code::kDamaged);
  // Blocks of another run, each sound in itself, put into this one.
  const std::string foreign = write_run(entries, FileId{5}, 100);
  ASSERT_EQ(foreign.size(), bytes.size());
  const size_t half = bytes.size() / 2;
  std::string mixed = bytes;
  mixed.replace(0, half / 2, foreign.substr(0, half / 2));
  mixed.replace(half, half / 2, foreign.substr(half, half / 2));
  Outcome outcome;
  check_file(mixed, entries, &outcome);
  EXPECT_GT(outcome.damaged, 0);
}

TEST(RunDamage, ANewerFormatIsRefusedByName) {
  std::string bytes = write_run(history(), FileId{4}, 100);
  for (size_t end : {bytes.size() / 2, bytes.size()}) {
    char* trailer = bytes.data() + end - kTrailerBytes;
    trailer[8] = 2;
    const uint32_t crc = crc32c(std::string_view(trailer, kTrailerBytes - 4));
    std::memcpy(trailer + kTrailerBytes - 4, &crc, 4);
  }
  auto run = open_run(bytes, FileId{4});
  ASSERT_FALSE(run.ok());
  EXPECT_EQ(run.status().code(), Code::kUnsupported);
  EXPECT_NE(run.status().message().find("run format 2"), std::string::npos) << run.status().message();
}

TEST(RunDamage, ADamagedNewestRunIsNeverAnsweredFromAnOlderOne) {
  const std::string older = write_run({make_entry("k", 1, 1, "old")}, FileId{1}, 100);
  std::string newer = write_run({make_entry("k", 5, 5, "new")}, FileId{2}, 100);
  newer[3] ^= 1;
  newer[newer.size() / 2 + 3] ^= 1;
  auto first = open_run(newer, FileId{2});
  auto second = open_run(older, FileId{1});
  ASSERT_TRUE(first.ok() && second.ok());
  const CatalogState state{{}, {*first, *second}};
  std::string value;
  EXPECT_EQ(state.get("k", {}, &value).code(), Code::kDamaged);
  EXPECT_EQ(state.born_after("k", Sequence{2}).status().code(), Code::kDamaged);
  EXPECT_EQ(state.scan("", "", {}, [](auto, auto, auto) { return true; }).code(), Code::kDamaged);
  // The version before does not need the damaged block.
  ASSERT_TRUE(state.get("k", {Sequence{4}, kSequenceMax}, &value).ok());
  EXPECT_EQ(value, "old");
  EXPECT_FALSE(*state.born_after("k", Sequence{5}));
}

TEST(RunBlock, RandomBytesGiveAscendingEntriesAndEnd) {
  std::mt19937_64 random(4);
  BlockBuilder builder;
  for (const Entry& entry : history()) builder.add({entry.key, entry.birth, entry.install}, entry.erased, entry.value);
  const std::string right(builder.finish());
  for (int i = 0; i < static_cast<int>(scaled(20000)); ++i) {
    std::string payload = right;
    if (i % 4 == 0) payload.resize(random() % right.size());
    for (uint64_t n = random() % 6; n > 0 && !payload.empty(); --n) {
      payload[random() % payload.size()] = static_cast<char>(random());
    }
    BlockCursor cursor;
    cursor.open(payload);
    if (random() % 2 == 0) {
      cursor.seek_first();
    } else {
      cursor.seek({"k1", Sequence{random() % 60}, kSequenceMax});
      ASSERT_TRUE(!cursor.valid() || cursor.key() >= "k1");
    }
    std::string last;
    for (size_t steps = 0; cursor.valid(); cursor.next(), ++steps) {
      ASSERT_LE(steps, payload.size());
      ASSERT_GE(cursor.key(), last);
      last.assign(cursor.key());
    }
  }
}

}  // namespace
}  // namespace stela::catalog

#include <gtest/gtest.h>

#include "engine/catalog/keys.h"
#include "tests/engine/catalog_fixture.h"

namespace stela::catalog {
namespace {

struct History {
  std::vector<Entry> entries;
  CatalogState state;
  Oracle oracle;
  uint64_t newest = 0;
  std::vector<std::string> keys;
};

struct HistoryShape {
  size_t keys, entries, tables, runs;
  uint32_t block_bytes;
  double rewritten;      // share of entries of an older birth, of them half erasures
  bool by_time = false;  // sources hold what was learnt in one span, as flushes make them
};

std::string random_text(std::mt19937_64& random, size_t bytes_max) {
  std::string text(random() % (bytes_max + 1), '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

// Commits (birth = install) and physical changes (older birth, new install), dealt out to tables and
// runs, some of them to two.
void make_history(uint64_t seed, const HistoryShape& shape, History& out) {
  std::mt19937_64 random(seed);
  for (size_t i = 0; i < shape.keys; ++i) {
    std::string key =
        i % 3 == 0 ? random_text(random, 12) : "dataset/" + std::to_string(i % 7) + random_text(random, 3);
    out.keys.push_back(std::move(key));
  }
  std::uniform_real_distribution<double> share(0, 1);
  for (size_t i = 0; i < shape.entries; ++i) {
    if (random() % 4 != 0) ++out.newest;
    uint64_t birth = out.newest;
    bool erased = false;
    if (share(random) < shape.rewritten) {
      birth = random() % (out.newest + 1);
      erased = random() % 2 == 0;
    }
    out.entries.push_back(
        make_entry(out.keys[random() % shape.keys], birth, out.newest, random_text(random, 40), erased));
  }
  std::map<std::tuple<std::string, uint64_t, uint64_t>, Entry> unique;
  for (const Entry& entry : out.entries) unique.try_emplace({entry.key, entry.birth.value, entry.install.value}, entry);
  out.entries.clear();
  for (auto& [key, entry] : unique) out.entries.push_back(entry);

  std::shuffle(out.entries.begin(), out.entries.end(), random);
  std::vector<std::shared_ptr<MemTable>> tables;
  for (size_t i = 0; i < shape.tables; ++i) tables.push_back(std::make_shared<MemTable>());
  std::vector<std::vector<Entry>> runs(shape.runs);
  auto deal = [&](const Entry& entry) {
    const size_t sources = shape.tables + shape.runs;
    const size_t age = (out.newest - entry.install.value) * sources / (out.newest + 1);
    const size_t to = shape.by_time ? age : random() % sources;
    if (to < shape.tables) {
      tables[to]->insert(entry);
    } else {
      runs[to - shape.tables].push_back(entry);
    }
  };
  // The oracle points into out.entries, which stay where they are from here on.
  for (const Entry& entry : out.entries) {
    out.oracle.add(entry);
    deal(entry);
    if (random() % 8 == 0) deal(entry);
  }
  out.state.tables.assign(tables.begin(), tables.end());
  auto cache = std::make_shared<BlockCache>(1 << 20);
  for (size_t i = 0; i < runs.size(); ++i) {
    auto run = open_run(write_run(runs[i], FileId{i + 1}, shape.block_bytes), FileId{i + 1}, cache);
    ASSERT_TRUE(run.ok()) << run.status().message();
    out.state.runs.push_back(*run);
  }
}

void check_stamp(const History& history, Stamp stamp, std::mt19937_64& random) {
  for (int i = 0; i < 20; ++i) {
    std::string key = history.keys[random() % history.keys.size()];
    if (random() % 8 == 0) key += "absent";
    std::string value;
    Sequence birth;
    Status status = history.state.get(key, stamp, &value, &birth);
    const Entry* expected = history.oracle.visible(key, stamp);
    if (expected == nullptr) {
      EXPECT_EQ(status.code(), Code::kNotFound);
    } else {
      ASSERT_TRUE(status.ok()) << status.message();
      EXPECT_EQ(value, expected->value);
      EXPECT_EQ(birth, expected->birth);
    }
    const Sequence after{random() % (history.newest + 2)};
    Result<bool> born = history.state.born_after(key, after);
    ASSERT_TRUE(born.ok());
    EXPECT_EQ(*born, history.oracle.born_after(key, after.value));
  }
  std::string from = random() % 3 == 0 ? "" : history.keys[random() % history.keys.size()];
  std::string to = random() % 3 == 0 ? "" : history.keys[random() % history.keys.size()];
  auto expected = history.oracle.scan(from, to, stamp);
  size_t at = 0;
  Status status =
      history.state.scan(from, to, stamp, [&](std::string_view key, std::string_view value, Sequence birth) {
        if (at == expected.size()) return ++at, false;
        EXPECT_EQ(key, expected[at]->key);
        EXPECT_EQ(value, expected[at]->value);
        EXPECT_EQ(birth, expected[at]->birth);
        ++at;
        return true;
      });
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(at, expected.size());
}

void run_model(const HistoryShape& shape, uint64_t seeds) {
  for (uint64_t seed = 1; seed <= scaled(seeds); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    History history;
    make_history(seed, shape, history);
    if (testing::Test::HasFatalFailure()) return;
    std::mt19937_64 random(seed * 31);
    for (int i = 0; i < 40; ++i) {
      Stamp stamp{Sequence{random() % (history.newest + 2)}, Sequence{random() % (history.newest + 2)}};
      if (i % 8 == 0) stamp = {};
      check_stamp(history, stamp, random);
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST(CatalogState, AgreesWithTheRuleOverTablesOnly) { run_model({60, 600, 3, 0, 64, 0.3}, 30); }
TEST(CatalogState, AgreesWithTheRuleOverRunsOnly) { run_model({60, 600, 0, 4, 100, 0.3}, 30); }
TEST(CatalogState, AgreesWithTheRuleOverTablesAndRuns) { run_model({200, 2000, 2, 5, 256, 0.3}, 15); }
TEST(CatalogState, AgreesWithTheRuleForFewKeysOfManyVersions) { run_model({4, 2000, 2, 3, 200, 0.6}, 15); }
TEST(CatalogState, AgreesWithTheRuleForManyKeysOfOneVersion) { run_model({3000, 3000, 1, 2, 4096, 0.05}, 3); }

TEST(CatalogState, AgreesWithTheRuleOverSourcesOfSuccessiveFlushes) { run_model({30, 900, 1, 8, 200, 0.4, true}, 30); }

TEST(CatalogState, ANewerInstallOfTheSameBirthCountsWhereverItLies) {
  const Entry written = make_entry("k", 5, 5, "first place");
  const Entry moved = make_entry("k", 5, 7, "second place");
  const Entry erased = make_entry("k", 5, 7, "", true);
  for (const Entry& later : {moved, erased}) {
    auto one = open_run(write_run({written}, FileId{1}, 100), FileId{1});
    auto two = open_run(write_run({later}, FileId{2}, 100), FileId{2});
    ASSERT_TRUE(one.ok() && two.ok());
    for (const CatalogState& state : {CatalogState{{}, {*one, *two}}, CatalogState{{}, {*two, *one}}}) {
      std::string value;
      EXPECT_EQ(state.get("k", {}, &value).ok(), !later.erased);
      if (!later.erased) {
        EXPECT_EQ(value, "second place");
      }
      ASSERT_TRUE(state.get("k", {Sequence{9}, Sequence{6}}, &value).ok());
      EXPECT_EQ(value, "first place");
    }
  }
}

TEST(CatalogState, EmptyHasNothing) {
  CatalogState state;
  EXPECT_EQ(state.get("a", {}, nullptr).code(), Code::kNotFound);
  EXPECT_TRUE(state.scan("", "", {}, [](auto, auto, auto) { return true; }).ok());
  EXPECT_FALSE(*state.born_after("a", Sequence{0}));
  auto entries = state.iterator();
  entries->seek("");
  EXPECT_FALSE(entries->valid());
}

TEST(CatalogState, ErasureOfABirthShowsTheOlderOne) {
  auto table = std::make_shared<MemTable>();
  table->insert(make_entry("k", 1, 1, "one"));
  table->insert(make_entry("k", 5, 5, "five"));
  table->insert(make_entry("k", 5, 7, "", true));
  table->insert(make_entry("k", 5, 9, "five again"));
  CatalogState state{{table}, {}};
  auto at = [&](uint64_t s, uint64_t q) {
    std::string value;
    Status status = state.get("k", {Sequence{s}, Sequence{q}}, &value);
    return status.ok() ? value : "none";
  };
  EXPECT_EQ(at(0, 9), "none");
  EXPECT_EQ(at(4, 9), "one");
  EXPECT_EQ(at(5, 6), "five");
  EXPECT_EQ(at(5, 8), "one");
  EXPECT_EQ(at(9, 9), "five again");
  EXPECT_TRUE(*state.born_after("k", Sequence{4}));
  EXPECT_FALSE(*state.born_after("k", Sequence{5}));
}

TEST(CatalogState, EntriesBornAtSequenceZeroAreSeen) {
  auto table = std::make_shared<MemTable>();
  table->insert(make_entry("k", 0, 0, "zero"));
  CatalogState state{{table}, {}};
  std::string value;
  ASSERT_TRUE(state.get("k", {Sequence{0}, Sequence{0}}, &value).ok());
  EXPECT_EQ(value, "zero");
  table->insert(make_entry("k", 0, 3, "", true));
  EXPECT_EQ(state.get("k", {}, &value).code(), Code::kNotFound);
}

TEST(CatalogState, ScanStopsWhenToldTo) {
  auto table = std::make_shared<MemTable>();
  for (int i = 0; i < 10; ++i) table->insert(make_entry("k" + std::to_string(i), 1, 1, "v"));
  CatalogState state{{table}, {}};
  int seen = 0;
  ASSERT_TRUE(state.scan("", "", {}, [&](auto, auto, auto) { return ++seen < 4; }).ok());
  EXPECT_EQ(seen, 4);
}

TEST(CatalogState, IteratorGivesEachEntryOnceInOrder) {
  History history;
  make_history(5, {50, 900, 3, 3, 128, 0.4}, history);
  std::sort(history.entries.begin(), history.entries.end(), EntryLess{});
  auto entries = history.state.iterator();
  size_t at = 0;
  for (entries->seek(""); entries->valid(); entries->next(), ++at) {
    ASSERT_LT(at, history.entries.size());
    EXPECT_EQ((Entry{std::string(entries->key()), entries->birth(), entries->install(), entries->erased(),
                     std::string(entries->value())}),
              history.entries[at]);
  }
  EXPECT_TRUE(entries->status().ok());
  EXPECT_EQ(at, history.entries.size());
}

TEST(CatalogState, IteratorSeeksForwardsAndBackwardsToAnyPlace) {
  History history;
  make_history(6, {40, 1500, 2, 4, 200, 0.4}, history);
  std::sort(history.entries.begin(), history.entries.end(), EntryLess{});
  auto entries = history.state.iterator();
  std::mt19937_64 random(6);
  for (int i = 0; i < 2000; ++i) {
    Entry target = history.entries[random() % history.entries.size()];
    if (random() % 2 == 0) target.birth = Sequence{random() % (history.newest + 1)};
    if (random() % 2 == 0) target.install = Sequence{random() % (history.newest + 1)};
    auto expected = std::lower_bound(history.entries.begin(), history.entries.end(), target, EntryLess{});
    entries->seek_to(target.key, target.birth, target.install);
    for (int steps = 0; steps < 3; ++steps, ++expected) {
      ASSERT_EQ(entries->valid(), expected != history.entries.end());
      if (!entries->valid()) break;
      ASSERT_EQ(entries->key(), expected->key);
      ASSERT_EQ(entries->birth(), expected->birth);
      ASSERT_EQ(entries->install(), expected->install);
      entries->next();
    }
  }
}

TEST(CatalogEntry, SurvivesEncoding) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 500; ++i) {
    Entry entry = make_entry(random_text(random, 30), random() >> (random() % 64), random() >> (random() % 64),
                             random_text(random, 300), random() % 2 == 0);
    std::string bytes;
    encode_entry(bytes, entry);
    Decoder in(bytes);
    Entry back;
    ASSERT_TRUE(decode_entry(in, &back));
    EXPECT_TRUE(in.at_end());
    EXPECT_EQ(back, entry);
    for (size_t cut = 0; cut < bytes.size(); ++cut) {
      Decoder shortened(std::string_view(bytes).substr(0, cut));
      EXPECT_FALSE(decode_entry(shortened, &back));
    }
  }
}

TEST(CatalogKeys, PrefixEndIsTheFirstKeyBehind) {
  EXPECT_EQ(prefix_end("abc"), "abd");
  EXPECT_EQ(prefix_end("ab\xff"), "ac");
  EXPECT_EQ(prefix_end("\xff\xff"), "");
  EXPECT_EQ(prefix_end(""), "");
  const std::string prefix_of_names = prefix(NodeId{255}, KeyKind::kName);
  const std::string end = prefix_end(prefix_of_names);
  EXPECT_LT(key(NodeId{255}, KeyKind::kName, "\xff\xff"), end);
  EXPECT_LE(end, key(NodeId{255}, KeyKind::kNode));
}

TEST(CatalogKeys, AreDescribedForPeople) {
  EXPECT_EQ(catalog_key_describe(version_key(NodeId{7}, VersionNumber{3})), "version 3 of node 7");
  EXPECT_EQ(catalog_key_describe(key(NodeId{1}, KeyKind::kName, "a\"\n")), "name \"a\\\"\\x0a\" in node 1");
  EXPECT_EQ(catalog_key_describe(key(NodeId{2}, KeyKind::kFragment, 0, 9)), "fragment of group 0 at row 9 of node 2");
  EXPECT_EQ(catalog_key_describe(key(NodeId{0}, KeyKind::kFile, 12)), "file 12");
  EXPECT_EQ(catalog_key_describe("ab"), "key \"ab\"");
  EXPECT_EQ(catalog_key_describe(key(NodeId{2}, KeyKind::kVersion, "x")), "key of kind 3 \"x\" of node 2");
}

}  // namespace
}  // namespace stela::catalog

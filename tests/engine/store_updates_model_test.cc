// Random updates of cells against a plain oracle, and the rows that a patch names.
#include <gtest/gtest.h>

#include <map>
#include <numeric>

#include "engine/io/manual_clock.h"
#include "engine/io/memory_env.h"
#include "engine/store/patch_entry.h"
#include "engine/store/store.h"
#include "tests/engine/cells_fixture.h"

namespace stela {
namespace {

using cells::Cells;
using cells::cells_of;
using cells::data_of;
using cells::read;

TEST(PatchRows, WhatIsEncodedIsDecoded) {
  SeededRandom random(5);
  for (int round = 0; round < 300; ++round) {
    store::GranuleRows rows;
    uint64_t density = 1 + random.below(40);
    uint64_t limit = 1 + random.below(store::kGranuleRowsMax);
    for (uint64_t row = 0; row < limit; ++row) {
      if (random.below(density) == 0) rows.push_back(static_cast<uint16_t>(row));
    }
    std::string bytes = store::encode_rows(rows);
    EXPECT_LE(bytes.size(), 1 + store::kGranuleRowsMax / 8);
    auto again = store::decode_rows(bytes);
    ASSERT_TRUE(again.ok()) << again.status().message();
    EXPECT_EQ(rows, *again);
    bytes[random.below(bytes.size())] ^= static_cast<char>(1 << random.below(8));
    (void)store::decode_rows(bytes);  // any outcome but a crash
  }
}

// Random updates of integers and text, appends, upkeep and reopening, each version against a map.
TEST(StoreUpdatesModel, EveryVersionShowsWhatItDid) {
  const char* text = std::getenv("STELA_TEST_SCALE");
  uint64_t scale = text == nullptr ? 100 : std::strtoull(text, nullptr, 10);
  uint64_t rounds = std::max<uint64_t>(1, 4 * scale / 100);
  for (uint64_t seed = 1; seed <= rounds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random(seed);
    StoreOptions options{.background = false,
                         .inline_bytes_max = 600,
                         .entries_inline_max = 700,
                         .merge_factor = 3,
                         .page_bytes = 256,
                         .flat_bytes_min = 1024,
                         .statistics_rows = 16,
                         .run_block_bytes = 256};
    auto env = memory_env(seed);
    auto store = Store::create(env, options).value();
    Table table = *store->create_table("/t");
    using Text = std::vector<std::optional<std::string>>;
    struct Version {
      Cells a;
      Text b;
    };
    std::vector<Version> versions;
    Version now;
    auto random_text = [&]() -> std::optional<std::string> {
      if (random.below(4) == 0) return std::nullopt;
      return std::string(random.below(6), static_cast<char>('a' + random.below(26)));
    };
    auto random_cell = [&]() -> std::optional<int64_t> {
      if (random.below(4) == 0) return std::nullopt;
      return static_cast<int64_t>(random.below(100));
    };
    auto text_data = [](const Text& values) {
      ColumnData data(DataType::of(TypeKind::kUtf8));
      for (const auto& value : values) {
        if (value) {
          data.append_text(*value);
        } else {
          data.append_nulls(1);
        }
      }
      return data;
    };
    auto check = [&](size_t number) {
      auto at = table.at(VersionNumber{number});
      ASSERT_TRUE(at.ok());
      const Version& expected = versions[number - 1];
      ASSERT_EQ(expected.a.size(), at->rows());
      ASSERT_EQ(expected.a, read(*at, "a")) << "version " << number;
      auto b = at->read("b", 0, at->rows());
      ASSERT_TRUE(b.ok()) << b.status().message();
      uint64_t bytes = 0;
      uint64_t nulls = 0;
      for (uint64_t row = 0; row < at->rows(); ++row) {
        ASSERT_EQ(expected.b[row].has_value(), b->view().is_valid(row)) << "version " << number << " row " << row;
        ASSERT_EQ(expected.b[row].value_or(""), as_text(b->view().value(row)));
        bytes += expected.b[row].value_or("").size();
        nulls += expected.b[row] ? 0 : 1;
      }
      auto totals = at->totals(*at->column("b"));
      ASSERT_TRUE(totals.ok());
      ASSERT_EQ(nulls, totals->nulls);
      ASSERT_EQ(bytes, totals->value_bytes);
      uint64_t first = random.below(at->rows() + 1);
      uint64_t count = random.below(at->rows() - first + 1);
      uint64_t part = 0;
      for (uint64_t row = first; row < first + count; ++row) part += expected.b[row].value_or("").size();
      ASSERT_EQ(part, *at->value_bytes(*at->column("b"), first, count));
      auto statistics = at->statistics(*at->column("a"));
      ASSERT_TRUE(statistics.ok());
      std::optional<int64_t> least;
      for (const auto& cell : expected.a) least = cell ? std::min(least.value_or(*cell), *cell) : least;
      ASSERT_EQ(least.has_value(), statistics->has_bounds);
      if (least) {
        ASSERT_EQ(*least, get_fixed<int64_t>(statistics->min.data()));
      }
    };
    for (int step = 0; step < 120; ++step) {
      uint64_t choice = random.below(10);
      if (now.a.empty() || choice < 3) {
        uint64_t count = random.below(4) == 0 ? 100 + random.below(300) : 1 + random.below(5);
        Cells a;
        Text b;
        for (uint64_t i = 0; i < count; ++i) {
          a.push_back(random_cell());
          b.push_back(random_text());
        }
        Batch batch;
        ASSERT_TRUE(table.append(batch.add("a", data_of(a)).add("b", text_data(b)), {}).ok());
        now.a.insert(now.a.end(), a.begin(), a.end());
        now.b.insert(now.b.end(), b.begin(), b.end());
        versions.push_back(now);
      } else if (choice < 8) {
        bool texts = random.coin();
        std::vector<uint64_t> rows;
        uint64_t density = 1 + random.below(60);
        for (uint64_t row = 0; row < now.a.size(); ++row) {
          if (random.below(density) == 0) rows.push_back(row);
        }
        Version next = now;
        Cells a;
        Text b;
        for (uint64_t row : rows) {
          next.a[row] = texts ? next.a[row] : random_cell();
          next.b[row] = texts ? random_text() : next.b[row];
          a.push_back(next.a[row]);
          b.push_back(next.b[row]);
        }
        auto version =
            texts ? table.update("b", rows, text_data(b).view(), {}) : table.update("a", rows, data_of(a).view(), {});
        ASSERT_TRUE(version.ok()) << version.status().message();
        bool differs = next.a != now.a || next.b != now.b;
        ASSERT_EQ(differs, version->has_value());
        now = next;
        if (differs) versions.push_back(now);
      } else if (choice == 8) {
        Status kept = store->maintain(true);
        ASSERT_TRUE(kept.ok()) << kept.message();
      } else {
        store.reset();
        store = Store::open(env, options).value();
        table = *store->table("/t");
      }
      if (!versions.empty()) check(1 + random.below(versions.size()));
      if (::testing::Test::HasFatalFailure()) return;
    }
    for (size_t number = 1; number <= versions.size(); ++number) {
      check(number);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace stela

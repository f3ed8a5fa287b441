// Order, sums and distinct values: against naive oracles, merged, stored, and as hostile bytes.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <set>

#include "engine/format/statistics_figures.h"
#include "tests/engine/format_fixture.h"

namespace stela::format {
namespace {

// Few different values, so that orders and neighbours that are equal come by chance.
ColumnData few_values(const DataType& type, uint64_t rows, std::mt19937_64& random) {
  const ColumnData pool = random_column(type, 3, Nulls::kNone, random);
  std::vector<uint64_t> chosen(rows);
  for (uint64_t& choice : chosen) choice = random() % 3;
  if (random() % 2 == 0) {
    std::sort(chosen.begin(), chosen.end(), [&](uint64_t a, uint64_t b) {
      return compare_values(type, as_text(pool.view().value(a)), as_text(pool.view().value(b))) < 0;
    });
  }
  if (random() % 3 == 0) std::reverse(chosen.begin(), chosen.end());
  ColumnData column(type);
  for (uint64_t choice : chosen) {
    if (random() % 5 == 0) column.append_nulls(1);
    column.append(pool.view().slice(choice, 1));
  }
  return column;
}

struct Oracle {
  bool up = true, down = true, strict = true;
  std::set<std::string> different;
  __int128 sum = 0;
};

Oracle oracle_of(const ColumnView& view) {
  Oracle oracle;
  const DataType& type = *view.type;
  const bool is_signed = type.is_signed_integer() || type.is_temporal() || type.kind == TypeKind::kDecimal128;
  std::optional<std::string> last;
  for (uint64_t row = 0; row < view.rows; ++row) {
    if (!view.is_valid(row)) continue;
    const std::string value(as_text(view.value(row)));
    if (last) {
      const int rise = compare_values(type, value, *last);
      oracle.up &= rise >= 0;
      oracle.down &= rise <= 0;
      oracle.strict &= rise != 0;
    }
    last = value;
    oracle.different.insert(value);
    __int128 number = is_signed && (value.empty() ? 0 : value.back() & '\x80') != 0 ? -1 : 0;
    std::memcpy(&number, value.data(), std::min(value.size(), sizeof(number)));
    if (!type.is_variable() && value.size() <= sizeof(number))
      oracle.sum =
          static_cast<__int128>(static_cast<unsigned __int128>(oracle.sum) + static_cast<unsigned __int128>(number));
  }
  return oracle;
}

bool has_integer_sum(const DataType& type) {
  return type.is_integer() || type.kind == TypeKind::kBool || type.kind == TypeKind::kDuration;
}

void expect_figures(const ColumnView& view, const Statistics& statistics, const std::string& where) {
  const DataType& type = *view.type;
  const Oracle oracle = oracle_of(view);
  if (type.is_tensor()) {
    EXPECT_FALSE(statistics.ascending || statistics.descending || statistics.sum || statistics.distinct()) << where;
    return;
  }
  if (statistics.nulls == statistics.rows) return;
  if (!statistics.has_nan) {
    EXPECT_EQ(statistics.ascending, oracle.up) << where;
    EXPECT_EQ(statistics.descending, oracle.down) << where;
    EXPECT_EQ(statistics.strict, (oracle.up || oracle.down) && oracle.strict) << where;
  }
  if (has_integer_sum(type)) {
    ASSERT_TRUE(statistics.sum) << where;
    EXPECT_TRUE(statistics.sum->integer == oracle.sum) << where;
  }
  ASSERT_TRUE(statistics.distinct()) << where;
  if (type.is_float()) return;  // zeros and NaN, below
  EXPECT_EQ(*statistics.distinct(), oracle.different.size()) << where;
}

TEST(Figures, AgreeWithTheNaiveOracleWholeAndMerged) {
  std::mt19937_64 random(71);
  for (const std::string& name : test_type_names()) {
    const DataType type = *DataType::parse(name);
    for (int round = 0; round < 60; ++round) {
      const ColumnData column = few_values(type, 1 + random() % 12, random);
      const ColumnView view = column.view();
      expect_figures(view, compute_statistics(view), name);
      const uint64_t cut = random() % (view.rows + 1);
      Statistics merged = compute_statistics(view.slice(0, cut));
      merge_statistics(type, merged, compute_statistics(view.slice(cut, view.rows - cut)));
      if (!merged.min_exact || !merged.max_exact) continue;  // an order is then not always known
      expect_figures(view, merged, name + " merged");
    }
  }
}

TEST(Figures, LongOrdersAreSeenToTheEnd) {
  ColumnData up(DataType::of(TypeKind::kInt32));
  for (int32_t i = 0; i < 5000; ++i) up.append_value(i / 2);
  EXPECT_TRUE(compute_statistics(up.view()).ascending);
  EXPECT_FALSE(compute_statistics(up.view()).strict);
  up.append_value(int32_t{0});
  EXPECT_FALSE(compute_statistics(up.view()).ascending);
}

TEST(Figures, SumsOfFloatsAreExact) {
  std::mt19937_64 random(72);
  for (TypeKind kind : {TypeKind::kFloat32, TypeKind::kFloat64}) {
    ColumnData column(DataType::of(kind));
    __int128 exact = 0;  // in 2^-20
    for (int i = 0; i < 100'000; ++i) {
      const auto number = static_cast<int64_t>(random() % (1 << 24)) - (1 << 23);
      const int64_t scale = kind == TypeKind::kFloat64 ? int64_t{1} << (random() % 30) : 1;
      exact += static_cast<__int128>(number) * scale;
      const double value = std::ldexp(static_cast<double>(number * scale), -20);
      if (kind == TypeKind::kFloat64) {
        column.append_value(value);
      } else {
        column.append_value(static_cast<float>(value));
      }
    }
    column.append_nulls(3);
    const Statistics whole = compute_statistics(column.view());
    ASSERT_TRUE(whole.sum);
    EXPECT_EQ(whole.sum->real.nearest(), std::ldexp(static_cast<double>(exact), -20));
    Statistics merged;
    for (uint64_t row = 0; row < column.rows(); row += 777) {
      const uint64_t count = std::min<uint64_t>(777, column.rows() - row);
      merge_statistics(column.type(), merged, compute_statistics(column.view().slice(row, count)));
    }
    EXPECT_EQ(merged.sum, whole.sum);
  }
}

double any_finite(std::mt19937_64& random) {
  for (;;) {
    const double value = std::bit_cast<double>(random());
    if (std::isfinite(value)) return value;
  }
}

TEST(FloatSum, OfOneValueIsIt) {
  std::mt19937_64 random(75);
  for (int round = 0; round < 20'000; ++round) {
    double value = any_finite(random);
    if (round % 3 == 0) value = std::bit_cast<double>(std::bit_cast<uint64_t>(value) & 0x800fffffffffffff);
    FloatSum sum;
    sum.add(value);
    EXPECT_EQ(sum.value().nearest(), value);
    if (value == 0) continue;
    const double other = std::ldexp(static_cast<double>(static_cast<int64_t>(random())), -63 - 20 + round % 40);
    value = std::ldexp(value, -std::ilogb(value));
    FloatSum two;
    two.add(value);
    two.add(other);
    EXPECT_EQ(two.value().nearest(), value + other) << "as the processor rounds";
  }
}

TEST(FloatSum, HasNoErrorInAnyOrder) {
  std::mt19937_64 random(76);
  for (int round = 0; round < 20; ++round) {
    std::vector<double> values(3000);
    for (double& value : values) value = any_finite(random);
    FloatSum whole, left, right, cancelled;
    for (double value : values) whole.add(value);
    std::shuffle(values.begin(), values.end(), random);
    for (double value : values) (random() % 2 == 0 ? left : right).add(value);
    FloatSum merged;
    merged.add(right.value());
    merged.add(left.value());
    EXPECT_EQ(merged.value(), whole.value());
    cancelled.add(whole.value());
    for (double value : values) cancelled.add(-value);
    EXPECT_EQ(cancelled.value(), ExactFloat());
    const ValueSum one = ValueSum::of(left);
    ValueSum three = *ValueSum::of(one, one);
    three = *ValueSum::of(three, one);
    EXPECT_EQ(one.times(3), three);
    std::string bytes;
    whole.value().encode(bytes);
    EXPECT_LE(bytes.size(), 275u);
    for (size_t size = 0; size < bytes.size(); ++size) {
      Decoder cut(std::string_view(bytes).substr(0, size));
      ExactFloat read;
      EXPECT_FALSE(read.decode(cut)) << size;
    }
    Decoder in(bytes);
    ExactFloat back;
    ASSERT_TRUE(back.decode(in) && in.at_end());
    EXPECT_EQ(back, whole.value());
  }
}

// The parts that are summed at once, against a value at a time.
TEST(FloatSum, OfColumnsIsThatOfTheirValues) {
  std::mt19937_64 random(77);
  for (int round = 0; round < 300; ++round) {
    ColumnData column(DataType::of(TypeKind::kFloat64));
    FloatSum wanted;
    const unsigned range = round % 3 == 0 ? 2000 : 1 + round % 90;
    for (uint64_t i = 0, rows = 2 + random() % 5000; i < rows; ++i) {
      const auto integer = static_cast<double>(static_cast<int64_t>(random()));
      double value = std::ldexp(integer, -static_cast<int>(random() % range));
      if (round % 7 == 0) value = std::ldexp(value, -1000);
      if (round % 11 == 0) value = any_finite(random);
      column.append_value(value);
      wanted.add(value);
      if (round % 2 == 0 && random() % 9 == 0) column.append_nulls(1);
      if (round % 5 == 0 && random() % 9 == 0) column.append_value(std::nan(""));
    }
    const Statistics statistics = compute_statistics(column.view());
    ASSERT_TRUE(statistics.sum);
    EXPECT_EQ(statistics.sum->real, wanted.value()) << round;
  }
}

TEST(Figures, HalvesAreSummedExactly) {
  ColumnData column(DataType::of(TypeKind::kFloat16));
  // 65504, the least above nothing and its negative twice, 1.5.
  for (uint16_t bits : {0x7bff, 0x0001, 0x8001, 0x8001, 0x3e00}) column.append_value(bits);
  column.append_value(uint16_t{0x7e00});  // NaN
  EXPECT_EQ(compute_statistics(column.view()).sum->real.nearest(), 65505.5 - std::ldexp(1, -24));
  column.append_value(uint16_t{0xfc00});  // minus infinity
  EXPECT_FALSE(compute_statistics(column.view()).sum);
}

TEST(Figures, NanAndZerosAndInfinities) {
  const DataType type = DataType::of(TypeKind::kFloat64);
  ColumnData zeros(type);
  for (double value : {-0.0, 0.0, -0.0}) zeros.append_value(value);
  Statistics statistics = compute_statistics(zeros.view());
  EXPECT_EQ(statistics.distinct(), 1u);
  EXPECT_TRUE(statistics.ascending && statistics.descending && !statistics.strict);
  EXPECT_EQ(statistics.sum->real.nearest(), 0);
  ColumnData nan(type);
  for (double value : {1.0, std::nan(""), 2.0, std::nan("1")}) nan.append_value(value);
  statistics = compute_statistics(nan.view());
  EXPECT_EQ(statistics.distinct(), 2u);
  EXPECT_FALSE(statistics.ascending || statistics.descending);
  EXPECT_EQ(statistics.sum->real.nearest(), 3);
  ColumnData infinite(type);
  for (double value : {1.0, double{INFINITY}}) infinite.append_value(value);
  EXPECT_FALSE(compute_statistics(infinite.view()).sum);
  Statistics merged = compute_statistics(zeros.view());
  merge_statistics(type, merged, compute_statistics(infinite.view()));
  EXPECT_FALSE(merged.sum);
  EXPECT_TRUE(merged.ascending);
}

TEST(Figures, ConstantColumnsAreSeenAtOnceAndSummedExactly) {
  ColumnData column(DataType::of(TypeKind::kInt64));
  for (int i = 0; i < 3000; ++i) column.append_value(INT64_MIN);
  const Statistics statistics = compute_statistics(column.view());
  EXPECT_TRUE(statistics.ascending && statistics.descending && !statistics.strict);
  EXPECT_TRUE(statistics.sum->integer == static_cast<__int128>(INT64_MIN) * 3000);
  EXPECT_EQ(statistics.distinct(), 1u);
  ColumnData tenth(DataType::of(TypeKind::kFloat64));
  for (int i = 0; i < 3000; ++i) tenth.append_value(0.1);
  EXPECT_EQ(compute_statistics(tenth.view()).sum->real.nearest(), 0.1 * 3000);  // one rounding
}

TEST(DistinctSketch, IsNearTheTruthForAnyKindOfValues) {
  for (uint64_t step : {uint64_t{1}, uint64_t{1000}, uint64_t{1} << 40, uint64_t{0x9E3779B97F4A7C15}}) {
    DistinctSketch sketch;
    uint64_t done = 0;
    for (uint64_t wanted : {1u, 10u, 100u, 256u, 1000u, 10'000u, 100'000u, 1'000'000u}) {
      for (; done < wanted; ++done) {
        for (int again = 0; again < 2; ++again) sketch.add(distinct_hash(done * step));
      }
      const double error = wanted <= DistinctSketch::kFewMax ? 0 : 0.1;  // four standard errors
      const auto truth = static_cast<double>(wanted);
      EXPECT_NEAR(static_cast<double>(sketch.estimate()), truth, std::max(0.6, error * truth)) << step;
    }
  }
}

TEST(DistinctSketch, BothHalvesOfANumberCount) {
  for (uint64_t factor : {(uint64_t{1} << 32) + 1, (uint64_t{1} << 33) + 2, uint64_t{3} * ((uint64_t{1} << 32) + 1)}) {
    DistinctSketch sketch;
    for (uint64_t i = 0; i < 3000; ++i) sketch.add(distinct_hash(i * factor));
    EXPECT_NEAR(static_cast<double>(sketch.estimate()), 3000, 300) << factor;
  }
}

TEST(Figures, DecimalsOfBothSignsAreDistinct) {
  const DataType type = DataType::decimal(10, 2);
  ColumnData column(type);
  for (__int128 value : {__int128{0}, __int128{-1}, __int128{1}, __int128{-2}}) column.append_value(value);
  EXPECT_EQ(compute_statistics(column.view()).distinct(), 4u);
}

TEST(DistinctSketch, MergesAsIfAllHadBeenAddedToOne) {
  std::mt19937_64 random(73);
  for (uint64_t values : {5u, 100u, 300u, 2000u, 20'000u}) {
    DistinctSketch whole, left, right;
    for (uint64_t i = 0; i < values; ++i) {
      const uint64_t hash = distinct_hash(random() % values);
      whole.add(hash);
      (random() % 2 == 0 ? left : right).add(hash);
    }
    left.merge(right);
    EXPECT_TRUE(left == whole) << values;
    EXPECT_EQ(left.estimate(), whole.estimate());
    std::string bytes;
    whole.encode(bytes);
    EXPECT_LE(bytes.size(), 1284u);
    DistinctSketch back;
    Decoder in(bytes);
    ASSERT_TRUE(back.decode(in) && in.at_end());
    EXPECT_TRUE(back == whole);
    for (size_t size = 0; size < bytes.size(); size += 1 + size / 7) {
      Decoder cut(std::string_view(bytes).substr(0, size));
      EXPECT_FALSE(back.decode(cut)) << size;
    }
  }
}

TEST(Figures, BinaryFormRoundTripsAndSurvivesAnyBytes) {
  std::mt19937_64 random(74);
  for (const std::string& name : test_type_names()) {
    const DataType type = *DataType::parse(name);
    for (bool with_sketch : {false, true}) {
      const ColumnData column = random_column(type, 40, Nulls::kRandom, random);
      const Statistics statistics = compute_statistics(column.view());
      std::string bytes;
      encode_statistics(bytes, statistics);
      const size_t front = bytes.size();
      encode_figures(bytes, statistics, with_sketch);
      Statistics back;
      Decoder in(bytes);
      ASSERT_TRUE(decode_statistics(in, type, &back) && decode_figures(in, &back) && in.at_end()) << name;
      EXPECT_EQ(back.distinct(), statistics.distinct()) << name;
      EXPECT_EQ(back.sum, statistics.sum) << name;
      EXPECT_EQ(back.ascending, statistics.ascending) << name;
      if (with_sketch) {
        EXPECT_EQ(back, statistics) << name;
      }
      for (int round = 0; round < 300; ++round) {
        std::string changed = bytes;
        changed[front + random() % (bytes.size() - front)] ^= static_cast<char>(1 << random() % 8);
        Decoder hostile(std::string_view(changed).substr(0, front + random() % (changed.size() - front + 1)));
        Statistics read;
        if (!decode_statistics(hostile, type, &read) || !decode_figures(hostile, &read)) continue;
        EXPECT_LE(read.distinct().value_or(0), read.rows - read.nulls);
      }
    }
  }
}

TEST(Figures, AreStoredForColumnsPagesAndStretchesOfRows) {
  FragmentBench bench;
  bench.options.page_bytes = 8000;
  bench.options.statistics_rows = 512;
  std::vector<std::vector<ColumnData>> sections(1);
  ColumnData numbers(DataType::of(TypeKind::kInt64)), words(DataType::of(TypeKind::kUtf8));
  for (int64_t i = 0; i < 5000; ++i) {
    numbers.append_value(i * 3);
    words.append_text("word " + std::to_string(i % 7));
  }
  sections[0].push_back(std::move(numbers));
  sections[0].push_back(std::move(words));
  auto reader = bench.open(bench.write(sections)[0]);
  ASSERT_TRUE(reader.ok());
  for (size_t column = 0; column < 2; ++column) {
    auto chunk = (*reader)->column(FragmentBench::id_of(column)).value();
    const ColumnView values = sections[0][column].view();
    EXPECT_EQ(chunk->statistics().value(), compute_statistics(values));
    uint64_t row = 0;
    const std::vector<Statistics> stretches = chunk->fine_statistics().value();
    for (const Statistics& stretch : stretches) {
      const Statistics wanted = compute_statistics(values.slice(row, stretch.rows));
      EXPECT_EQ(stretch.sum, wanted.sum);
      EXPECT_EQ(stretch.ascending, wanted.ascending);
      EXPECT_EQ(stretch.strict, wanted.strict);
      EXPECT_EQ(stretch.distinct(), wanted.distinct());
      row += stretch.rows;
    }
    const std::vector<PageInfo> pages = chunk->pages().value();
    EXPECT_GT(pages.size(), 2u);
    for (const PageInfo& page : pages) {
      const Statistics wanted = compute_statistics(values.slice(page.first_row, page.rows));
      EXPECT_EQ(page.statistics.sum, wanted.sum);
      EXPECT_EQ(page.statistics.distinct(), wanted.distinct());
      EXPECT_EQ(page.statistics.ascending, wanted.ascending);
    }
  }
}

}  // namespace
}  // namespace stela::format

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <optional>

#include "tests/engine/format_fixture.h"

namespace stela::format {
namespace {

double half_value(uint16_t bits) {
  int exponent = bits >> 10 & 31;
  double fraction = bits & 0x3ff;
  double value = exponent == 0    ? std::ldexp(fraction, -24)
                 : exponent == 31 ? (fraction == 0 ? INFINITY : NAN)
                                  : std::ldexp(1024 + fraction, exponent - 25);
  return (bits & 0x8000) != 0 ? -value : value;
}

// Order of two values by the plainest means; empty: one of them is NaN.
std::optional<int> order(const DataType& type, std::string_view a, std::string_view b) {
  auto three = [](auto x, auto y) -> std::optional<int> {
    if (x != x || y != y) return std::nullopt;
    return x < y ? -1 : x > y ? 1 : 0;
  };
  switch (type.kind) {
    case TypeKind::kFloat16:
      return three(half_value(get_fixed<uint16_t>(a.data())), half_value(get_fixed<uint16_t>(b.data())));
    case TypeKind::kFloat32: return three(get_fixed<float>(a.data()), get_fixed<float>(b.data()));
    case TypeKind::kFloat64: return three(get_fixed<double>(a.data()), get_fixed<double>(b.data()));
    case TypeKind::kUtf8:
    case TypeKind::kBinary:
    case TypeKind::kFixedBinary: return three(a.compare(b), 0);
    default: break;
  }
  bool is_signed = type.is_signed_integer() || type.is_temporal() || type.kind == TypeKind::kDecimal128;
  __int128 numbers[2] = {0, 0};
  std::string_view texts[2] = {a, b};
  for (int i = 0; i < 2; ++i) {
    if (is_signed && (texts[i].back() & '\x80') != 0) numbers[i] = -1;
    std::memcpy(&numbers[i], texts[i].data(), texts[i].size());
  }
  return three(numbers[0], numbers[1]);
}

void check(const ColumnView& view, const std::string& where) {
  const DataType& type = *view.type;
  Statistics statistics = compute_statistics(view);
  EXPECT_EQ(statistics.rows, view.rows) << where;
  EXPECT_EQ(statistics.nulls, view.null_count()) << where;
  std::optional<std::string> low, high;
  bool nan = false;
  for (uint64_t row = 0; row < view.rows; ++row) {
    if (!view.is_valid(row)) continue;
    std::string value(as_text(view.value(row)));
    if (!type.is_tensor() && !order(type, value, value)) {
      nan = true;
      continue;
    }
    if (type.is_tensor()) continue;
    if (!low || *order(type, value, *low) < 0) low = value;
    if (!high || *order(type, value, *high) > 0) high = value;
  }
  EXPECT_EQ(statistics.has_nan, nan) << where;
  ASSERT_EQ(statistics.has_bounds, low.has_value()) << where;
  if (!low) return;
  EXPECT_EQ(order(type, statistics.min, *low), 0) << where;
  EXPECT_EQ(order(type, statistics.max, *high), 0) << where;
  EXPECT_EQ(compare_values(type, *low, *high), *order(type, *low, *high)) << where;
}

TEST(Statistics, AgreeWithTheNaiveOracleForEveryType) {
  std::mt19937_64 random(9);
  for (const std::string& name : test_type_names()) {
    for (Nulls nulls : kNullPatterns) {
      for (uint64_t rows : {0u, 1u, 2u, 7u, 8u, 9u, 100u, 257u}) {
        ColumnData column = random_column(*DataType::parse(name), rows, nulls, random);
        check(column.view(), name + " " + std::to_string(rows));
        if (rows > 3) check(column.view().slice(3, rows - 3), name + " slice");
      }
    }
  }
}

TEST(Statistics, LeavesOutNanAndTakesInfinitiesAndZeros) {
  for (double filler : {std::nan(""), 0.0, -0.0, double{INFINITY}, -double{INFINITY}}) {
    ColumnData column(DataType::of(TypeKind::kFloat64));
    for (int i = 0; i < 21; ++i) column.append_value(i == 13 ? std::nan("") : filler);
    Statistics statistics = compute_statistics(column.view());
    EXPECT_TRUE(statistics.has_nan);
    EXPECT_EQ(statistics.has_bounds, !std::isnan(filler));
    if (statistics.has_bounds) {
      EXPECT_EQ(get_fixed<double>(statistics.min.data()), filler);
      EXPECT_FALSE(filler == 0 && std::signbit(get_fixed<double>(statistics.min.data())));
      EXPECT_FALSE(filler == 0 && std::signbit(get_fixed<double>(statistics.max.data())));
    }
  }
}

TEST(Statistics, HalfFloatsOrderAllBitPatterns) {
  DataType type = DataType::of(TypeKind::kFloat16);
  std::mt19937_64 random(4);
  for (int i = 0; i < 20000; ++i) {
    auto a = static_cast<uint16_t>(random()), b = static_cast<uint16_t>(random());
    if (std::isnan(half_value(a)) || std::isnan(half_value(b))) continue;
    std::string x(reinterpret_cast<const char*>(&a), 2), y(reinterpret_cast<const char*>(&b), 2);
    ASSERT_EQ(compare_values(type, x, y), *order(type, x, y)) << a << " " << b;
  }
}

TEST(Statistics, LongTextGetsShortBoundsThatStillHold) {
  std::mt19937_64 random(6);
  const char* alphabets[] = {"ab", "\xff\xfe\x01", "\x7f\x7e", "z\xf4\x8f\xbf\xbf"};
  for (TypeKind kind : {TypeKind::kUtf8, TypeKind::kBinary}) {
    for (int round = 0; round < 400; ++round) {
      std::string_view alphabet = alphabets[round % 4];
      ColumnData column(DataType::of(kind));
      for (int row = 0; row < 3; ++row) {
        std::string value;
        for (uint64_t length = 55 + random() % 30; value.size() < length;) {
          value += random() % 20 > 0 ? alphabet.back() : alphabet[random() % alphabet.size()];
        }
        column.append_text(value);
      }
      Statistics statistics = compute_statistics(column.view());
      if (!statistics.has_bounds) continue;
      EXPECT_LE(statistics.min.size(), kBoundBytes);
      EXPECT_LE(statistics.max.size(), kBoundBytes);
      bool min_seen = false, max_seen = false;
      for (uint64_t row = 0; row < 3; ++row) {
        std::string_view value = as_text(column.view().value(row));
        EXPECT_LE(statistics.min, value);
        EXPECT_GE(statistics.max, value);
        min_seen |= statistics.min == value;
        max_seen |= statistics.max == value;
      }
      EXPECT_EQ(statistics.min_exact, min_seen);
      EXPECT_EQ(statistics.max_exact, max_seen);
    }
  }
}

TEST(Statistics, CutTextStaysText) {
  struct Case {
    std::string character, raised;
  };
  // One to four bytes, the last before the surrogates, and the last of all, which cannot be raised.
  for (const Case& c : {Case{"a", "b"}, Case{"\x7f", "\xc2\x80"}, Case{"\xc3\xa9", "\xc3\xaa"},
                        Case{"\xdf\xbf", "\xe0\xa0\x80"}, Case{"\xed\x9f\xbf", "\xee\x80\x80"},
                        Case{"\xef\xbf\xbf", "\xf0\x90\x80\x80"}, Case{"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x81"}}) {
    std::string value;
    while (value.size() < 90) value += c.character;
    ColumnData column(DataType::of(TypeKind::kUtf8));
    column.append_text(value);
    Statistics statistics = compute_statistics(column.view());
    ASSERT_TRUE(statistics.has_bounds);
    EXPECT_EQ(statistics.min.size() % c.character.size(), 0u);
    EXPECT_TRUE(value.starts_with(statistics.min));
    EXPECT_TRUE(statistics.max.ends_with(c.raised)) << c.character;
    EXPECT_GT(statistics.max, value);
    EXPECT_LE(statistics.max.size(), kBoundBytes);
  }
  ColumnData last(DataType::of(TypeKind::kBinary));
  last.append_text(std::string(70, '\xff'));
  EXPECT_FALSE(compute_statistics(last.view()).has_bounds);
}

TEST(Statistics, MergeOfPartsBoundsTheWhole) {
  std::mt19937_64 random(8);
  for (const std::string& name : test_type_names()) {
    DataType type = *DataType::parse(name);
    for (int round = 0; round < 20; ++round) {
      ColumnData column = random_column(type, 60, kNullPatterns[random() % 6], random);
      uint64_t cut = random() % 61;
      Statistics merged = compute_statistics(column.view().slice(0, cut));
      merge_statistics(type, merged, compute_statistics(column.view().slice(cut, 60 - cut)));
      EXPECT_EQ(merged, compute_statistics(column.view())) << name;
    }
  }
}

TEST(Statistics, AnUnboundedPartLeavesTheWholeWithoutBounds) {
  DataType type = DataType::of(TypeKind::kBinary);
  ColumnData high(type), low(type), nulls(type);
  high.append_text(std::string(70, '\xff'));
  low.append_text("a");
  nulls.append_nulls(3);
  Statistics merged = compute_statistics(low.view());
  merge_statistics(type, merged, compute_statistics(nulls.view()));
  EXPECT_TRUE(merged.has_bounds);
  merge_statistics(type, merged, compute_statistics(high.view()));
  EXPECT_FALSE(merged.has_bounds);
  merge_statistics(type, merged, compute_statistics(low.view()));
  EXPECT_FALSE(merged.has_bounds);
  EXPECT_EQ(merged.rows, 6u);
}

TEST(Statistics, BinaryFormRoundTripsAndRefusesEveryPrefix) {
  std::mt19937_64 random(12);
  for (const std::string& name : test_type_names()) {
    DataType type = *DataType::parse(name);
    ColumnData column = random_column(type, 40, Nulls::kRandom, random);
    Statistics statistics = compute_statistics(column.view());
    std::string bytes;
    encode_statistics(bytes, statistics);
    Statistics back;
    Decoder in{std::string_view(bytes)};
    ASSERT_TRUE(decode_statistics(in, type, &back)) << name;
    EXPECT_TRUE(in.at_end());
    Statistics bare = statistics;  // figures have a form of their own
    bare.ascending = bare.descending = bare.strict = false;
    bare.sum.reset();
    bare.sketch.reset();
    EXPECT_EQ(back, bare);
    for (size_t cut = 0; cut < bytes.size(); ++cut) {
      Decoder part{std::string_view(bytes).substr(0, cut)};
      EXPECT_FALSE(decode_statistics(part, type, &back)) << name << cut;
    }
  }
}

}  // namespace
}  // namespace stela::format

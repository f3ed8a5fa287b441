#include <gtest/gtest.h>

#include <optional>
#include <random>

#include "engine/types/column.h"

namespace stela {
namespace {

using Oracle = std::vector<std::optional<std::string>>;  // a value's bytes, or null

void expect_equal(const ColumnView& view, const Oracle& oracle) {
  ASSERT_EQ(view.rows, oracle.size());
  Buffer fill = null_fill(*view.type);
  uint64_t nulls = 0;
  uint64_t bytes = 0;
  for (size_t row = 0; row < oracle.size(); ++row) {
    EXPECT_EQ(view.is_valid(row), oracle[row].has_value()) << row;
    std::string_view expected = oracle[row] ? std::string_view(*oracle[row]) : as_text(fill.span());
    EXPECT_EQ(as_text(view.value(row)), expected) << row;
    nulls += oracle[row] ? 0 : 1;
    bytes += expected.size();
  }
  EXPECT_EQ(view.null_count(), nulls);
  EXPECT_EQ(view.value_bytes(), bytes);
}

std::string random_value(const DataType& type, std::mt19937_64& random) {
  std::string value(type.is_variable() ? random() % 9 : type.value_width(), '\0');
  for (char& byte : value) byte = static_cast<char>(random());
  return value;
}

TEST(Bits, CopyAndCountAgreeWithSingleBits) {
  std::mt19937_64 random(1);
  std::vector<uint8_t> from(64);
  for (uint8_t& byte : from) byte = static_cast<uint8_t>(random());
  for (int round = 0; round < 4000; ++round) {
    uint64_t offset = random() % 200, count = random() % 300, to_offset = random() % 70;
    std::vector<uint8_t> to(64), expected(64);
    for (size_t i = 0; i < to.size(); ++i) expected[i] = to[i] = static_cast<uint8_t>(random());
    uint64_t zeros = 0;
    for (uint64_t i = 0; i < count; ++i) {
      bit_set(expected.data(), to_offset + i, bit_get(from.data(), offset + i));
      zeros += bit_get(from.data(), offset + i) ? 0 : 1;
    }
    copy_bits(from.data(), offset, to.data(), to_offset, count);
    ASSERT_EQ(to, expected) << offset << " " << count << " " << to_offset;
    ASSERT_EQ(count_zero_bits(from.data(), offset, count), zeros);
    uint64_t visited = 0, next = 0;
    for_each_zero_bit(from.data(), offset, count, [&](uint64_t i) {
      ASSERT_TRUE(i >= next && i < count && !bit_get(from.data(), offset + i)) << i;
      next = i + 1;
      ++visited;
    });
    ASSERT_EQ(visited, zeros);
  }
}

class ColumnDataOf : public ::testing::TestWithParam<const char*> {};

TEST_P(ColumnDataOf, RandomAppendsAgreeWithOracle) {
  DataType type = *DataType::parse(GetParam());
  std::mt19937_64 random(7);
  for (int round = 0; round < 30; ++round) {
    ColumnData column(type);
    Oracle oracle;
    for (int step = 0; step < 40; ++step) {
      uint64_t choice = random() % 4;
      if (choice == 0) {
        uint64_t count = random() % 20;
        column.append_nulls(count);
        oracle.insert(oracle.end(), count, std::nullopt);
      } else if (choice == 1 && !oracle.empty()) {
        uint64_t first = random() % oracle.size();
        uint64_t count = random() % (oracle.size() - first + 1) % 50;
        ColumnData copy = column;
        column.append(copy.view().slice(first, count));
        for (uint64_t i = 0; i < count; ++i) oracle.push_back(oracle[first + i]);
      } else {
        oracle.emplace_back(random_value(type, random));
        column.append(as_bytes(*oracle.back()));
      }
    }
    expect_equal(column.view(), oracle);
    uint64_t first = random() % (oracle.size() + 1);
    uint64_t count = random() % (oracle.size() - first + 1);
    Oracle part(oracle.begin() + static_cast<ptrdiff_t>(first), oracle.begin() + static_cast<ptrdiff_t>(first + count));
    expect_equal(column.view().slice(first, count), part);
  }
}

INSTANTIATE_TEST_SUITE_P(Types, ColumnDataOf,
                         ::testing::Values("bool", "int16", "float64", "date", "decimal128(9,2)", "utf8", "binary",
                                           "fixed_binary(5)", "float32[3]"));

TEST(ColumnData, BulkGrowthWithValidityAgreesWithOracle) {
  std::mt19937_64 random(3);
  ColumnData fixed(DataType::of(TypeKind::kFloat32)), text(DataType::of(TypeKind::kUtf8));
  Oracle fixed_oracle, text_oracle;
  for (int round = 0; round < 30; ++round) {
    uint64_t rows = random() % 40;
    std::vector<uint8_t> validity(16);
    uint64_t offset = random() % 60;
    for (uint8_t& byte : validity) byte = static_cast<uint8_t>(round % 3 == 0 ? 0xff : random());
    std::byte* at = fixed.grow_fixed(rows);
    std::vector<uint32_t> lengths;
    std::string bytes;
    Buffer fill = null_fill(fixed.type());
    for (uint64_t row = 0; row < rows; ++row) {
      bool valid = bit_get(validity.data(), offset + row);
      std::string value = random_value(fixed.type(), random);
      std::memcpy(at + row * 4, valid ? static_cast<const void*>(value.data()) : fill.data(), 4);
      fixed_oracle.push_back(valid ? std::optional(value) : std::nullopt);
      std::string word = valid ? random_value(text.type(), random) : "";
      lengths.push_back(static_cast<uint32_t>(word.size()));
      bytes += word;
      text_oracle.push_back(valid ? std::optional(word) : std::nullopt);
    }
    std::byte* to = text.grow_variable(lengths.data(), rows);
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    fixed.set_validity_of_last(rows, validity.data(), offset);
    text.set_validity_of_last(rows, validity.data(), offset);
    expect_equal(fixed.view(), fixed_oracle);
    expect_equal(text.view(), text_oracle);
  }
}

TEST(ColumnData, AdoptWritesTheFillAndSqueezesNullText) {
  Buffer values(ByteSpan(as_bytes("abcdefgh")));
  Result<ColumnData> text =
      ColumnData::adopt(DataType::of(TypeKind::kUtf8), 4, values, {0, 2, 4, 5, 8}, PooledVector<uint8_t>{0b1101});
  ASSERT_TRUE(text.ok());
  expect_equal(text->view(), {"ab", std::nullopt, "e", "fgh"});
  Result<ColumnData> number =
      ColumnData::adopt(DataType::of(TypeKind::kInt32), 2, values, {}, PooledVector<uint8_t>{0b01});
  ASSERT_TRUE(number.ok());
  expect_equal(number->view(), {"abcd", std::nullopt});
  Result<ColumnData> full = ColumnData::adopt(DataType::of(TypeKind::kInt32), 2, values, {}, {0xff});
  ASSERT_TRUE(full.ok());
  EXPECT_FALSE(full->has_nulls());
}

TEST(ColumnData, AdoptRefusesBuffersThatDoNotFit) {
  Buffer values(ByteSpan(as_bytes("abcdefgh")));
  DataType text = DataType::of(TypeKind::kUtf8);
  EXPECT_FALSE(ColumnData::adopt(text, 2, values, {0, 9, 3}, {}).ok());
  EXPECT_FALSE(ColumnData::adopt(text, 2, values, {0, 3, 9}, {}).ok());
  EXPECT_FALSE(ColumnData::adopt(text, 2, values, {1, 3, 8}, {}).ok());
  EXPECT_FALSE(ColumnData::adopt(text, 2, values, {0, 8}, {}).ok());
  EXPECT_FALSE(ColumnData::adopt(DataType::of(TypeKind::kInt32), 3, values, {}, {}).ok());
  EXPECT_TRUE(ColumnData::adopt(DataType::of(TypeKind::kInt8), 8, values, {}, {}).ok());
  EXPECT_FALSE(ColumnData::adopt(DataType::of(TypeKind::kInt64), uint64_t{1} << 61, values, {}, {}).ok());
  DataType nine = DataType::of(TypeKind::kUInt8);
  EXPECT_FALSE(ColumnData::adopt(nine, 9, Buffer(ByteSpan(as_bytes("abcdefghi"))), {}, {0xff}).ok());
}

}  // namespace
}  // namespace stela

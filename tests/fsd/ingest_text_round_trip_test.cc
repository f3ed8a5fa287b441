// What the .csv views write, ingest reads back, bit for bit, for every type.
#include <gtest/gtest.h>

#include <random>

#include "fsd/ingest/csv_cells.h"
#include "fsd/ingest/csv_ingest.h"
#include "fsd/ingest/half.h"
#include "fsd/ingest/iso_time.h"
#include "fsd/ingest/utf8_text.h"
#include "fsd/views/text_format.h"
#include "tests/fsd/ingest_fakes.h"

namespace stela::fsd {
namespace {

// Random bytes of one element that are a value of the type that has a text: no NaN payloads, years of four
// digits, times within a day, decimals of at most `precision` digits.
std::string random_element(const DataType& type, std::mt19937_64& random) {
  uint64_t bits = random() >> (random() % 64);
  std::string out;
  auto within = [&](int64_t seconds) {
    int64_t span = seconds * units_per_second(type.unit);
    return static_cast<int64_t>(random() % static_cast<uint64_t>(span));
  };
  switch (type.kind) {
    case TypeKind::kBool: put_fixed(out, static_cast<uint8_t>(bits & 1)); break;
    case TypeKind::kFloat16: {
      auto half = static_cast<uint16_t>(random());
      put_fixed(out, std::isnan(double_from_half(half)) ? uint16_t{0x7e00} : half);
      break;
    }
    case TypeKind::kFloat32: {
      auto value = get_fixed<float>(&bits);
      put_fixed(out, std::isnan(value) ? std::numeric_limits<float>::quiet_NaN() : value);
      break;
    }
    case TypeKind::kFloat64: {
      bits = random();
      auto value = get_fixed<double>(&bits);
      put_fixed(out, std::isnan(value) ? std::numeric_limits<double>::quiet_NaN() : value);
      break;
    }
    case TypeKind::kDate: put_fixed(out, static_cast<int64_t>(random() % 3'652'059) - 719'528); break;
    case TypeKind::kTimestamp: put_fixed(out, within(4'000'000'000) - within(4'000'000'000)); break;
    case TypeKind::kTime: put_fixed(out, within(kSecondsPerDay)); break;
    case TypeKind::kDuration: put_fixed(out, static_cast<int64_t>(bits) / (random() % 2 == 0 ? 1 : -1)); break;
    case TypeKind::kDecimal128: {
      int64_t value = static_cast<int64_t>(random() % 2'000'000'000) - 1'000'000'000;
      put_fixed(out, value / static_cast<int64_t>(1 + random() % 100'000));
      put_fixed(out, get_fixed<int64_t>(out.data()) < 0 ? int64_t{-1} : int64_t{0});
      break;
    }
    default:
      while (out.size() < type.element_width())
        put_fixed(out, static_cast<uint8_t>(random() % 3 == 0 ? bits : random()));
  }
  return out;
}

std::string random_value(const DataType& type, std::mt19937_64& random) {
  std::string out;
  if (type.kind == TypeKind::kUtf8) {
    static const std::vector<std::string> kParts = {"a", ",", "\"", "\n", "\r\n", " ", "é", "NA", "null", "7"};
    for (uint64_t n = random() % 4; n > 0; --n) out += kParts[random() % kParts.size()];
    return out;
  }
  if (type.kind == TypeKind::kBinary) {
    for (uint64_t n = random() % 9; n > 0; --n) out += static_cast<char>(random());
    return out;
  }
  for (uint64_t i = 0; i < type.elements(); ++i) out += random_element(type, random);
  return out;
}

class TextRoundTrip : public testing::TestWithParam<const char*> {};

TEST_P(TextRoundTrip, csv_fields_read_back_bit_for_bit) {
  std::mt19937_64 random(31);
  FakeDataset dataset;
  DataType type = DataType::parse(GetParam()).value();
  for (const char* name : {"a", "b"}) {
    dataset.fields.push_back({name, type, true});
    dataset.columns.emplace_back(type);
  }
  ColumnData wanted(type);
  std::string file = "a,b\r\n";
  for (int row = 0; row < 3000; ++row) {
    if (random() % 10 == 0) {
      wanted.append_nulls(1);
    } else {
      wanted.append_text(random_value(type, random));
    }
    append_csv_field(wanted.view(), wanted.rows() - 1, file);
    file += ",\n";
  }
  MemorySource source(file);
  auto ingest = start_csv_ingest(source, "v.csv", ',', std::make_unique<FakeRowSink>(dataset), {});
  auto version = ingest.value()->commit(true, {});
  ASSERT_TRUE(version.ok()) << version.status().message();
  ASSERT_EQ(dataset.rows(), wanted.rows());
  EXPECT_EQ(dataset.columns[0].null_count(), wanted.null_count());
  for (uint64_t row = 0; row < wanted.rows(); ++row) {
    std::string text;
    append_csv_field(wanted.view(), row, text);
    ASSERT_EQ(dataset.columns[0].view().is_valid(row), wanted.view().is_valid(row)) << text;
    ASSERT_EQ(as_text(dataset.columns[0].view().value(row)), as_text(wanted.view().value(row))) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(Types, TextRoundTrip,
                         testing::Values("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32",
                                         "uint64", "float16", "float32", "float64", "date", "timestamp[s]",
                                         "timestamp[ms, UTC]", "timestamp[us]", "timestamp[ns, Europe/Berlin]",
                                         "time[s]", "time[ns]", "duration[s]", "duration[ns]", "decimal128(12,3)",
                                         "decimal128(38,0)", "utf8", "binary", "fixed_binary(5)", "float32[4]",
                                         "float64[2,2]", "bool[3]", "int16[2,3]"),
                         [](const testing::TestParamInfo<const char*>& one) {
                           std::string name = one.param;
                           for (char& c : name) {
                             if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
                           }
                           return name + "_" + std::to_string(one.index);
                         });

TEST(Half, converts_every_value_and_rounds_to_nearest_even) {
  for (uint32_t half = 0; half < 65536; ++half) {
    double value = double_from_half(static_cast<uint16_t>(half));
    if (!std::isnan(value)) {
      ASSERT_EQ(half_from_double(value), half);
    }
  }
  for (uint32_t half = 0; half < 0x7bff; ++half) {
    double low = double_from_half(static_cast<uint16_t>(half)),
           high = double_from_half(static_cast<uint16_t>(half + 1));
    double middle = (low + high) / 2;
    ASSERT_EQ(half_from_double(middle), half % 2 == 0 ? half : half + 1);
    ASSERT_EQ(half_from_double(std::nextafter(middle, 0)), half);
    ASSERT_EQ(half_from_double(-std::nextafter(middle, 1e9)), (half + 1) | 0x8000);
  }
  EXPECT_EQ(half_from_double(65519.99), 0x7bff);
  EXPECT_EQ(half_from_double(65520), 0x7c00);
}

TEST(IsoTime, days_agree_with_a_walk_over_the_calendar) {
  int64_t days = 0;
  for (int64_t year = 1970; year < 2500; ++year) {
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    unsigned lengths[] = {31, leap ? 29u : 28u, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (unsigned month = 1; month <= 12; ++month) {
      for (unsigned day = 1; day <= lengths[month - 1]; ++day) ASSERT_EQ(days_from_civil(year, month, day), days++);
    }
  }
  EXPECT_EQ(days_from_civil(0, 3, 1), -719'468);
}

}  // namespace
}  // namespace stela::fsd

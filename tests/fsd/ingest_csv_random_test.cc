// Random files against a naive reader, and a real one against itself.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <random>
#include <sstream>

#include "fsd/ingest/csv_ingest.h"
#include "fsd/ingest/structural_masks.h"
#include "fsd/ingest/text_value.h"
#include "fsd/ingest/utf8_text.h"
#include "tests/fsd/ingest_fakes.h"

namespace stela::fsd {
namespace {

// A cell as it was meant: text columns only, so that types play no part.
struct Cell {
  bool null = false;
  std::string text;
};

std::string written(const Cell& cell, char delimiter, bool always_quote) {
  if (cell.null) return "";
  bool needs = cell.text.empty() || cell.text[0] == '"' || cell.text.back() == '\r' ||
               cell.text.find_first_of(std::string("\n") + delimiter) != std::string::npos;
  if (!needs && !always_quote) return cell.text;
  std::string out = "\"";
  for (char c : cell.text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

std::string random_text(std::mt19937_64& random) {
  static const std::vector<std::string> kParts = {"a",  "bc", ",", ";",    "\"",  "\n",  "\r\n",
                                                  "\r", " ",  "é", "日本", "x,y", "\"\""};
  std::string out;
  for (uint64_t parts = random() % 5; parts > 0; --parts) out += kParts[random() % kParts.size()];
  return out;
}

TEST(CsvRandom, gives_back_what_was_written) {
  std::mt19937_64 random(20);
  for (int round = 0; round < 400; ++round) {
    size_t columns = random() % 4 + 1, rows = random() % 20;
    char delimiter = random() % 2 == 0 ? ',' : ';';
    std::string end = random() % 2 == 0 ? "\n" : "\r\n";
    std::string file, wanted;
    std::vector<std::vector<Cell>> cells(columns, std::vector<Cell>(rows));
    for (size_t c = 0; c < columns; ++c) file += (c > 0 ? std::string(1, delimiter) : "") + "c" + std::to_string(c);
    for (size_t r = 0; r < rows; ++r) {
      file += end;
      for (size_t c = 0; c < columns; ++c) {
        // One value that is text for certain keeps the column's type out of the matter.
        Cell cell{random() % 5 == 0, r == 0 ? "text" : random_text(random)};
        if (r == 0) cell.null = false;
        cells[c][r] = cell;
        file += (c > 0 ? std::string(1, delimiter) : "") + written(cell, delimiter, random() % 3 == 0);
      }
    }
    if (random() % 2 == 0 || (rows > 0 && columns == 1 && cells[0][rows - 1].null)) file += end;
    for (size_t c = 0; rows > 0 && c < columns; ++c) {
      wanted += (c > 0 ? "; c" : "c") + std::to_string(c) + ":utf8";
      for (const Cell& cell : cells[c]) wanted += cell.null ? " null" : " '" + cell.text + "'";
    }
    IngestOptions options;
    options.delimiter = delimiter;
    for (size_t piece : {size_t{1}, random() % 50 + 1, size_t{1} << 18}) {
      FakeDataset dataset;
      MemorySource source(file);
      auto ingest = start_csv_ingest(source, "f.csv", ',', std::make_unique<FakeRowSink>(dataset), options,
                                     {piece, random() % 100 + 1, random() % 8 == 0 ? random() % 100 + 1 : 1000});
      auto version = ingest.value()->commit(true, {});
      ASSERT_TRUE(version.ok()) << version.status().message() << "\n" << file;
      ASSERT_EQ(picture(dataset), wanted) << file;
    }
  }
}

// Types of random columns against rules written down naively: all values fit, and no earlier type would do.
TEST(CsvRandom, types_do_not_depend_on_the_order_of_rows) {
  static const std::vector<std::string> kValues = {"1",
                                                   "-7",
                                                   "9223372036854775808",
                                                   "9007199254740993",
                                                   "1.5",
                                                   "NaN",
                                                   "-0",
                                                   "1e400",
                                                   "true",
                                                   "2020-01-01",
                                                   "1500-01-01",
                                                   "2020-01-01T00:00:00",
                                                   "2020-01-01T00:00:00Z",
                                                   "2020-01-01T00:00:00.1234567",
                                                   "",
                                                   "NA",
                                                   "x",
                                                   "007",
                                                   "99999999999999999999",
                                                   "100000000000000000000"};
  std::mt19937_64 random(21);
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::string> values;
    size_t kinds = random() % 3 + 1;
    std::vector<std::string> some;
    for (size_t i = 0; i < kinds; ++i) some.push_back(kValues[random() % kValues.size()]);
    for (size_t i = random() % 8 + 1; i > 0; --i) values.push_back(some[random() % kinds]);
    std::string type;
    for (int order = 0; order < 4; ++order) {
      std::string file = "a,b\n";
      for (const std::string& value : values) file += value + ",1\n";
      FakeDataset dataset;
      MemorySource source(file);
      auto ingest = start_csv_ingest(source, "f.csv", ',', std::make_unique<FakeRowSink>(dataset), {},
                                     {random() % 20 + 1, random() % 10 + 1, random() % 16 == 0 ? size_t{10} : size_t{1000}});
      auto version = ingest.value()->commit(true, {});
      ASSERT_TRUE(version.ok()) << version.status().message() << "\n" << file;
      if (order == 0) type = dataset.fields[0].type.name();
      ASSERT_EQ(dataset.fields[0].type.name(), type) << file;
      std::shuffle(values.begin(), values.end(), random);
    }
  }
}

TEST(CsvRandom, numbers_are_read_exactly) {
  std::mt19937_64 random(22);
  for (int i = 0; i < 200'000; ++i) {
    uint64_t bits = random() >> (random() % 64);
    char text[64];
    uint64_t unsigned_value = 0;
    std::snprintf(text, sizeof(text), "%" PRIu64, bits);
    ASSERT_TRUE(parse_uint64(text, &unsigned_value) && unsigned_value == bits) << text;
    int64_t value = 0;
    std::snprintf(text, sizeof(text), "%" PRId64, static_cast<int64_t>(bits));
    ASSERT_TRUE(parse_int64(text, &value) && value == static_cast<int64_t>(bits)) << text;
    bits = random();
    auto number = get_fixed<double>(&bits);
    if (!std::isfinite(number)) continue;
    double read = 0;
    std::snprintf(text, sizeof(text), "%.17g", number);
    bool large_integer = is_integer_text(text);
    ASSERT_TRUE(large_integer || (parse_float(text, &read) && read == std::strtod(text, nullptr))) << text;
  }
}

TEST(CsvRandom, kernels_equal_their_portable_twins) {
  std::mt19937_64 random(23);
  for (int round = 0; round < 2000; ++round) {
    char bytes[64 * 3 + 1];
    for (char& byte : bytes) byte = ",;\n\r\"a\x80\xff"[random() % 8];
    size_t blocks = random() % 4;
    for (char delimiter : {',', ';', '\t'}) {
      uint64_t wanted[3] = {}, masks[3] = {};
      structural_kernels().front().masks(bytes + 1, blocks, delimiter, wanted);
      for (const StructuralKernel& kernel : structural_kernels()) {
        kernel.masks(bytes + 1, blocks, delimiter, masks);
        for (size_t block = 0; block < blocks; ++block) ASSERT_EQ(wanted[block], masks[block]) << kernel.name;
      }
    }
  }
}

// Bytewise, straight from the table in the Unicode standard (3-7).
bool naive_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    auto at = [&](size_t k) { return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u; };
    auto in = [](unsigned value, unsigned low, unsigned high) { return value >= low && value <= high; };
    unsigned a = at(0), b = at(1), c = at(2), d = at(3);
    bool tail2 = in(c, 0x80, 0xBF), tail3 = in(d, 0x80, 0xBF);
    if (a < 0x80) {
      i += 1;
    } else if (in(a, 0xC2, 0xDF) && in(b, 0x80, 0xBF)) {
      i += 2;
    } else if (((a == 0xE0 && in(b, 0xA0, 0xBF)) || (in(a, 0xE1, 0xEC) && in(b, 0x80, 0xBF)) ||
                (a == 0xED && in(b, 0x80, 0x9F)) || (in(a, 0xEE, 0xEF) && in(b, 0x80, 0xBF))) &&
               tail2) {
      i += 3;
    } else if (((a == 0xF0 && in(b, 0x90, 0xBF)) || (in(a, 0xF1, 0xF3) && in(b, 0x80, 0xBF)) ||
                (a == 0xF4 && in(b, 0x80, 0x8F))) &&
               tail2 && tail3) {
      i += 4;
    } else {
      return false;
    }
  }
  return true;
}

TEST(CsvRandom, utf8_is_judged_as_the_standard_says) {
  std::mt19937_64 random(24);
  static const std::string kBytes(
      "\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0\xc1\xc2\xdf\xe0\xe1\xec\xed\xee\xef\xf0\xf1\xf3\xf4\xf5\xff", 23);
  for (int round = 0; round < 200'000; ++round) {
    std::string text(random() % 4, 'a');
    for (size_t i = random() % 6; i > 0; --i) text += kBytes[random() % kBytes.size()];
    text += std::string(random() % 9, 'z');
    ASSERT_EQ(find_bad_utf8(text) == text.size(), naive_utf8(text)) << quoted_for_message(text);
    ASSERT_EQ(find_bad_text(text), find_bad_utf8(text));
  }
  EXPECT_EQ(find_bad_text(std::string("abcdefghijk\0l", 13)), 11u);
  EXPECT_EQ(find_bad_utf8(std::string("abcdefghijk\0l", 13)), 13u);
}

TEST(CsvSample, flights_have_the_types_and_nulls_of_their_source) {
  std::ifstream in(std::string(STELA_SOURCE_DIR) + "/tests/data/flights.csv", std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  ASSERT_FALSE(text.empty());
  FakeDataset dataset;
  MemorySource source(text);
  IngestOptions options;
  options.null_texts = {"NA"};
  auto ingest = start_csv_ingest(source, "flights.csv", ',', std::make_unique<FakeRowSink>(dataset), options);
  auto version = ingest.value()->commit(true, {});
  ASSERT_TRUE(version.ok()) << version.status().message();
  std::string types;
  for (const Field& field : dataset.fields) types += field.name + ":" + field.type.name() + " ";
  EXPECT_EQ(types,
            "year:int64 month:int64 day:int64 dep_time:int64 sched_dep_time:int64 dep_delay:int64 arr_time:int64 "
            "sched_arr_time:int64 arr_delay:int64 carrier:utf8 flight:int64 tailnum:utf8 origin:utf8 dest:utf8 "
            "air_time:int64 distance:int64 hour:int64 minute:int64 time_hour:timestamp[us, UTC] ");
  // The file has no quotes, so a naive split is right.
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  uint64_t row = 0;
  while (std::getline(lines, line)) {
    std::istringstream fields(line);
    std::string field;
    for (size_t c = 0; c < dataset.columns.size(); ++c) {
      ASSERT_TRUE(std::getline(fields, field, ','));
      ColumnView view = dataset.columns[c].view();
      ASSERT_EQ(view.is_valid(row), field != "NA") << row << " " << c;
      if (field == "NA" || dataset.fields[c].type.kind == TypeKind::kTimestamp) continue;
      std::string wanted = dataset.fields[c].type.is_variable() ? "'" + field + "'" : field;
      ASSERT_EQ(picture_value(dataset.fields[c].type, view.value(row)), wanted) << row << " " << c;
    }
    ++row;
  }
  EXPECT_EQ(row, dataset.rows());
}

}  // namespace
}  // namespace stela::fsd

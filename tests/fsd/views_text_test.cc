// Text views against the plain way: all lines made one after the other, by the functions for one value.
#include <atomic>
#include <thread>

#include "fsd/views/column_form.h"
#include "fsd/views/csv_header.h"
#include "fsd/views/field_writer.h"
#include "fsd/views/text_format.h"
#include "fsd/views/text_view.h"
#include "tests/fsd/views_fakes.h"

namespace stela::fsd {
namespace {

MemoryTable random_table(uint64_t rows, uint64_t seed) {
  std::mt19937_64 random(seed);
  MemoryTable table;
  uint64_t column = 0;
  for (const std::string& name : every_type_name()) {
    uint64_t nulls_in = column % 7 == 0 ? 0 : column % 7 == 1 ? 1 : column % 7 + 1;
    table.add("c" + std::to_string(column) + (column == 3 ? " \"quoted\", " : ""),
              random_column(DataType::parse(name).value(), rows, nulls_in, random));
    ++column;
  }
  return table;
}

std::string naive_csv(const MemoryTable& table) {
  std::string text;
  size_t columns = every_type_name().size();
  auto infos = table.columns().value();
  for (size_t i = 0; i < columns; ++i) {
    if (i > 0) text += ',';
    append_csv_header_field(infos[i].name, i == 0, text);
  }
  text += '\n';
  for (uint64_t row = 0; row < table.version().rows; ++row) {
    for (size_t i = 0; i < columns; ++i) {
      if (i > 0) text += ',';
      append_csv_field(table.data(i).view(), row, text);
    }
    text += '\n';
  }
  return text;
}

std::string naive_jsonl(const MemoryTable& table) {
  std::string text;
  auto infos = table.columns().value();
  for (uint64_t row = 0; row < table.version().rows; ++row) {
    for (size_t i = 0; i < infos.size(); ++i) {
      text += i == 0 ? '{' : ',';
      append_json_text(infos[i].name, text);
      text += ':';
      append_json_value(table.data(i).view(), row, text);
    }
    text += "}\n";
  }
  return text;
}

// The same bytes, however they are read.
void expect_bytes(const TableSourceForm& form, std::shared_ptr<const MemoryTable> table, const std::string& wanted) {
  auto sized = form.open_source(table, std::nullopt).value();
  EXPECT_EQ(sized->size().value(), wanted.size());
  EXPECT_TRUE(read_whole(*sized) == wanted) << form.name();
  auto unsized = form.open_source(table, std::nullopt).value();
  EXPECT_TRUE(read_whole(*unsized) == wanted) << form.name();
  EXPECT_EQ(unsized->size().value(), wanted.size());
  std::mt19937_64 random(5);
  for (bool remembered : {false, true}) {
    auto view = form.open_source(table, remembered ? std::optional<uint64_t>(wanted.size()) : std::nullopt).value();
    for (int i = 0; i < 200; ++i) {
      uint64_t offset = random() % (wanted.size() + 10);
      size_t bytes = random() % 5000;
      std::string expected = offset < wanted.size() ? wanted.substr(offset, bytes) : "";
      ASSERT_TRUE(read_range(*view, offset, bytes) == expected) << form.name() << " at " << offset;
    }
  }
}

TEST(TableTextViews, have_the_bytes_of_the_plain_way_for_every_type_and_null_pattern) {
  for (uint64_t rows : {0u, 1u, 5000u}) {
    auto table = std::make_shared<MemoryTable>(random_table(rows, rows + 1));
    expect_bytes(table_csv_form(), table, naive_csv(*table));
    expect_bytes(table_jsonl_form(), table, naive_jsonl(*table));
  }
}

TEST(TableTextViews, of_a_table_without_columns_are_empty) {
  auto table = std::make_shared<MemoryTable>();
  EXPECT_EQ(table_csv_form().open_source(table, std::nullopt).value()->size().value(), 0u);
  EXPECT_EQ(table_jsonl_form().open_source(table, std::nullopt).value()->size().value(), 0u);
}

TEST(ColumnTextViews, have_the_bytes_of_the_plain_way) {
  std::mt19937_64 random(8);
  for (const std::string& name : every_type_name()) {
    for (uint64_t nulls_in : {0u, 1u, 3u}) {
      DataType type = DataType::parse(name).value();
      ColumnInfo info{ColumnId(1), "a,b", type, true, {}, {}};
      auto column = std::make_shared<MemoryColumn>(info, random_column(type, 700, nulls_in, random));
      std::string csv = "\"a,b\"\n", txt;
      for (uint64_t row = 0; row < 700; ++row) {
        append_csv_field(column->data().view(), row, csv);
        append_txt_value(column->data().view(), row, txt);
        csv += '\n';
        txt += '\n';
      }
      EXPECT_TRUE(read_whole(*csv_form().open_source(column, std::nullopt).value()) == csv) << name;
      EXPECT_TRUE(read_whole(*txt_form().open_source(column, std::nullopt).value()) == txt) << name;
    }
  }
}

// Lines of 1 to 400 bytes.
class CountedLines final : public LineSource {
 public:
  explicit CountedLines(uint64_t rows) : rows_(rows) {}
  std::string header() const override { return "head\n"; }
  uint64_t rows() const override { return rows_; }
  Result<uint64_t> rows_at_once(uint64_t first, uint64_t last) const override {
    return std::min(last - first, uint64_t{50});
  }
  Status append_lines(uint64_t first, uint64_t count, std::string& out) const override {
    for (uint64_t row = first; row < first + count; ++row)
      out += std::to_string(row) + std::string(row * 7919 % 397, '.') + "\n";
    if (count > 50) return invalid("more rows than may be taken at once");
    return {};
  }

 private:
  const uint64_t rows_;
};

TEST(TextView, gives_the_same_bytes_with_any_number_of_threads_segments_and_cache) {
  std::string wanted = "head\n";
  CountedLines lines(3000);
  for (uint64_t row = 0; row < 3000; ++row) ASSERT_TRUE(lines.append_lines(row, 1, wanted).ok());
  for (size_t threads : {1u, 2u, 5u}) {
    for (uint64_t cache : {0u, 20'000u, 4'000'000u}) {
      for (size_t segments : {4u, 65536u}) {
        TextViewOptions options{
            .segment_bytes = 4096, .segments_max = segments, .cache_bytes_max = cache, .threads = threads};
        TextView view(std::make_unique<CountedLines>(3000), std::nullopt, options);
        ASSERT_TRUE(read_whole(view) == wanted);
        ASSERT_TRUE(read_whole(view) == wanted);
        ASSERT_EQ(view.size().value(), wanted.size());
        ASSERT_EQ(read_range(view, wanted.size() - 5, 100), wanted.substr(wanted.size() - 5));
        ASSERT_EQ(read_range(view, wanted.size(), 1), "");
      }
    }
  }
}

TEST(TextView, ConcurrentReadersGetTheirOwnBytes) {
  std::string wanted = "head\n";
  CountedLines lines(3000);
  for (uint64_t row = 0; row < 3000; ++row) ASSERT_TRUE(lines.append_lines(row, 1, wanted).ok());
  TextViewOptions options{.segment_bytes = 4096, .segments_max = 65536, .cache_bytes_max = 30'000, .threads = 3};
  TextView view(std::make_unique<CountedLines>(3000), std::nullopt, options);
  std::vector<std::thread> readers;
  std::atomic<int> wrong = 0;
  for (uint64_t seed = 0; seed < 4; ++seed) {
    readers.emplace_back([&, seed] {
      std::mt19937_64 random(seed);
      uint64_t offset = 0;
      for (int i = 0; i < 300; ++i) {
        offset = random() % 3 == 0 ? random() % wanted.size() : (offset + 3000) % wanted.size();
        if (read_range(view, offset, 3000) != wanted.substr(offset, 3000)) ++wrong;
      }
    });
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
}

// Fails once at a row in the middle.
class FailingLines final : public LineSource {
 public:
  std::string header() const override { return {}; }
  uint64_t rows() const override { return 100; }
  Result<uint64_t> rows_at_once(uint64_t, uint64_t) const override { return uint64_t{1}; }
  Status append_lines(uint64_t first, uint64_t, std::string& out) const override {
    if (first == 60 && !failed_.exchange(true)) return damaged("a page is damaged");
    out += std::to_string(first) + "\n";
    return {};
  }

 private:
  mutable std::atomic<bool> failed_ = false;
};

TEST(TextView, says_what_failed_and_goes_on_when_it_can_be_read_again) {
  TextView view(std::make_unique<FailingLines>(), std::nullopt, {.segment_bytes = 8, .threads = 3});
  auto size = view.size();
  ASSERT_FALSE(size.ok());
  EXPECT_EQ(size.status().message(), "a page is damaged");
  EXPECT_EQ(view.size().value(), 290u);
  EXPECT_EQ(read_range(view, 278, 12), "96\n97\n98\n99\n");
}

TEST(JsonText, escapes_what_json_does_not_allow) {
  std::string out;
  append_json_text(std::string("a\"\\\b\t\n\f\r\x01\x1f\x7f\xc3\xa9", 13), out);
  EXPECT_EQ(out, "\"a\\\"\\\\\\b\\t\\n\\f\\r\\u0001\\u001f\\u007f\xc3\xa9\"");
}

TEST(JsonValue, says_every_type) {
  auto text = [](const char* type, const std::string& bytes) {
    ColumnData data(DataType::parse(type).value());
    data.append_text(bytes);
    data.append_nulls(1);
    std::string out;
    append_json_value(data.view(), 0, out);
    out += ' ';
    append_json_value(data.view(), 1, out);
    return out;
  };
  auto fixed = [](auto value) {
    std::string bytes;
    put_fixed(bytes, value);
    return bytes;
  };
  EXPECT_EQ(text("bool", fixed(uint8_t{1})), "true null");
  EXPECT_EQ(text("uint64", fixed(UINT64_MAX)), "18446744073709551615 null");
  EXPECT_EQ(text("float64", fixed(1.0)), "1.0 null");
  EXPECT_EQ(text("float64", fixed(-std::numeric_limits<double>::infinity())), "\"-inf\" null");
  EXPECT_EQ(text("float32", fixed(std::numeric_limits<float>::quiet_NaN())), "\"NaN\" null");
  EXPECT_EQ(text("date", fixed(int64_t{20'000})), "\"2024-10-04\" null");
  EXPECT_EQ(text("timestamp[ms, UTC]", fixed(int64_t{1})), "\"1970-01-01T00:00:00.001Z\" null");
  EXPECT_EQ(text("decimal128(9,2)", fixed(int64_t{-5}) + fixed(int64_t{-1})), "\"-0.05\" null");
  EXPECT_EQ(text("binary", "ab"), "\"YWI=\" null");
  EXPECT_EQ(text("utf8", ""), "\"\" null");
  EXPECT_EQ(text("int16[2,2]", fixed(int16_t{1}) + fixed(int16_t{-2}) + fixed(int16_t{3}) + fixed(int16_t{4})),
            "[[1,-2],[3,4]] null");
}

}  // namespace
}  // namespace stela::fsd

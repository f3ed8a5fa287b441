#include <gtest/gtest.h>

#include "fsd/ingest/jsonl_ingest.h"
#include "tests/fsd/ingest_fakes.h"

namespace stela::fsd {
namespace {

std::string take(FakeDataset& dataset, const std::string& text, const IngestOptions& options = {},
                 const CsvTuning& tuning = {}) {
  MemorySource source(text);
  auto ingest = start_jsonl_ingest(source, "day.jsonl", std::make_unique<FakeRowSink>(dataset), options, tuning);
  Result<std::optional<VersionInfo>> version = ingest.value()->commit(true, {});
  return version.ok() ? picture(dataset) : "error: " + version.status().message();
}

std::string taken(const std::string& text, const IngestOptions& options = {}) {
  FakeDataset dataset;
  return take(dataset, text, options);
}

struct Case {
  const char* name;
  std::string text;
  std::string wanted;
};
std::string name_of(const testing::TestParamInfo<Case>& one) { return one.param.name; }

class JsonlFile : public testing::TestWithParam<Case> {};
TEST_P(JsonlFile, gives_these_rows_or_this_error) {
  EXPECT_EQ(taken(GetParam().text), GetParam().wanted);
  // However the file is cut into pieces, and wherever types turn out too narrow.
  for (size_t piece = 1; piece <= 64; ++piece) {
    FakeDataset dataset;
    CsvTuning tuning{piece, piece % 5 + 1, piece % 8 == 0 ? piece * 2 : 1000};
    EXPECT_EQ(take(dataset, GetParam().text, {}, tuning), GetParam().wanted) << "pieces of " << piece;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Syntax, JsonlFile,
    testing::Values(Case{"plain", "{\"a\":1,\"b\":\"x\"}\n{\"b\":\"y\",\"a\":2}\n", "a:int64 1 2; b:utf8 'x' 'y'"},
                    Case{"no_last_newline", "{\"a\":1}\n{\"a\":2}", "a:int64 1 2"},
                    Case{"crlf_and_blank_lines", "\r\n{\"a\":1}\r\n \t\r\n{\"a\":2}\r\n", "a:int64 1 2"},
                    Case{"bom", "\xEF\xBB\xBF{\"a\":1}\n", "a:int64 1"},
                    Case{"spaces", " { \"a\" : 1 , \"b\" : [ 1 , 2 ] } \n", "a:int64 1; b:int64[2] [1 2]"},
                    Case{"escapes",
                         R"({"a":"\u00fc\n\"\\\/\ud83d\ude00"})"
                         "\n",
                         "a:utf8 'ü\n\"\\/😀'"},
                    Case{"escaped_key", "{\"\\u0061\":1}\n{\"a\":2}\n", "a:int64 1 2"},
                    Case{"null_and_absent", "{\"a\":null,\"b\":1}\n{}\n{\"b\":2,\"a\":\"\"}\n",
                         "a:utf8 null null ''; b:int64 1 null 2"},
                    Case{"a_late_key", "{\"a\":1}\n{\"a\":2}\n{\"a\":3,\"b\":true}\n",
                         "a:int64 1 2 3; b:bool null null true"},
                    Case{"only_nulls", "{\"a\":null}\n", "a:utf8 null"}, Case{"no_keys", "{}\n{}\n", ""},
                    Case{"no_keys_then_some", "{}\n{\"a\":1}\n", "a:int64 null 1"}, Case{"nothing", "\n\n", ""}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Types, JsonlFile,
    testing::Values(
        Case{"whole_64_bits", "{\"a\":9223372036854775807,\"b\":18446744073709551615}\n{\"a\":-9223372036854775808}\n",
             "a:int64 9223372036854775807 -9223372036854775808; b:uint64 18446744073709551615 null"},
        Case{"floats", "{\"a\":1}\n{\"a\":2.5}\n{\"a\":-0}\n{\"a\":5e-324}\n",
             "a:float64 1 2.5 -0 4.9406564584124654e-324"},
        Case{"nan_and_infinities", "{\"a\":\"NaN\"}\n{\"a\":1.5}\n{\"a\":\"-Infinity\"}\n", "a:float64 nan 1.5 -inf"},
        Case{"words_alone_are_text", "{\"a\":\"NaN\"}\n{\"a\":\"x\"}\n", "a:utf8 'NaN' 'x'"},
        Case{"digits_in_strings_are_text", "{\"a\":\"5\"}\n{\"a\":\"007\"}\n", "a:utf8 '5' '007'"},
        Case{"bools", "{\"a\":true}\n{\"a\":false}\n", "a:bool true false"},
        Case{"dates", "{\"a\":\"2020-01-01\"}\n", "a:date 18262"},
        Case{"timestamps", "{\"a\":\"1970-01-01T00:00:01Z\"}\n{\"a\":\"1970-01-01T01:00:00.5+01:00\"}\n",
             "a:timestamp[us, UTC] 1000000 500000"},
        Case{"a_late_date_is_text", "{\"a\":\"2020-01-01\"}\n{\"a\":\"soon\"}\n", "a:utf8 '2020-01-01' 'soon'"},
        Case{"vectors", "{\"a\":[1,2]}\n{\"a\":[3,4.5]}\n{\"a\":null}\n{\"a\":[\"NaN\",0]}\n",
             "a:float64[2] [1 2] [3 4.5] null [nan 0]"},
        Case{"tensors", "{\"a\":[[1,2,3],[4,5,6]]}\n", "a:int64[2,3] [1 2 3 4 5 6]"},
        Case{"vector_of_bools", "{\"a\":[true,false]}\n", "a:bool[2] [true false]"}),
    name_of);

const std::string kMixed =
    " is of another kind than the column's earlier values (a string, a number, true or false, an array); write all of "
    "them as one kind, or null";
const std::string kNoVector =
    "; a column holds vectors or tensors of numbers of one shape, lists and objects are not supported";

INSTANTIATE_TEST_SUITE_P(
    Refused, JsonlFile,
    testing::Values(
        Case{"doubled_key", "{\"a\":1}\n{\"a\":1,\"a\":2}\n",
             "error: day.jsonl:2: the key 'a' stands twice in the object"},
        Case{"number_and_string", "{\"a\":1}\n{\"a\":2}\n{\"a\":\"x\"}\n",
             "error: day.jsonl:3: column 'a': 'x'" + kMixed},
        Case{"string_and_number", "{\"a\":\"x\"}\n{\"a\":1}\n{\"a\":2}\n",
             "error: day.jsonl:2: column 'a': '1'" + kMixed},
        Case{"words_then_text_then_number", "{\"a\":\"NaN\"}\n{\"a\":\"x\"}\n{\"a\":2}\n",
             "error: day.jsonl:3: column 'a': '2'" + kMixed},
        Case{"bool_and_number", "{\"a\":true}\n{\"a\":0}\n", "error: day.jsonl:2: column 'a': '0'" + kMixed},
        Case{
            "too_large", "{\"a\":1}\n{\"a\":1e400}\n",
            "error: day.jsonl:2: column 'a': '1e400' does not fit a number type that holds it and the column's earlier "
            "numbers exactly; write all of them as strings, or state the type in .schema.json"},
        Case{
            "object", "{\"a\":{\"b\":1}}\n",
            "error: day.jsonl:1: column 'a': its value is an object; nested values are not supported: make each part a "
            "column of its own"},
        Case{
            "ragged", "{\"a\":[1,2]}\n{\"a\":[1]}\n",
            "error: day.jsonl:2: column 'a': '[1]' has the shape 1 where others have 2; vectors of one column have one "
            "shape, lists are not supported"},
        Case{"ragged_inside", "{\"a\":[[1,2],[1]]}\n",
             "error: day.jsonl:1: column 'a': '[[1,2],[1]]' holds arrays of different lengths" + kNoVector},
        Case{"empty_array", "{\"a\":[]}\n",
             "error: day.jsonl:1: column 'a': '[]' is or holds an empty array" + kNoVector},
        Case{"null_in_a_vector", "{\"a\":[1,null]}\n",
             "error: day.jsonl:1: column 'a': '[1,null]' holds null; a vector is null as a whole"},
        Case{"bare_nan", "{\"a\":NaN}\n",
             "error: day.jsonl:1: column 'a': NaN is not JSON; write it as the string \"NaN\", or null"},
        Case{"bad_number", "{\"a\":01}\n", "error: day.jsonl:1: column 'a': '01' is not a JSON value"},
        Case{"bad_word", "{\"a\":tru}\n", "error: day.jsonl:1: column 'a': 'tru' is not a JSON value"},
        Case{"bad_escape", "{\"a\":\"\\x\"}\n",
             "error: day.jsonl:1: column 'a': its string has an escape that JSON does not know"},
        Case{"lone_surrogate", "{\"a\":\"\\ud800\"}\n",
             "error: day.jsonl:1: column 'a': its string has an escape that JSON does not know"},
        Case{"array_of_rows", "[{\"a\":1},\n{\"a\":2}]\n",
             "error: day.jsonl:1: the line is an array; each line is one object (pandas: to_json(path, "
             "orient='records', lines=True))"},
        Case{"several_lines", "{\"a\":1,\n\"b\":2}\n",
             "error: day.jsonl:1: '{\"a\":1,' is not closed where its line ends; each line is one whole object"},
        Case{"text_before", "{\"a\":1}\nhello\n",
             "error: day.jsonl:2: 'hello' is not a JSON object; each line is one, as {\"column\": value}"},
        Case{"two_objects", "{\"a\":1} {\"a\":2}\n",
             "error: day.jsonl:1: '{\"a\":1} {\"a\":2}' is not a JSON object: a comma, colon, quote or bracket is "
             "missing "
             "or too many"},
        Case{"bad_utf8", "{\"a\":\"\xff\"}\n", "error: day.jsonl:1: the line is not valid UTF-8"},
        Case{"control_byte", std::string("{\"a\":\"x\ty\"}\n"),
             "error: day.jsonl:1: a string holds a control byte; JSON writes it as \\u00XX"},
        Case{"utf16", std::string("\xFF\xFE{\0", 4),
             "error: day.jsonl: the text is UTF-16; convert it to UTF-8 first (iconv -f UTF-16 -t UTF-8)"},
        Case{"empty_key", "{\"\":1}\n", "error: day.jsonl:1: a key is empty; it must name a column"}),
    name_of);

TEST(Jsonl, arrays_of_depth_10000_are_refused) {
  std::string deep = "{\"a\":" + std::string(10'000, '[') + "1" + std::string(10'000, ']') + "}\n";
  EXPECT_NE(taken(deep).find("is nested more than 31 deep"), std::string::npos) << taken(deep);
  std::string open = "{\"a\":" + std::string(10'000, '[') + "\n";
  EXPECT_NE(taken(open).find("day.jsonl:1: "), std::string::npos) << taken(open);
  std::string objects;
  for (int i = 0; i < 10'000; ++i) objects += "{\"a\":";
  EXPECT_NE(taken(objects + "\n").find("day.jsonl:1: "), std::string::npos);
}

TEST(Jsonl, later_files_obey_the_types_of_the_dataset) {
  FakeDataset dataset;
  DataType stamp = DataType::timestamp(TimeUnit::kMilli, "Europe/Berlin");
  dataset.fields = {{"i", DataType::of(TypeKind::kInt8), true},
                    {"d", DataType::decimal(5, 2), true},
                    {"b", DataType::of(TypeKind::kBinary), true},
                    {"t", stamp, true},
                    {"v", DataType::tensor(TypeKind::kFloat32, {2}), true}};
  for (const Field& field : dataset.fields) dataset.columns.emplace_back(field.type);
  EXPECT_EQ(
      take(dataset, "{\"i\":-128,\"d\":\"123.45\",\"b\":\"aGk=\",\"t\":\"1970-01-01T00:00:01Z\",\"v\":[1,\"inf\"]}\n"),
      "i:int8 -128; d:decimal128(5,2) d12345/0; b:binary 'hi'; t:timestamp[ms, Europe/Berlin] 1000; "
      "v:float32[2] [1 inf]");
  for (auto [line, wanted] : {
           std::pair("{\"i\":128}", "column 'i': '128' does not fit int8: it is out of range"),
           std::pair("{\"i\":\"5\"}", "column 'i': the string '5' does not fit int8: a number is wanted, not a string"),
           std::pair("{\"d\":1.234}", "column 'd': '1.234' does not fit decimal128(5,2)"),
           std::pair("{\"b\":\"a\"}", "column 'b': 'a' does not fit binary"),
           std::pair("{\"b\":true}", "column 'b': 'true' does not fit binary: base64 in a string is wanted"),
           std::pair("{\"t\":5}", "column 't': '5' does not fit timestamp[ms, Europe/Berlin]: a string is wanted"),
           std::pair("{\"v\":[1]}", "column 'v': '[1]' does not fit float32[2]"),
           std::pair("{\"v\":[1,2,3]}", "column 'v': '[1,2,3]' does not fit float32[2]"),
           std::pair("{\"x\":1}", "the dataset has no column 'x'; extra=ignore leaves such keys out"),
       }) {
    EXPECT_EQ(take(dataset, std::string("{}\n") + line + "\n"), std::string("error: day.jsonl:2: ") + wanted);
  }
  EXPECT_EQ(dataset.versions, 1u);
}

TEST(Jsonl, options) {
  FakeDataset dataset;
  take(dataset, "{\"a\":1,\"b\":\"x\"}\n");
  EXPECT_EQ(take(dataset, "{\"a\":2}\n"),
            "error: day.jsonl: no line has a value for 'b' of the dataset; missing=null fills it with nulls");
  IngestOptions options;
  options.missing_null = options.extra_ignore = true;
  options.null_texts = {"NA"};
  EXPECT_EQ(take(dataset, "{\"a\":2,\"c\":{}}\n", options).substr(0, 6), "error:");
  EXPECT_EQ(take(dataset, "{\"a\":2,\"c\":[1]}\n", options), "a:int64 1 2; b:utf8 'x' null");
  EXPECT_EQ(take(dataset, "{\"b\":\"NA\"}\n", options), "a:int64 1 2 null; b:utf8 'x' null null");
}

TEST(Jsonl, columns_that_may_not_be_null) {
  FakeDataset dataset;
  dataset.fields = {{"a", DataType::of(TypeKind::kInt64), false}};
  dataset.columns.emplace_back(dataset.fields[0].type);
  EXPECT_EQ(
      take(dataset, "{\"a\":1}\n{\"a\":null}\n"),
      "error: day.jsonl:2: column 'a': it may not be null (the schema says so), and this row has no value for it");
}

TEST(Jsonl, a_stream_commits_whole_lines) {
  FakeDataset dataset;
  MemorySource source("{\"a\":1}\n{\"a\":2");
  auto ingest = start_jsonl_ingest(source, "s.jsonl", std::make_unique<FakeRowSink>(dataset), {}).value();
  EXPECT_TRUE(ingest->commit(false, {}).value().has_value());
  EXPECT_EQ(picture(dataset), "a:int64 1");
  EXPECT_FALSE(ingest->is_drained());
  EXPECT_FALSE(ingest->commit(false, {}).value().has_value());
  source.append("5}\n{\"a\":3}");
  EXPECT_TRUE(ingest->commit(true, {}).value().has_value());
  EXPECT_TRUE(ingest->is_drained());
  source.append("\n{\"a\":\"x\"}\n");
  EXPECT_EQ(ingest->commit(true, {}).status().message(),
            "s.jsonl:4: column 'a': the string 'x' does not fit int64: a number is wanted, not a string");
  EXPECT_EQ(picture(dataset), "a:int64 1 25 3");
  EXPECT_EQ(ingest->rows_committed(), 3u);
}

TEST(Jsonl, limits) {
  IngestOptions options;
  options.field_bytes_max = 10;
  EXPECT_EQ(taken("{\"a\":\"12345678901\"}\n", options),
            "error: day.jsonl:1: column 'a': a value of 11 bytes is over the limit of 10");
  options.memory_bytes = 8 * 100;
  std::string wide = "{\"a\":1}\n{\"b\":\"" + std::string(100, ' ') + "\"}";
  for (const char* tail : {"\n", ""}) {
    EXPECT_EQ(taken(wide + tail, options),
              "error: day.jsonl:2: a line is over the limit of 100 bytes; each object stands on a line of its own");
  }
  EXPECT_EQ(taken("{\"" + std::string(5000, 'k') + "\":1}\n"),
            "error: day.jsonl:1: a key has 5000 bytes; the limit of a column's name is 4096");
}

TEST(Jsonl, lines_whose_keys_all_differ_are_no_table) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "{\"k" + std::to_string(i) + "\":1}\n";
  std::string outcome = taken(text);
  EXPECT_NE(outcome.find("different keys, nearly all of them absent from each line"), std::string::npos)
      << outcome.substr(0, 200);
}

}  // namespace
}  // namespace stela::fsd

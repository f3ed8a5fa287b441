#include <gtest/gtest.h>

#include <limits>

#include "fsd/ingest/csv_ingest.h"
#include "tests/fsd/ingest_fakes.h"

namespace stela::fsd {
namespace {

struct Outcome {
  Status status;
  bool committed = false;
  std::string rows;
};

Outcome take(FakeDataset& dataset, const std::string& text, const IngestOptions& options = {},
             const CsvTuning& tuning = {}, char delimiter = ',') {
  MemorySource source(text);
  auto ingest = start_csv_ingest(source, "day.csv", delimiter, std::make_unique<FakeRowSink>(dataset), options, tuning);
  Result<std::optional<VersionInfo>> version = ingest.value()->commit(true, {});
  if (!version.ok()) return {version.status(), false, picture(dataset)};
  return {{}, version->has_value(), picture(dataset)};
}

std::string taken(const std::string& text, const IngestOptions& options = {}) {
  FakeDataset dataset;
  Outcome outcome = take(dataset, text, options);
  return outcome.status.ok() ? outcome.rows : "error: " + outcome.status.message();
}

struct Case {
  const char* name;
  std::string text;
  std::string wanted;
};

class CsvAccepts : public testing::TestWithParam<Case> {};
TEST_P(CsvAccepts, values) {
  EXPECT_EQ(taken(GetParam().text), GetParam().wanted);
  // However the file is cut into pieces, and wherever types turn out too narrow, the rows are the same.
  for (size_t piece = 1; piece <= 64; ++piece) {
    FakeDataset dataset;
    Outcome outcome = take(dataset, GetParam().text, {}, {piece, piece % 5 + 1, piece % 8 == 0 ? piece * 2 : 1000});
    EXPECT_EQ(outcome.status.ok() ? outcome.rows : "error: " + outcome.status.message(), GetParam().wanted)
        << "pieces of " << piece;
  }
}

const std::string kBig(70'000, 'x');

INSTANTIATE_TEST_SUITE_P(
    Syntax, CsvAccepts,
    testing::Values(Case{"plain", "a,b\n1,x\n2,y\n", "a:int64 1 2; b:utf8 'x' 'y'"},
                    Case{"no_last_newline", "a,b\n1,x\n2,y", "a:int64 1 2; b:utf8 'x' 'y'"},
                    Case{"crlf", "a,b\r\n1,x\r\n2,\r\n", "a:int64 1 2; b:utf8 'x' null"},
                    Case{"crlf_no_last_newline", "a,b\r\n1,x\r", "a:int64 1; b:utf8 'x'"},
                    Case{"bom",
                         "\xEF\xBB\xBF"
                         "a,b\n1,2\n",
                         "a:int64 1; b:int64 2"},
                    Case{"bom_and_quote", "\xEF\xBB\xBF\"a\",b\n1,2\n", "a:int64 1; b:int64 2"},
                    Case{"quoted", "a,\"b \"\"c\"\"\"\n\"1\",\"x,y\nz\"\n", "a:int64 1; b \"c\":utf8 'x,y\nz'"},
                    Case{"quoted_crlf_inside", "a\n\"x\r\ny\"\r\n", "a:utf8 'x\r\ny'"},
                    Case{"doubled_quotes", "a\n\"\"\"\"\n\"a\"\"b\"\n\"\"\"x\"\n\"x\"\"\"\n",
                         "a:utf8 '\"' 'a\"b' '\"x' 'x\"'"},
                    Case{"quote_inside_plain_field", "a,b\n5\" pipe,x\"y\"\n", "a:utf8 '5\" pipe'; b:utf8 'x\"y\"'"},
                    Case{"empty_and_empty_text", "a,b\n,\"\"\nx,y\n", "a:utf8 null 'x'; b:utf8 '' 'y'"},
                    Case{"quoted_last_no_newline", "a,b\n1,\"x\"", "a:int64 1; b:utf8 'x'"},
                    Case{"empty_lines_skipped", "a,b\n\n1,2\n\r\n3,4\n\n", "a:int64 1 3; b:int64 2 4"},
                    Case{"empty_line_is_null_in_one_column", "a\n1\n\n3\n", "a:int64 1 null 3"},
                    Case{"lone_cr_is_text", "a,b\nx\ry,1\n", "a:utf8 'x\ry'; b:int64 1"},
                    Case{"spaces_are_text", "a,b\n 1,2 \n", "a:utf8 ' 1'; b:utf8 '2 '"},
                    Case{"last_field_empty_at_end", "a,b\n1,", "a:int64 1; b:utf8 null"},
                    Case{"utf8", "größe,b\nñandú,日本\n", "größe:utf8 'ñandú'; b:utf8 '日本'"},
                    Case{"large_field", "a\n" + kBig + "\nx\n", "a:utf8 '" + kBig + "' 'x'"}),
    [](const testing::TestParamInfo<Case>& one) { return one.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Types, CsvAccepts,
    testing::Values(
        Case{"bools", "a\ntrue\nFALSE\nTrue\n\n", "a:bool true false true null"},
        Case{"bool_beside_number", "a\ntrue\n5\n", "a:utf8 'true' '5'"},
        Case{"int64_ends", "a\n9223372036854775807\n-9223372036854775808\n",
             "a:int64 9223372036854775807 -9223372036854775808"},
        Case{"uint64_ends", "a\n0\n18446744073709551615\n", "a:uint64 0 18446744073709551615"},
        Case{"above_int64_and_negative_inexact", "a\n-1\n9223372036854775809\n", "a:utf8 '-1' '9223372036854775809'"},
        Case{"above_int64_and_negative_exact", "a\n-1\n9223372036854775808\n", "a:float64 -1 9.2233720368547758e+18"},
        Case{"above_uint64_exact", "a\n18446744073709551616\n", "a:float64 1.8446744073709552e+19"},
        Case{"above_uint64_inexact", "a\n18446744073709551617\n", "a:utf8 '18446744073709551617'"},
        Case{"floats", "a\n1.5\n-2e3\n.5\n5.\n3\n", "a:float64 1.5 -2000 0.5 5 3"},
        Case{"float_words", "a\nNaN\ninf\n-inf\nInfinity\n1\n", "a:float64 nan inf -inf inf 1"},
        Case{"floats_exact", "a\n0.1\n1.7976931348623157e308\n5e-324\n2.2250738585072011e-308\n",
             "a:float64 0.10000000000000001 1.7976931348623157e+308 4.9406564584124654e-324 2.2250738585072009e-308"},
        Case{"integer_exact_among_fractions", "a\n0.5\n9007199254740992\n", "a:float64 0.5 9007199254740992"},
        Case{"integer_inexact_among_fractions", "a\n9007199254740993\n0.5\n", "a:utf8 '9007199254740993' '0.5'"},
        Case{"integer_inexact_after_fractions", "a\n0.5\n9007199254740993\n", "a:utf8 '0.5' '9007199254740993'"},
        Case{"too_large", "a\n1e400\n", "a:utf8 '1e400'"}, Case{"minus_zero", "a\n-0\n1\n", "a:float64 -0 1"},
        Case{"minus_zero_alone_in_uint64", "a\n18446744073709551615\n-0\n", "a:utf8 '18446744073709551615' '-0'"},
        Case{"leading_zeros", "a,b,c,d\n007,-01,0,00.5\n", "a:utf8 '007'; b:utf8 '-01'; c:int64 0; d:utf8 '00.5'"},
        Case{"plus_hex_underscore", "a,b,c\n+5,0x10,1_0\n", "a:utf8 '+5'; b:utf8 '0x10'; c:utf8 '1_0'"},
        Case{"dates", "a\n1970-01-02\n2024-02-29\n0001-01-01\n9999-12-31\n", "a:date 1 19782 -719162 2932896"},
        Case{"not_dates", "a,b,c\n2023-02-29,2023-13-01,2023-1-1\n",
             "a:utf8 '2023-02-29'; b:utf8 '2023-13-01'; c:utf8 '2023-1-1'"},
        Case{"date_beside_number", "a\n2024-02-29\n1.5\n", "a:utf8 '2024-02-29' '1.5'"},
        Case{"timestamps", "a\n1970-01-01T00:00:01\n1970-01-01 00:00:00.000002\n1970-01-01T01:00\n",
             "a:timestamp[us] 1000000 2 3600000000"},
        Case{"dates_fit_timestamps", "a\n1970-01-02\n1970-01-01T00:00:01\n", "a:timestamp[us] 86400000000 1000000"},
        Case{"nanoseconds", "a\n1970-01-01T00:00:01\n1970-01-01T00:00:00.000000002\n", "a:timestamp[ns] 1000000000 2"},
        Case{"seven_digits", "a\n1970-01-01T00:00:00.0000010\n", "a:timestamp[ns] 1000"},
        Case{"before_1970", "a\n1969-12-31T23:59:59.5\n", "a:timestamp[us] -500000"},
        Case{"nanoseconds_out_of_range", "a\n1970-01-01T00:00:00.000000002\n1500-01-01\n",
             "a:utf8 '1970-01-01T00:00:00.000000002' '1500-01-01'"},
        Case{"zoned", "a\n1970-01-01T00:00:00Z\n1970-01-01T02:00:00+02:00\n1969-12-31T22:30:00-0130\n",
             "a:timestamp[us, UTC] 0 0 0"},
        Case{"zone_beside_none", "a\n1970-01-01T00:00:00Z\n1970-01-01T00:00:00\n",
             "a:utf8 '1970-01-01T00:00:00Z' '1970-01-01T00:00:00'"},
        Case{"zone_beside_date", "a\n1970-01-01T00:00:00Z\n1970-01-01\n", "a:utf8 '1970-01-01T00:00:00Z' '1970-01-01'"},
        Case{"na_and_null", "a,b,c,d\n1,NA,x,NA\nNA,true,NA,null\nnull,null,null,\n",
             "a:int64 1 null null; b:bool null true null; c:utf8 'x' 'NA' 'null'; d:utf8 'NA' 'null' null"},
        Case{"quoted_na_is_text", "a\n1\n\"NA\"\n", "a:utf8 '1' 'NA'"},
        Case{"no_value", "a,b\n,1\n,2\n", "a:utf8 null null; b:int64 1 2"},
        Case{"late_value", "a,b\n,1\n,2\n7,3\n", "a:int64 null null 7; b:int64 1 2 3"},
        Case{"late_text", "a,b\n1,1\n2,2\n3,3\n4,x\nx,5\n", "a:utf8 '1' '2' '3' '4' 'x'; b:utf8 '1' '2' '3' 'x' '5'"},
        Case{"empty_text_is_text", "a\n1\n\"\"\n", "a:utf8 '1' ''"},
        Case{"looks_like_time_is_number", "a\n125e-00001\n", "a:float64 12.5"}),
    [](const testing::TestParamInfo<Case>& one) { return one.param.name; });

struct Refusal {
  const char* name;
  std::string text;
  std::string wanted;  // part of the sentence
};
class CsvRefuses : public testing::TestWithParam<Refusal> {};
TEST_P(CsvRefuses, with_sentence) {
  FakeDataset whole;
  Outcome outcome = take(whole, GetParam().text);
  EXPECT_NE(outcome.status.message().find(GetParam().wanted), std::string::npos) << outcome.status.message();
  EXPECT_EQ(whole.versions, 0u);
  for (size_t piece = 1; piece <= 64; ++piece) {
    FakeDataset dataset;
    Outcome cut = take(dataset, GetParam().text, {}, {piece, 3, 5});
    EXPECT_EQ(cut.status.message(), outcome.status.message()) << "pieces of " << piece;
    EXPECT_EQ(dataset.versions, 0u);
  }
}
INSTANTIATE_TEST_SUITE_P(
    Syntax, CsvRefuses,
    testing::Values(
        Refusal{"ragged_long", "a,b\n1,2\n3,4,5\n", "day.csv:3: 3 fields where 2 were expected"},
        Refusal{"ragged_short", "a,b\n1,2\n\n3\n", "day.csv:4: 1 field where 2 were expected"},
        Refusal{"unclosed_quote", "a,b\n1,2\n3,\"x\ny,z\n", "day.csv:3: a quote that opens here is never closed"},
        Refusal{"after_quote", "a,b\n\"x\"y,2\n", "day.csv:2: after a closing quote comes 'y'"},
        Refusal{"cr_after_quote", "a,b\n\"x\"\ry,2\n", "day.csv:2: after a closing quote comes '\\x0Dy'"},
        Refusal{"nul", std::string("a,b\n1,x\0y\n", 10), "day.csv:2: column 2 holds a NUL byte"},
        Refusal{"invalid_utf8", "a,b\n1,2\nx,\xFF\xFE\n", "day.csv:3: column 2 is not valid UTF-8: '\\xFF\\xFE'"},
        Refusal{"overlong_utf8", "a\n\xC0\x80\n", "day.csv:2: column 1 is not valid UTF-8"},
        Refusal{"surrogate", "a\n\xED\xA0\x80\n", "day.csv:2: column 1 is not valid UTF-8"},
        Refusal{"invalid_utf8_after_quoted_lines", "a\n\"x\ny\"\n\"\n\xFF\"\n",
                "day.csv:4: column 1 is not valid UTF-8"},
        Refusal{"duplicate_header", "a,b,a\n1,2,3\n", "day.csv:1: the header names 'a' twice, as columns 1 and 3"},
        Refusal{"empty_header", "a,,c\n1,2,3\n", "day.csv:1: column 2 has no name"},
        Refusal{"empty_first_line", "\na\n1\n", "day.csv:1: the first line is empty"},
        Refusal{"invalid_utf8_header", "a,\xFF\n1,2\n", "day.csv:1: column 2 is not valid UTF-8"},
        Refusal{"long_name", "a," + std::string(4097, 'x') + "\n1,2\n", "column 2 has a name of 4097 bytes"},
        Refusal{"mac_line_ends", "a,b\r1,2\r3,4\r", "day.csv:1: lines end in CR alone"},
        Refusal{"utf16le",
                std::string("\xFF\xFE"
                            "a\0\n\0",
                            6),
                "day.csv: the text is UTF-16"},
        Refusal{"utf16be", std::string("\xFE\xFF\0a\0\n", 6), "day.csv: the text is UTF-16"}),
    [](const testing::TestParamInfo<Refusal>& one) { return one.param.name; });

TEST(CsvIngest, commits_nothing_for_empty_files_and_bare_headers) {
  for (const char* text : {"", "\xEF\xBB\xBF", "a,b", "a,b\n", "a,b\r\n\r\n\n"}) {
    FakeDataset dataset;
    Outcome outcome = take(dataset, text);
    EXPECT_TRUE(outcome.status.ok()) << outcome.status.message();
    EXPECT_FALSE(outcome.committed) << text;
    EXPECT_EQ(dataset.versions, 0u);
  }
}

TEST(CsvIngest, reads_tabs_and_stated_delimiters) {
  FakeDataset tabs, semicolons;
  EXPECT_EQ(take(tabs, "a\tb\n1,5\t\"x\ty\"\n", {}, {}, '\t').rows, "a:utf8 '1,5'; b:utf8 'x\ty'");
  IngestOptions options;
  options.delimiter = ';';
  EXPECT_EQ(take(semicolons, "a;b\n1;2\n", options).rows, "a:int64 1; b:int64 2");
}

TEST(CsvIngest, takes_stated_null_texts_in_every_column) {
  IngestOptions options;
  options.null_texts = {"NA", "-999", "-"};
  EXPECT_EQ(taken("a,b,c\n1,x,-\n-999,NA,2.5\nNA,-,\"-\"\n", options),
            "a:int64 1 null null; b:utf8 'x' null null; c:utf8 null '2.5' '-'");
}

TEST(CsvIngest, names_columns_by_position_without_a_header) {
  IngestOptions options;
  options.header = false;
  FakeDataset dataset;
  EXPECT_EQ(take(dataset, "1,x\n2,y\n", options).rows, "c1:int64 1 2; c2:utf8 'x' 'y'");
  EXPECT_EQ(take(dataset, "3,z\n", options).rows, "c1:int64 1 2 3; c2:utf8 'x' 'y' 'z'");
  EXPECT_EQ(take(dataset, "3,z,w\n", options).status.message(),
            "day.csv:1: 3 fields for the 2 columns of the dataset; extra=ignore leaves the last out");
  EXPECT_NE(take(dataset, "3\n", options).status.message().find("the file lacks 'c2'"), std::string::npos);
  options.extra_ignore = options.missing_null = true;
  EXPECT_EQ(take(dataset, "4,w,v\n", options).rows, "c1:int64 1 2 3 4; c2:utf8 'x' 'y' 'z' 'w'");
  EXPECT_EQ(take(dataset, "5\n", options).rows, "c1:int64 1 2 3 4 5; c2:utf8 'x' 'y' 'z' 'w' null");
}

TEST(CsvIngest, matches_later_files_by_name) {
  FakeDataset dataset;
  take(dataset, "a,b\n1,x\n");
  EXPECT_EQ(take(dataset, "b,a\ny,2\n").rows, "a:int64 1 2; b:utf8 'x' 'y'");
  EXPECT_EQ(take(dataset, "b\nz\n").status.message(),
            "day.csv:1: the file lacks 'a' of the dataset; missing=null fills them with nulls");
  EXPECT_EQ(take(dataset, "a,b,c\n1,2,3\n").status.message(),
            "day.csv:1: the dataset has no 'c'; extra=ignore leaves them out");
  EXPECT_NE(take(dataset, "7,8\n1,2\n").status.message().find("is its first line a header?"), std::string::npos);
  IngestOptions options;
  options.missing_null = options.extra_ignore = true;
  EXPECT_EQ(take(dataset, "c,b\n9,z\n", options).rows, "a:int64 1 2 null; b:utf8 'x' 'y' 'z'");
  EXPECT_EQ(dataset.versions, 3u);
}

TEST(CsvIngest, says_which_value_does_not_fit) {
  FakeDataset dataset;
  take(dataset, "a,b\n1,2020-01-01\n");
  EXPECT_EQ(take(dataset, "a,b\n2,2020-01-02\n\"x\ny\",2020\nz,2020-01-01\n").status.message(),
            "day.csv:3: column 'a': 'x\\x0Ay' does not fit int64");
  EXPECT_EQ(take(dataset, "a,b\n2,2020-01-02\n3,2020-1-2\n").status.message(),
            "day.csv:3: column 'b': '2020-1-2' does not fit date: dates are written YYYY-MM-DD");
  EXPECT_EQ(take(dataset, "a,b\n9223372036854775808,\n").status.message(),
            "day.csv:2: column 'a': '9223372036854775808' does not fit int64: it is out of range");
  EXPECT_EQ(take(dataset, "a,b\n007,\n").status.message(),
            "day.csv:2: column 'a': '007' does not fit int64: digits with a leading zero are text");
  EXPECT_EQ(take(dataset, "a,b\n 7,\n").status.message(),
            "day.csv:2: column 'a': ' 7' does not fit int64: it has a space around it");
  EXPECT_EQ(take(dataset, "a,b\n1.5,\n").status.message(), "day.csv:2: column 'a': '1.5' does not fit int64");
  EXPECT_EQ(dataset.versions, 1u);
}

FakeDataset dataset_of(const std::vector<std::pair<std::string, std::string>>& fields) {
  FakeDataset dataset;
  for (const auto& [name, type] : fields) {
    dataset.fields.push_back({name, DataType::parse(type).value(), true});
    dataset.columns.emplace_back(dataset.fields.back().type);
  }
  return dataset;
}

TEST(CsvIngest, reads_every_type_a_column_may_have) {
  FakeDataset dataset = dataset_of({{"i8", "int8"},
                                    {"u8", "uint8"},
                                    {"u32", "uint32"},
                                    {"f16", "float16"},
                                    {"f32", "float32"},
                                    {"ts", "timestamp[s]"},
                                    {"tz", "timestamp[ms, Europe/Berlin]"},
                                    {"t", "time[us]"},
                                    {"d", "duration[ms]"},
                                    {"dec", "decimal128(5,2)"},
                                    {"bin", "binary"},
                                    {"fix", "fixed_binary(2)"},
                                    {"vec", "float32[3]"},
                                    {"ten", "int8[2,2]"}});
  std::string header = "i8,u8,u32,f16,f32,ts,tz,t,d,dec,bin,fix,vec,ten\n";
  std::string row =
      "-128,255,4294967295,1.5,0.1,1970-01-01T00:00:07,1970-01-01T00:00:01+01:00,00:00:01.5,-PT1M0.5S,-1.5,aGk=,aGk=,"
      "\"[1.5, \"\"NaN\"\",-2]\",\"[[1,2],[3,-4]]\"\n";
  Outcome outcome = take(dataset, header + row + ",,,,,,,,,,,,,\n");
  EXPECT_EQ(outcome.status.message(), "");
  EXPECT_EQ(outcome.rows,
            "i8:int8 -128 null; u8:uint8 255 null; u32:uint32 4294967295 null; f16:float16 h3e00 null; "
            "f32:float32 0.100000001 null; ts:timestamp[s] 7 null; tz:timestamp[ms, Europe/Berlin] -3599000 null; "
            "t:time[us] 1500000 null; d:duration[ms] -60500 null; dec:decimal128(5,2) d-150/-1 null; bin:binary 'hi' "
            "null; fix:fixed_binary(2) 'hi' null; vec:float32[3] [1.5 nan -2] null; ten:int8[2,2] [1 2 3 -4] null");
}

TEST(CsvIngest, refuses_what_stated_types_cannot_hold) {
  struct {
    const char* type;
    std::vector<const char*> bad;
  } cases[] = {{"int8", {"128", "-129", "1.0", "x"}},
               {"uint16", {"65536", "-1"}},
               {"float16", {"65520", "1e9", "2049", "x"}},
               {"float32", {"1e39", "16777217"}},
               {"float64", {"1e400", "9007199254740993", "1,5", "0x1"}},
               {"timestamp[s]", {"1970-01-01T00:00:00.5", "1970-01-01T00:00:00Z", "24:00"}},
               {"timestamp[ns]", {"1677-09-21T00:12:43.145224192", "2262-04-11T23:47:16.854775808"}},
               {"timestamp[us, UTC]", {"1970-01-01T00:00:00", "1970-01-01"}},
               {"time[s]", {"24:00:00", "00:00:00.5", "0:00:00"}},
               {"duration[s]", {"PT", "P", "5", "PT0.5S", "PT1S1M", "PT99999999999999999999S"}},
               {"decimal128(4,2)", {"100.00", "1.001", "1e1", ".5", "1.", "01"}},
               {"binary", {"a", "aGk", "aGl=", "====", "aG k"}},
               {"fixed_binary(2)", {"aA==", "aGlq"}},
               {"float32[2]", {"[1]", "[1,2,3]", "[1,null]", "1,2", "[1,2", "[1,2]]", "[[1,2]]", ""}}};
  for (const auto& one : cases) {
    for (const char* bad : one.bad) {
      FakeDataset dataset = dataset_of({{"a", one.type}, {"b", "int8"}});
      Outcome outcome = take(dataset, std::string("a,b\n\"") + bad + "\",1\n");
      EXPECT_NE(outcome.status.message().find(std::string("does not fit ") + one.type), std::string::npos)
          << one.type << " " << bad << ": " << outcome.status.message() << outcome.rows;
    }
  }
}

TEST(CsvIngest, takes_the_ends_of_nanoseconds) {
  FakeDataset dataset = dataset_of({{"a", "timestamp[ns]"}});
  EXPECT_EQ(take(dataset, "a\n1677-09-21T00:12:43.145224193\n2262-04-11T23:47:16.854775807\n").rows,
            "a:timestamp[ns] -9223372036854775807 9223372036854775807");
}

TEST(CsvIngest, commits_whole_lines_at_a_sync_and_goes_on) {
  FakeDataset dataset;
  MemorySource source("a,b\n1,x\n2,");
  auto ingest = start_csv_ingest(source, "s.csv", ',', std::make_unique<FakeRowSink>(dataset), {});
  auto commit = [&](bool final) {
    auto version = ingest.value()->commit(final, {});
    EXPECT_TRUE(version.ok()) << version.status().message();
    return version.ok() && version->has_value();
  };
  EXPECT_TRUE(commit(false));
  EXPECT_EQ(picture(dataset), "a:int64 1; b:utf8 'x'");
  EXPECT_FALSE(commit(false));
  EXPECT_FALSE(ingest.value()->is_drained());
  source.append("y\n3,\"z\n");
  EXPECT_TRUE(commit(false));
  EXPECT_EQ(picture(dataset), "a:int64 1 2; b:utf8 'x' 'y'");
  source.append("w\"\n4");
  source.append(",v");
  EXPECT_TRUE(commit(true));
  EXPECT_EQ(picture(dataset), "a:int64 1 2 3 4; b:utf8 'x' 'y' 'z\nw' 'v'");
  EXPECT_TRUE(ingest.value()->is_drained());
  // Another writer goes on after the line that had no end.
  source.append("\n5,u\nbad,t\n");
  auto refused = ingest.value()->commit(true, {});
  EXPECT_EQ(refused.status().message(), "s.csv:8: column 'a': 'bad' does not fit int64");
  EXPECT_EQ(dataset.versions, 3u);
  EXPECT_EQ(ingest.value()->rows_committed(), 4u);
}

TEST(CsvIngest, an_unterminated_line_continued_makes_no_null_row) {
  for (const char* rest : {"\n2\n", "\r\n2\r\n"}) {
    FakeDataset dataset;
    MemorySource source("a\n1");
    auto ingest = start_csv_ingest(source, "s.csv", ',', std::make_unique<FakeRowSink>(dataset), {});
    EXPECT_TRUE(ingest.value()->commit(true, {}).ok());
    source.append(rest);
    EXPECT_TRUE(ingest.value()->commit(true, {}).ok());
    EXPECT_EQ(picture(dataset), "a:int64 1 2");
  }
}

TEST(CsvIngest, a_header_waits_for_its_line_end_at_a_sync) {
  FakeDataset dataset;
  MemorySource source("a,");
  auto ingest = start_csv_ingest(source, "s.csv", ',', std::make_unique<FakeRowSink>(dataset), {});
  EXPECT_FALSE(ingest.value()->commit(false, {})->has_value());
  source.append("b\n");
  EXPECT_FALSE(ingest.value()->commit(false, {})->has_value());
  EXPECT_TRUE(ingest.value()->is_drained());
  source.append("1,2");
  EXPECT_FALSE(ingest.value()->commit(false, {})->has_value());
  EXPECT_TRUE(ingest.value()->commit(true, {})->has_value());
  EXPECT_EQ(picture(dataset), "a:int64 1; b:int64 2");
}

TEST(CsvIngest, limits_a_field_and_names_the_line) {
  IngestOptions options;
  options.field_bytes_max = 100;
  std::string over(101, 'x'), just(100, 'x');
  for (const std::string& field : {over, "\"" + over + "\"", "\"" + over + over}) {
    for (size_t piece : {16, 64, 1000}) {
      FakeDataset dataset;
      Outcome outcome = take(dataset, "a,b\n1,2\n3," + field + "\n", options, {piece, 8, 8});
      EXPECT_EQ(outcome.status.code(),
                field.ends_with("x") && field[0] == '"' && piece == 1000 ? Code::kInvalid : Code::kLimit)
          << outcome.status.message();
      EXPECT_EQ(outcome.status.message().rfind("day.csv:3: ", 0), 0u) << outcome.status.message();
    }
  }
  FakeDataset dataset;
  EXPECT_TRUE(take(dataset, "a,b\n1,2\n3," + just + "\n", options).status.ok());
}

TEST(CsvIngest, takes_a_hundred_thousand_columns) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += (i > 0 ? ",c" : "c") + std::to_string(i);
  for (int row = 0; row < 3; ++row) {
    text += '\n';
    for (int i = 0; i < 100'000; ++i) text += (i > 0 ? "," : "") + std::to_string(i * row);
  }
  FakeDataset dataset;
  Outcome outcome = take(dataset, text);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status.message();
  ASSERT_EQ(dataset.columns.size(), 100'000u);
  EXPECT_EQ(dataset.rows(), 3u);
  EXPECT_EQ(get_fixed<int64_t>(dataset.columns[99'999].view().value(2).data()), 199'998);
}

TEST(CsvIngest, stops_when_progress_says_so) {
  IngestOptions options;
  uint64_t calls = 0;
  options.progress = [&](uint64_t, uint64_t) { return ++calls < 3; };
  FakeDataset dataset;
  std::string text = "a\n";
  for (int i = 0; i < 1000; ++i) text += "1\n";
  EXPECT_EQ(take(dataset, text, options, {64, 64, 64}).status.code(), Code::kDeadline);
  EXPECT_EQ(dataset.versions, 0u);
}

}  // namespace
}  // namespace stela::fsd

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "fsd/ingest/arrow_column.h"
#include "tests/fsd/ingest_fakes.h"

namespace stela::fsd {
namespace {

std::string file_bytes(const std::string& name) {
  std::ifstream in(std::string(STELA_SOURCE_DIR) + "/tests/fsd/data/" + name + ".arrow", std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  EXPECT_FALSE(bytes.empty()) << name;
  return bytes;
}

// The rows, or the error.
std::string taken(const std::string& bytes, uint64_t dictionary_bytes_max = 1 << 20) {
  FakeDataset dataset;
  MemorySource source(bytes);
  FakeColumnSink sink(dataset);
  auto version = commit_arrow_column(source, "x.arrow", sink, "x", false, {}, dictionary_bytes_max);
  if (!version.ok()) {
    EXPECT_EQ(dataset.versions, 0u);
    return version.status().message();
  }
  return picture(dataset);
}

struct Case {
  const char* name;
  std::string wanted;
};

class ArrowColumnTakes : public testing::TestWithParam<Case> {};
TEST_P(ArrowColumnTakes, values) { EXPECT_EQ(taken(file_bytes(GetParam().name)), GetParam().wanted); }

INSTANTIATE_TEST_SUITE_P(
    Files, ArrowColumnTakes,
    testing::Values(
        Case{"int8", "x:int8 -128 null 127"}, Case{"uint8", "x:uint8 0 null 255"},
        Case{"int16", "x:int16 -32768 null 32767"}, Case{"uint16", "x:uint16 0 null 65535"},
        Case{"int32", "x:int32 -2147483648 null 2147483647"}, Case{"uint32", "x:uint32 0 null 4294967295"},
        Case{"int64", "x:int64 -9223372036854775808 null 9223372036854775807"},
        Case{"uint64", "x:uint64 0 null 18446744073709551615"}, Case{"float16", "x:float16 h3e00 null"},
        Case{"float32", "x:float32 0.100000001 null inf"}, Case{"float64", "x:float64 0.10000000000000001 null -0"},
        Case{"bool", "x:bool true null false true true true true true true true true"},
        Case{"date32", "x:date 1 null -1"}, Case{"time32", "x:time[s] 1 null 86399"},
        Case{"time64", "x:time[ns] 1 null 86399999999999"},
        Case{"timestamp", "x:timestamp[us, Europe/Berlin] 0 null -1"},
        Case{"timestamp_local", "x:timestamp[ns] 0 null -1"}, Case{"duration", "x:duration[ms] 0 null -1"},
        Case{"decimal", "x:decimal128(5,2) d-150/-1 null d99999/0"}, Case{"utf8", "x:utf8 'a' null '' 'größe'"},
        Case{"large_utf8", "x:utf8 'a' null '' 'größe'"}, Case{"binary", std::string("x:binary 'a\0' null ''", 21)},
        Case{"large_binary", std::string("x:binary 'a\0' null ''", 21)},
        Case{"utf8_view", "x:utf8 'x' null 'twelve bytes' 'more than twelve bytes' '' 'ünïcödé, and long'"},
        Case{"binary_view", std::string("x:binary '\0' null 'thirteen byte'", 33)},
        Case{"fixed_binary", std::string("x:fixed_binary(2) 'ab' null '\0\xff'", 32)},
        Case{"vector", "x:float32[2] [1.5 2] null [3 -4]"},
        Case{"bool_vector", "x:bool[3] [true false true] [true false true] [true false true] null [false true false]"},
        Case{"tensor", "x:int8[3,2] [1 2 3 4 5 6] null"}, Case{"tensor_extension", "x:int32[2,3] [1 2 3 4 5 6]"},
        Case{"no_rows", "x:utf8"}, Case{"two_batches", "x:utf8 'a' null 'bc' null 'd'"},
        Case{"two_batches_stream", "x:int64 1 null 2"}, Case{"sliced", "x:utf8 'a' null 'bc'"},
        Case{"sliced_bool", "x:bool false null true true false true true"},
        Case{"dictionary", "x:utf8 'a' null 'b' 'a'"}, Case{"dictionary_stream", "x:utf8 'a' null 'b' 'a'"},
        Case{"dictionary_delta_stream", "x:int64 null 10 30 null 10"},
        Case{"dictionary_replaced_stream", "x:int64 null 10 7"},
        Case{"lz4_dictionary_stream", "x:utf8 'a' null 'b' 'a' 'a' null 'b' 'a'"},
        Case{"zstd_dictionary_stream", "x:utf8 'a' null 'b' 'a' 'a' null 'b' 'a'"}),
    [](const testing::TestParamInfo<Case>& one) { return one.param.name; });

class ArrowColumnRefuses : public testing::TestWithParam<Case> {};
TEST_P(ArrowColumnRefuses, by_name) {
  std::string message = taken(file_bytes(std::string("refused_") + GetParam().name));
  EXPECT_EQ(message.rfind("x.arrow: ", 0), 0u) << message;
  EXPECT_NE(message.find(GetParam().wanted), std::string::npos) << message;
}
INSTANTIATE_TEST_SUITE_P(
    Files, ArrowColumnRefuses,
    testing::Values(Case{"list", "Arrow type List is not supported"},
                    Case{"struct", "Arrow type Struct is not supported"},
                    Case{"map", "Arrow type Map is not supported"}, Case{"null", "Arrow type Null is not supported"},
                    Case{"date64", "Arrow type date64 is not supported: cast it to date32"},
                    Case{"decimal256", "Arrow type decimal256 is not supported"},
                    Case{"list_of_text", "Arrow type fixed_size_list of utf8 is not supported"},
                    Case{"item_null", "row 0 of a record batch: a number within the vector is null"},
                    Case{"two_columns", "the Arrow file has 2 columns"},
                    Case{"time", "row 0 of a record batch: -1 is not a time of day"},
                    Case{"nat", "means no time (NaT); make it null"}),
    [](const testing::TestParamInfo<Case>& one) { return one.param.name; });

TEST(ArrowColumn, a_file_cut_anywhere_is_incomplete) {
  std::string bytes = file_bytes("utf8");
  for (size_t length = 1; length < bytes.size(); ++length) {
    EXPECT_NE(taken(bytes.substr(0, length)).find("incomplete"), std::string::npos) << length;
  }
}

TEST(ArrowColumn, a_stream_cut_within_a_message_is_incomplete) {
  std::string bytes = file_bytes("two_batches_stream");
  std::string whole = taken(bytes);
  size_t complete = 0;
  for (size_t length = 1; length < bytes.size(); ++length) {
    std::string rows = taken(bytes.substr(0, length));
    bool cut = rows.find("incomplete") != std::string::npos;
    // Between two messages a stream may end.
    if (!cut) ++complete;
    EXPECT_TRUE(cut || rows == "x:int64" || rows == "x:int64 1 null" || rows == whole) << length << rows;
  }
  EXPECT_LE(complete, 3u);
}

// Whatever a byte is changed to: an answer, never a read outside of the file.
TEST(ArrowColumn, survives_every_changed_byte) {
  for (const char* name : {"utf8", "vector", "dictionary_delta_stream", "decimal", "tensor_extension", "sliced_bool",
                           "lz4_dictionary_stream", "zstd_dictionary_stream"}) {
    std::string bytes = file_bytes(name);
    for (size_t at = 0; at < bytes.size(); ++at) {
      for (unsigned change : {0x01u, 0x80u, 0xffu}) {
        std::string changed = bytes;
        changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ change);
        EXPECT_FALSE(taken(changed).empty());
      }
    }
  }
}

TEST(ArrowColumn, refuses_what_is_no_arrow_file) {
  EXPECT_NE(taken("PAR1 something else").find("neither an Arrow file nor an Arrow stream"), std::string::npos);
  EXPECT_NE(taken("abc").find("incomplete"), std::string::npos);
  EXPECT_NE(taken(std::string(64, '\0')).find("neither an Arrow file nor an Arrow stream"), std::string::npos);
}

TEST(ArrowColumn, bounds_the_memory_of_a_dictionary) {
  EXPECT_NE(taken(file_bytes("dictionary"), 1).find("the dictionary of the Arrow file is over the limit of 1 bytes"),
            std::string::npos);
}

TEST(ArrowColumn, must_have_the_length_of_the_dataset) {
  FakeDataset dataset;
  dataset.fields.push_back({"y", DataType::of(TypeKind::kInt8), true});
  dataset.columns.emplace_back(dataset.fields[0].type);
  dataset.columns[0].append_nulls(7);
  MemorySource source(file_bytes("int8"));
  FakeColumnSink sink(dataset);
  auto version = commit_arrow_column(source, "x.arrow", sink, "x", false, {});
  EXPECT_EQ(version.status().message(), "x.arrow: the column has 3 rows and the dataset has 7");
  EXPECT_EQ(version.status().code(), Code::kInvalid);
}

TEST(ArrowColumn, an_empty_file_commits_nothing) {
  FakeDataset dataset;
  MemorySource source("");
  FakeColumnSink sink(dataset);
  auto version = commit_arrow_column(source, "x.arrow", sink, "x", false, {});
  ASSERT_TRUE(version.ok());
  EXPECT_FALSE(version->has_value());
}

}  // namespace
}  // namespace stela::fsd

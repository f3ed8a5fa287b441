#include <gtest/gtest.h>

#include <random>

#include "engine/format/fragment.h"
#include "fsd/ingest/npy_ingest.h"
#include "fsd/ingest/npy_values.h"
#include "tests/fsd/ingest_fakes.h"

namespace stela::fsd {
namespace {

std::string header_bytes(const std::string& dict, unsigned major = 1) {
  std::string text = dict;
  size_t prefix = major == 1 ? 10 : 12;
  while ((prefix + text.size() + 1) % 64 != 0) text += ' ';
  text += '\n';
  std::string out("\x93NUMPY", 6);
  out += static_cast<char>(major);
  out += '\0';
  if (major == 1) {
    put_fixed(out, static_cast<uint16_t>(text.size()));
  } else {
    put_fixed(out, static_cast<uint32_t>(text.size()));
  }
  return out + text;
}

std::string npy(const std::string& descr, const std::string& shape, const std::string& data, bool fortran = false,
                unsigned major = 1) {
  return header_bytes("{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") +
                          ", 'shape': " + shape + ", }",
                      major) +
         data;
}

template <typename T>
std::string values(std::initializer_list<T> list) {
  std::string out;
  for (T value : list) put_fixed(out, value);
  return out;
}

struct Taken {
  Status status;
  std::string rows;
};

Taken take(FakeDataset& dataset, const std::string& bytes, bool replace = false) {
  MemorySource source(bytes);
  FakeColumnSink sink(dataset);
  auto version = commit_npy_column(source, "x.npy", sink, "x", replace, {});
  return {version.status(), version.ok() ? picture(dataset) : ""};
}

std::string taken(const std::string& bytes) {
  FakeDataset dataset;
  Taken result = take(dataset, bytes);
  return result.status.ok() ? result.rows : "error: " + result.status.message();
}

TEST(NpyColumn, takes_every_type) {
  EXPECT_EQ(taken(npy("|b1", "(3,)", std::string("\0\1\0", 3))), "x:bool false true false");
  EXPECT_EQ(taken(npy("|i1", "(2,)", values<int8_t>({-1, 2}))), "x:int8 -1 2");
  EXPECT_EQ(taken(npy("<i2", "(2,)", values<int16_t>({-1, 2}))), "x:int16 -1 2");
  EXPECT_EQ(taken(npy("<i4", "(2,)", values<int32_t>({-1, 2}))), "x:int32 -1 2");
  EXPECT_EQ(taken(npy("<i8", "(2,)", values<int64_t>({-1, 2}))), "x:int64 -1 2");
  EXPECT_EQ(taken(npy("|u1", "(2,)", values<uint8_t>({255, 2}))), "x:uint8 255 2");
  EXPECT_EQ(taken(npy("<u2", "(2,)", values<uint16_t>({65535, 2}))), "x:uint16 65535 2");
  EXPECT_EQ(taken(npy("<u4", "(1,)", values<uint32_t>({4294967295u}))), "x:uint32 4294967295");
  EXPECT_EQ(taken(npy("<u8", "(1,)", values<uint64_t>({~0ull}))), "x:uint64 18446744073709551615");
  EXPECT_EQ(taken(npy("<f2", "(1,)", values<uint16_t>({0x3e00}))), "x:float16 h3e00");
  EXPECT_EQ(taken(npy("<f4", "(1,)", values<float>({0.5f}))), "x:float32 0.5");
  EXPECT_EQ(taken(npy("=f8", "(1,)", values<double>({0.1}))), "x:float64 0.10000000000000001");
  EXPECT_EQ(taken(npy("<M8[D]", "(2,)", values<int64_t>({1, INT64_MIN}))), "x:date 1 null");
  EXPECT_EQ(taken(npy("<M8[s]", "(1,)", values<int64_t>({1}))), "x:timestamp[s] 1");
  EXPECT_EQ(taken(npy("<M8[ns]", "(2,)", values<int64_t>({INT64_MIN, 7}))), "x:timestamp[ns] null 7");
  EXPECT_EQ(taken(npy("<m8[ms]", "(2,)", values<int64_t>({-5, INT64_MIN}))), "x:duration[ms] -5 null");
  EXPECT_EQ(taken(npy("<U3", "(3,)", values<uint32_t>({'a', 0, 0, 0, 0, 0, 0x65E5, 0x1F600, 'z'}))),
            "x:utf8 'a' '' '\xE6\x97\xA5\xF0\x9F\x98\x80z'");
  EXPECT_EQ(taken(npy("|S2", "(3,)", std::string("a\0\0b\0\0", 6))), std::string("x:binary 'a' '\0b' ''", 20));
  EXPECT_EQ(taken(npy("<f4", "(2, 2)", values<float>({1, 2, 3, 4}))), "x:float32[2] [1 2] [3 4]");
  EXPECT_EQ(taken(npy("<i8", "(0,)", "")), "x:int64");
  EXPECT_EQ(taken(npy("<i8", "(1, 1)", values<int64_t>({1}))), "x:int64[1] [1]");
}

TEST(NpyColumn, swaps_big_endian) {
  EXPECT_EQ(taken(npy(">i2", "(2,)", std::string("\x01\x02\xff\xfe", 4))), "x:int16 258 -2");
  EXPECT_EQ(taken(npy(">f4", "(1,)", std::string("\x3f\x00\x00\x00", 4))), "x:float32 0.5");
  EXPECT_EQ(taken(npy(">M8[s]", "(2,)", std::string("\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x07", 16))),
            "x:timestamp[s] null 7");
  EXPECT_EQ(taken(npy(">U1", "(1,)", std::string("\0\0\0A", 4))), "x:utf8 'A'");
}

TEST(NpyColumn, keeps_bytes_as_they_are) {
  std::string nans = values<uint64_t>({0x7ff8000000000001, 0xfff8000000000000, 0x7ff0000000000001, 0x8000000000000000});
  FakeDataset dataset;
  ASSERT_TRUE(take(dataset, npy("<f8", "(4,)", nans)).status.ok());
  ColumnView view = dataset.columns[0].view();
  EXPECT_EQ(std::string(as_text({view.values, 32})), nans);
  EXPECT_EQ(view.null_count(), 0u);
}

// The naive oracle: element by element from Fortran order.
TEST(NpyColumn, transposes_fortran_order) {
  std::mt19937_64 random(5);
  for (auto [rows, extents] :
       {std::pair<uint64_t, std::vector<uint64_t>>{1, {1}}, {3, {2}}, {5, {3, 2}}, {4, {2, 3, 4}}, {700'000, {7}}}) {
    uint64_t inner = 1;
    for (uint64_t extent : extents) inner *= extent;
    std::string data;
    for (uint64_t i = 0; i < rows * inner; ++i) put_fixed(data, static_cast<uint32_t>(random()));
    std::string shape = "(" + std::to_string(rows);
    for (uint64_t extent : extents) shape += ", " + std::to_string(extent);
    FakeDataset dataset;
    Taken result = take(dataset, npy("<u4", shape + ")", data, true));
    ASSERT_TRUE(result.status.ok()) << result.status.message();
    const auto* got = reinterpret_cast<const uint32_t*>(dataset.columns[0].view().values);
    for (uint64_t row = 0; row < rows; ++row) {
      for (uint64_t c = 0; c < inner; ++c) {
        uint64_t rest = c, index = 0, scale = inner;
        for (size_t d = extents.size(); d-- > 0;) {
          scale /= extents[d];
          index += rest % extents[d] * scale;
          rest /= extents[d];
        }
        ASSERT_EQ(got[row * inner + c], get_fixed<uint32_t>(data.data() + 4 * (index * rows + row)));
      }
    }
  }
}

TEST(NpyColumn, streams_in_blocks) {
  std::string data(20 << 20, 'x');
  FakeDataset dataset;
  MemorySource source(npy("|u1", "(" + std::to_string(data.size()) + ",)", data));
  FakeColumnSink sink(dataset);
  ASSERT_TRUE(commit_npy_column(source, "x.npy", sink, "x", false, {}).ok());
  EXPECT_EQ(sink.appends(), 5u);
  EXPECT_EQ(dataset.rows(), data.size());
}

TEST(NpyColumn, reads_headers_as_numpy_and_others_write_them) {
  std::string one = values<int64_t>({1});
  for (unsigned major : {1u, 2u, 3u}) EXPECT_EQ(taken(npy("<i8", "(1,)", one, false, major)), "x:int64 1");
  for (const char* dict : {"{'descr': '<i8', 'fortran_order': False, 'shape': (1,)}",
                           "{\"shape\":(1L,),\"fortran_order\":True,\"descr\":\"<i8\"}",
                           "{ 'shape' : ( 1 , ) , 'descr' : '<i8' , 'fortran_order' : False , } "}) {
    EXPECT_EQ(taken(header_bytes(dict) + one), "x:int64 1") << dict;
  }
  for (const char* descr : {"|b1", "|i1", "<f8", "<M8[us]", "<m8[s]"}) {
    std::string data(descr[1] == 'b' || descr[1] == 'i' ? 5 : 40, '\0');
    std::string file = npy(descr, "(5,)", data);
    MemorySource source(file);
    auto header = read_npy_header(source, 0);
    ASSERT_TRUE(header.ok());
    EXPECT_EQ(format::npy_header(header->type, 5), file.substr(0, header->data_offset)) << descr;
  }
}

TEST(NpyColumn, refuses_broken_headers) {
  std::string one = values<int64_t>({1});
  std::string good = npy("<i8", "(1,)", one);
  for (size_t length = 1; length < good.size(); ++length) {
    std::string message = taken(good.substr(0, length));
    EXPECT_NE(message.find("x.npy: the .npy file is incomplete"), std::string::npos) << length << message;
  }
  struct {
    std::string bytes;
    const char* part;
  } cases[] = {{"PK\3\4", "is not a .npy file"},
               {good + "x", "1 bytes more"},
               {std::string("\x93NUMPY\4\0", 8) + good.substr(8), "version 4.0 of .npy is not known"},
               {std::string("\x93NUMPY\2\0\0\0\0\x7f", 12), "the limit is 1048576"},
               {npy("|O", "(1,)", one), "objects are pickled Python, which Stela never runs"},
               {npy("<f16", "(1,)", one), "long doubles"},
               {npy("<c8", "(1,)", one), "complex numbers"},
               {npy("|V8", "(1,)", one), "raw bytes"},
               {npy("<M8[h]", "(1,)", one), "dtype '<M8[h]' is not supported"},
               {npy("<M8[25s]", "(1,)", one), "dtype '<M8[25s]' is not supported"},
               {npy("<M8", "(1,)", one), "dtype '<M8' is not supported"},
               {npy("<m8[D]", "(1,)", one), "timedelta64 is taken in units"},
               {npy("<i3", "(1,)", one), "unknown dtype"},
               {npy("<i8x", "(1,)", one), "unknown dtype"},
               {npy("i8", "(1,)", one), "unknown dtype"},
               {npy("<U0", "(9999999999999999,)", ""), "its values have no bytes"},
               {npy("<i8", "()", one), "numpy.atleast_1d"},
               {npy("<i8", "(1, 0)", ""), "an extent of 0"},
               {npy("<U1", "(1, 2)", one), "more than one dimension"},
               {npy("<i8", "(2305843009213693952,)", one), "more bytes than there can be"},
               {npy("<i8", "(4294967296, 4294967296)", one), "too large"},
               {npy("<i8", "(2,)", one), "incomplete"},
               {npy("<i8", "(1, 4000000000, 4000000000, 4000000000)", one), ""},
               {npy("|b1", "(1,)", "\2"), "row 0: a bool is 0 or 1, not 2"},
               {npy("<U1", "(1,)", values<uint32_t>({0xD800})), "row 0: 55296 is not a Unicode character"},
               {header_bytes("{'descr': [('a', '<i8')], 'fortran_order': False, 'shape': (1,)}") + one, "structured"}};
  for (const auto& one_case : cases) {
    FakeDataset dataset;
    Taken result = take(dataset, one_case.bytes);
    EXPECT_FALSE(result.status.ok()) << one_case.part;
    EXPECT_NE(result.status.message().find(one_case.part), std::string::npos) << result.status.message();
    EXPECT_EQ(result.status.message().rfind("x.npy: ", 0), 0u);
    EXPECT_EQ(dataset.versions, 0u);
  }
}

TEST(NpyColumn, refuses_headers_that_are_not_the_dictionary) {
  std::string one = values<int64_t>({1});
  for (const char* dict :
       {"", "{", "{}", "[]", "{'descr': '<i8', 'fortran_order': False, 'shape': (1)}",
        "{'descr': '<i8', 'fortran_order': False}", "{'descr': '<i8', 'fortran_order': 0, 'shape': (1,)}",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (1,,)}",
        "{'descr': '<i8', 'descr': '<i8', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (1,), 'x': 1}",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (1,)} x",
        "{'descr': '<i8' 'fortran_order': False, 'shape': (1,)}",
        "{'descr': __import__('os'), 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': '<i8', 'fortran_order': False, 'shape': "
        "(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)}"}) {
    EXPECT_NE(taken(header_bytes(dict) + one).find("is not the dictionary that numpy writes"), std::string::npos)
        << dict;
  }
}

TEST(NpyColumn, must_have_the_length_of_the_dataset) {
  FakeDataset dataset;
  EXPECT_EQ(take(dataset, npy("<i8", "(2,)", values<int64_t>({1, 2}))).rows, "x:int64 1 2");
  EXPECT_EQ(take(dataset, npy("<i8", "(1,)", values<int64_t>({1}))).status.message(),
            "x.npy: the array has 1 rows and the dataset has 2");
}

TEST(NpyColumn, an_empty_file_commits_nothing) {
  FakeDataset dataset;
  MemorySource source("");
  FakeColumnSink sink(dataset);
  auto version = commit_npy_column(source, "x.npy", sink, "x", false, {});
  ASSERT_TRUE(version.ok());
  EXPECT_FALSE(version->has_value());
}

TEST(NpyColumn, a_replacement_keeps_zone_and_time_of_day) {
  auto replaced = [](const char* type, const std::string& descr, int64_t value) {
    FakeDataset dataset;
    dataset.fields.push_back({"x", DataType::parse(type).value(), true});
    dataset.columns.emplace_back(dataset.fields[0].type);
    dataset.columns[0].append_value<int64_t>(0);
    Taken result = take(dataset, npy(descr, "(1,)", values<int64_t>({value})), true);
    return result.status.ok() ? dataset.fields.back().type.name() : result.status.message();
  };
  EXPECT_EQ(replaced("timestamp[us, Europe/Berlin]", "<M8[us]", 1), "timestamp[us, Europe/Berlin]");
  EXPECT_EQ(replaced("timestamp[us, Europe/Berlin]", "<M8[ns]", 1), "timestamp[ns]");
  EXPECT_EQ(replaced("time[s]", "<m8[s]", 86399), "time[s]");
  EXPECT_NE(replaced("time[s]", "<m8[s]", 86400).find("row 0: 86400 is not a time of day"), std::string::npos);
}

TEST(NpyRows, append_to_a_dataset_of_one_column) {
  FakeDataset dataset;
  auto append = [&](const std::string& bytes) {
    MemorySource source(bytes);
    auto ingest = start_npy_ingest(source, "tip.npy", "tip", std::make_unique<FakeRowSink>(dataset), {});
    auto version = ingest->commit(true, {});
    if (!version.ok()) return version.status().message();
    EXPECT_TRUE(ingest->is_drained());
    EXPECT_FALSE(ingest->commit(true, {})->has_value());
    return picture(dataset);
  };
  EXPECT_EQ(append(""), "");
  EXPECT_EQ(append(npy("<i8", "(0,)", "")), "");
  EXPECT_EQ(append(npy("<i8", "(2,)", values<int64_t>({1, 2}))), "tip:int64 1 2");
  EXPECT_EQ(append(npy("<i8", "(1,)", values<int64_t>({3}))), "tip:int64 1 2 3");
  EXPECT_EQ(append(npy("<i4", "(1,)", values<int32_t>({3}))),
            "tip.npy: its values are int32 and column 'tip' is int64; convert the array first (.astype)");
  dataset.fields.push_back({"b", DataType::of(TypeKind::kInt8), true});
  EXPECT_NE(append(npy("<i8", "(1,)", values<int64_t>({3}))).find("the dataset has 2"), std::string::npos);
}

}  // namespace
}  // namespace stela::fsd

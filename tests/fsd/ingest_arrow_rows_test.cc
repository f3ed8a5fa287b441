#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <set>

#include "fsd/ingest/arrow_column.h"
#include "fsd/ingest/arrow_rows.h"
#include "fsd/ingest/column_cast.h"
#include "tests/fsd/ingest_fakes.h"

namespace stela::fsd {
namespace {

std::string file_bytes(const std::string& name) {
  std::ifstream in(std::string(STELA_SOURCE_DIR) + "/tests/fsd/data/" + name + ".arrow", std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  EXPECT_FALSE(bytes.empty()) << name;
  return bytes;
}

std::string take(FakeDataset& dataset, const std::string& bytes, const IngestOptions& options = {}) {
  MemorySource source(bytes);
  auto ingest = start_arrow_ingest(source, "x.arrow", std::make_unique<FakeRowSink>(dataset), options);
  auto version = ingest->commit(true, {});
  if (!version.ok()) return "error: " + version.status().message();
  EXPECT_TRUE(ingest->is_drained());
  return picture(dataset);
}

const char* const kSevenRows =
    "i:int32 0 1 2 null 4 5 6; s:utf8 '' 'x' null 'xxx' '' 'x' 'xx'; d:utf8 'yes' 'no' 'yes' 'no' 'yes' 'no' 'yes'; "
    "v:float32[2] [0 -0] null [2 -2] [3 -3] null [5 -5] [6 -6]; b:bool true false true false true false true";

TEST(ArrowRows, files_streams_and_compressed_bodies_give_the_same_rows) {
  for (const char* name : {"rows", "rows_stream", "rows_lz4", "rows_zstd"}) {
    FakeDataset dataset;
    std::string rows = take(dataset, file_bytes(name));
    // An integer has no minus zero: numpy writes -0 as 0.
    size_t zero = rows.find("[0 0]");
    if (zero != std::string::npos) rows.replace(zero, 5, "[0 -0]");
    EXPECT_EQ(rows, kSevenRows) << name;
    EXPECT_EQ(dataset.versions, 1u);
  }
}

TEST(ArrowRows, compressed_buffers_of_no_bytes) {
  for (const char* name : {"rows_empty_lz4", "rows_empty_zstd"}) {
    FakeDataset dataset;
    EXPECT_EQ(take(dataset, file_bytes(name)),
              "n:utf8 null null; i:int64 1 2; e:utf8 '' ''; b:binary '' null; z:utf8 null null")
        << name;
  }
}

TEST(ArrowRows, many_batches_are_one_commit) {
  FakeDataset dataset;
  take(dataset, file_bytes("rows_many_batches"));
  EXPECT_EQ(dataset.rows(), 40u);
  EXPECT_EQ(dataset.versions, 1u);
  EXPECT_EQ(get_fixed<int32_t>(dataset.columns[0].view().value(39).data()), 39);
}

TEST(ArrowRows, later_files_match_by_name_and_fit_exactly) {
  FakeDataset dataset;
  dataset.fields = {{"s", DataType::of(TypeKind::kUtf8), true}, {"i", DataType::of(TypeKind::kInt64), true}};
  for (const Field& field : dataset.fields) dataset.columns.emplace_back(field.type);
  std::string bytes = file_bytes("rows");
  EXPECT_EQ(take(dataset, bytes), "error: x.arrow: the dataset has no 'd', 'v', 'b'; extra=ignore leaves them out");
  IngestOptions options;
  options.extra_ignore = true;
  EXPECT_EQ(take(dataset, bytes, options), "s:utf8 '' 'x' null 'xxx' '' 'x' 'xx'; i:int64 0 1 2 null 4 5 6");
  FakeDataset narrow;
  narrow.fields = {{"i", DataType::of(TypeKind::kBool), true}, {"z", DataType::of(TypeKind::kBool), true}};
  for (const Field& field : narrow.fields) narrow.columns.emplace_back(field.type);
  EXPECT_EQ(take(narrow, bytes, options),
            "error: x.arrow: the file lacks 'z' of the dataset; missing=null fills them with nulls");
  options.missing_null = true;
  EXPECT_EQ(take(narrow, bytes, options),
            "error: x.arrow: column 'i': its values are int32 and the dataset's are bool; cast it first");
  EXPECT_EQ(narrow.versions, 0u);
}

TEST(ArrowRows, a_file_cut_anywhere_is_refused) {
  for (const char* name : {"rows_lz4", "rows_zstd"}) {
    std::string bytes = file_bytes(name);
    for (size_t length = 1; length < bytes.size(); length += 3) {
      FakeDataset dataset;
      EXPECT_NE(take(dataset, bytes.substr(0, length)).find("incomplete"), std::string::npos) << length;
    }
  }
}

TEST(ArrowRows, survives_every_changed_byte) {
  for (const char* name : {"rows", "rows_lz4", "rows_zstd", "rows_stream"}) {
    std::string bytes = file_bytes(name);
    for (size_t at = 0; at < bytes.size(); ++at) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ (at % 2 == 0 ? 0xffu : 0x01u));
      FakeDataset dataset;
      take(dataset, changed);
    }
  }
}

TEST(ArrowRows, compressed_bodies_are_bounded_before_they_are_decompressed) {
  FakeDataset dataset;
  IngestOptions options;
  options.memory_bytes = 2 * 7000;
  std::string message = take(dataset, file_bytes("zstd"), options);
  EXPECT_NE(message.find("a compressed record batch declares more than 7000 bytes"), std::string::npos) << message;
}

TEST(ArrowRows, lying_lengths_of_compressed_buffers) {
  // The validity buffer of the one column begins the body: its length is the first 8 bytes of it.
  std::string bytes = file_bytes("lz4");
  std::string length("\x7e\0\0\0\0\0\0\0", 8);
  size_t at = bytes.find(length + "\x04\x22\x4d\x18");
  ASSERT_NE(at, std::string::npos);
  for (int64_t lie : {int64_t{-2}, int64_t{0}, int64_t{125}, int64_t{127}, int64_t{1} << 40, INT64_MAX}) {
    std::string changed = bytes;
    changed.replace(at, 8, reinterpret_cast<const char*>(&lie), 8);
    FakeDataset dataset;
    EXPECT_EQ(take(dataset, changed).rfind("error: x.arrow: ", 0), 0u) << lie;
  }
}

TEST(ArrowRows, the_same_file_again_is_refused_when_it_goes_on) {
  FakeDataset dataset;
  MemorySource source(file_bytes("rows"));
  auto ingest = start_arrow_ingest(source, "x.arrow", std::make_unique<FakeRowSink>(dataset), {});
  EXPECT_TRUE(ingest->commit(true, {}).value().has_value());
  EXPECT_FALSE(ingest->commit(true, {}).value().has_value());
  source.append("more");
  EXPECT_EQ(ingest->commit(true, {}).status().message(),
            "x.arrow: its rows were appended already; write further rows to another name");
}

// A writer that syncs anywhere: whole batches are committed at once, the rest when it has arrived.
TEST(ArrowRows, a_stream_cut_anywhere_goes_on) {
  for (const char* name : {"rows_stream", "dictionary_delta_stream", "zstd_dictionary_stream"}) {
    const std::string bytes = file_bytes(name);
    FakeDataset whole;
    const std::string wanted = take(whole, bytes);
    std::set<uint64_t> rows_at_cut;
    for (size_t cut = 1; cut < bytes.size(); ++cut) {
      FakeDataset dataset;
      MemorySource source(bytes.substr(0, cut));
      auto ingest = start_arrow_ingest(source, "x.arrow", std::make_unique<FakeRowSink>(dataset), {});
      auto first = ingest->commit(false, {});
      if (!first.ok()) {
        ASSERT_NE(first.status().message().find("incomplete"), std::string::npos) << first.status().message();
        ASSERT_EQ(dataset.versions, 0u);
      }
      rows_at_cut.insert(dataset.rows());
      source.append(bytes.substr(cut));
      auto second = ingest->commit(true, {});
      ASSERT_TRUE(second.ok()) << name << " cut at " << cut << ": " << second.status().message();
      EXPECT_TRUE(ingest->is_drained());
      ASSERT_EQ(picture(dataset), wanted) << name << " cut at " << cut;
    }
    EXPECT_GE(rows_at_cut.size(), 3u) << name << " has several batches";
  }
}

// ---- casts

template <typename T>
std::string cast_one(const DataType& from, T value, const DataType& to) {
  ColumnData column(from), out(to);
  column.append_nulls(1);
  column.append_value(value);
  Status status = append_cast(column.view(), 10, out);
  if (!status.ok()) return status.message();
  EXPECT_FALSE(out.view().is_valid(0));
  return picture_value(to, out.view().value(1));
}
DataType kind(TypeKind one) { return DataType::of(one); }

TEST(ColumnCast, values_are_the_same_or_refused) {
  EXPECT_EQ(cast_one(kind(TypeKind::kInt64), int64_t{-128}, kind(TypeKind::kInt8)), "-128");
  EXPECT_EQ(cast_one(kind(TypeKind::kInt64), int64_t{128}, kind(TypeKind::kInt8)),
            "row 11: 128 does not fit int8 exactly");
  EXPECT_EQ(cast_one(kind(TypeKind::kUInt64), UINT64_MAX, kind(TypeKind::kInt64)),
            "row 11: 18446744073709551615 does not fit int64 exactly");
  EXPECT_EQ(cast_one(kind(TypeKind::kInt64), (int64_t{1} << 53) + 1, kind(TypeKind::kFloat64)),
            "row 11: 9007199254740993 does not fit float64 exactly");
  EXPECT_EQ(cast_one(kind(TypeKind::kFloat64), 3.0, kind(TypeKind::kUInt8)), "3");
  EXPECT_EQ(cast_one(kind(TypeKind::kFloat64), 0.1, kind(TypeKind::kFloat32)),
            "row 11: 0.100000 does not fit float32 exactly");
  EXPECT_EQ(cast_one(kind(TypeKind::kFloat32), 0.5f, kind(TypeKind::kFloat16)), "h3800");
  EXPECT_EQ(cast_one(kind(TypeKind::kFloat64), std::nan(""), kind(TypeKind::kInt64)),
            "row 11: nan does not fit int64 exactly");
  EXPECT_EQ(cast_one(kind(TypeKind::kFloat64), -0.0, kind(TypeKind::kInt64)),
            "row 11: -0.000000 does not fit int64 exactly");
  DataType seconds = DataType::timestamp(TimeUnit::kSecond), micros = DataType::timestamp(TimeUnit::kMicro);
  EXPECT_EQ(cast_one(seconds, int64_t{-2}, micros), "-2000000");
  EXPECT_EQ(cast_one(micros, int64_t{3'000'000}, seconds), "3");
  EXPECT_EQ(cast_one(micros, int64_t{3'000'001}, seconds), "row 11: 3000001 us does not fit timestamp[s] exactly");
  EXPECT_FALSE(can_cast(micros, DataType::timestamp(TimeUnit::kMicro, "UTC")));
  EXPECT_TRUE(can_cast(DataType::timestamp(TimeUnit::kMicro, "UTC"), DataType::timestamp(TimeUnit::kMilli, "+02:00")));
  EXPECT_FALSE(can_cast(kind(TypeKind::kInt64), kind(TypeKind::kUtf8)));
  EXPECT_FALSE(can_cast(DataType::tensor(TypeKind::kInt8, {2}), DataType::tensor(TypeKind::kInt16, {2})));
}

}  // namespace
}  // namespace stela::fsd

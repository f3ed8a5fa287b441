#include <gtest/gtest.h>

#include "engine/types/column.h"

namespace stela {
namespace {

const std::vector<std::pair<std::string, DataType>>& named_types() {
  static const std::vector<std::pair<std::string, DataType>> types = [] {
    std::vector<std::pair<std::string, DataType>> all;
    const char* plain[] = {"bool",   "int8",    "int16",   "int32",   "int64", "uint8", "uint16", "uint32",
                           "uint64", "float16", "float32", "float64", "date",  "utf8",  "binary"};
    TypeKind kinds[] = {TypeKind::kBool,   TypeKind::kInt8,    TypeKind::kInt16,   TypeKind::kInt32,
                        TypeKind::kInt64,  TypeKind::kUInt8,   TypeKind::kUInt16,  TypeKind::kUInt32,
                        TypeKind::kUInt64, TypeKind::kFloat16, TypeKind::kFloat32, TypeKind::kFloat64,
                        TypeKind::kDate,   TypeKind::kUtf8,    TypeKind::kBinary};
    for (size_t i = 0; i < std::size(plain); ++i) all.emplace_back(plain[i], DataType::of(kinds[i]));
    all.emplace_back("timestamp[s]", DataType::timestamp(TimeUnit::kSecond));
    all.emplace_back("timestamp[us, UTC]", DataType::timestamp(TimeUnit::kMicro, "UTC"));
    all.emplace_back("timestamp[ns, Europe/Berlin]", DataType::timestamp(TimeUnit::kNano, "Europe/Berlin"));
    all.emplace_back("timestamp[ms, +02:00]", DataType::timestamp(TimeUnit::kMilli, "+02:00"));
    DataType time = DataType::of(TypeKind::kTime);
    time.unit = TimeUnit::kMicro;
    all.emplace_back("time[us]", time);
    DataType duration = DataType::of(TypeKind::kDuration);
    duration.unit = TimeUnit::kNano;
    all.emplace_back("duration[ns]", duration);
    all.emplace_back("decimal128(12,2)", DataType::decimal(12, 2));
    all.emplace_back("decimal128(38,38)", DataType::decimal(38, 38));
    DataType fixed = DataType::of(TypeKind::kFixedBinary);
    fixed.width = 16;
    all.emplace_back("fixed_binary(16)", fixed);
    all.emplace_back("float32[384]", DataType::tensor(TypeKind::kFloat32, {384}));
    all.emplace_back("uint8[3,32,32]", DataType::tensor(TypeKind::kUInt8, {3, 32, 32}));
    return all;
  }();
  return types;
}

TEST(DataType, NamesAndParsesEachType) {
  for (const auto& [name, type] : named_types()) {
    EXPECT_TRUE(type.validate().ok()) << name;
    EXPECT_EQ(type.name(), name);
    Result<DataType> parsed = DataType::parse(name);
    ASSERT_TRUE(parsed.ok()) << name << parsed.status().message();
    EXPECT_EQ(*parsed, type) << name;
  }
}

TEST(DataType, BinaryFormRoundTripsAndRefusesEveryPrefix) {
  for (const auto& [name, type] : named_types()) {
    std::string bytes;
    type.encode(bytes);
    Decoder whole{std::string_view(bytes)};
    DataType back;
    ASSERT_TRUE(DataType::decode(whole, &back)) << name;
    EXPECT_TRUE(whole.at_end());
    EXPECT_EQ(back, type);
    for (size_t cut = 0; cut < bytes.size(); ++cut) {
      Decoder part{std::string_view(bytes).substr(0, cut)};
      EXPECT_FALSE(DataType::decode(part, &back)) << name << " cut at " << cut;
    }
  }
}

TEST(DataType, ParseAcceptsBlanksAroundParameters) {
  EXPECT_EQ(DataType::parse(" timestamp[ us ,UTC ] ")->name(), "timestamp[us, UTC]");
  EXPECT_EQ(DataType::parse("decimal128( 5, 1 )")->name(), "decimal128(5,1)");
}

TEST(DataType, ParseRefusesWhatIsNotAType) {
  for (const char* name : {"",
                           "int",
                           "int65",
                           "timestamp",
                           "timestamp[]",
                           "timestamp[h]",
                           "timestamp[us, ]",
                           "time[us, UTC]",
                           "decimal128",
                           "decimal128(0,0)",
                           "decimal128(39,1)",
                           "decimal128(5,6)",
                           "decimal128(5)",
                           "decimal128(-5,1)",
                           "fixed_binary",
                           "fixed_binary(0)",
                           "fixed_binary(16777217)",
                           "float32[]",
                           "float32[0]",
                           "float32[4",
                           "float32(4)",
                           "utf8[3]",
                           "date[3]",
                           "float32[4294967296]",
                           "float64[65536,65536]",
                           "int8]",
                           "int8 [3] x"}) {
    Result<DataType> parsed = DataType::parse(name);
    ASSERT_FALSE(parsed.ok()) << name;
    EXPECT_EQ(parsed.status().code(), Code::kInvalid) << name;
    EXPECT_NE(parsed.status().message().find("docs/types.md"), std::string::npos) << name;
  }
}

TEST(DataType, ListAndStructAreUnsupportedByName) {
  for (const char* name : {"list", "list<int64>", "struct<a: int64>", "struct"}) {
    Result<DataType> parsed = DataType::parse(name);
    ASSERT_FALSE(parsed.ok());
    EXPECT_EQ(parsed.status().code(), Code::kUnsupported) << name;
  }
}

TEST(DataType, DecodeRefusesStrayParameters) {
  DataType type = DataType::of(TypeKind::kInt32);
  type.precision = 3;
  std::string bytes;
  type.encode(bytes);
  Decoder in{std::string_view(bytes)};
  EXPECT_FALSE(DataType::decode(in, &type));
  type = DataType::of(TypeKind::kUtf8);
  type.zone = "UTC";
  EXPECT_FALSE(type.validate().ok());
  type = DataType::timestamp(TimeUnit::kMicro, "a]b");
  EXPECT_FALSE(type.validate().ok());
}

TEST(NullFill, HasFixedBits) {
  EXPECT_EQ(*null_fill(DataType::of(TypeKind::kFloat64)).as<uint64_t>(), 0x7ff8000000000000u);
  EXPECT_EQ(*null_fill(DataType::of(TypeKind::kFloat32)).as<uint32_t>(), 0x7fc00000u);
  EXPECT_EQ(*null_fill(DataType::of(TypeKind::kFloat16)).as<uint16_t>(), 0x7e00u);
  EXPECT_EQ(*null_fill(DataType::of(TypeKind::kDate)).as<int64_t>(), INT64_MIN);
  EXPECT_EQ(*null_fill(DataType::of(TypeKind::kInt64)).as<int64_t>(), 0);
  Buffer vector = null_fill(DataType::tensor(TypeKind::kFloat32, {2, 3}));
  ASSERT_EQ(vector.size(), 24u);
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(vector.as<uint32_t>()[i], 0x7fc00000u);
  EXPECT_TRUE(null_fill(DataType::of(TypeKind::kUtf8)).empty());
}

}  // namespace
}  // namespace stela

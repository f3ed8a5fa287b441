// Pages of every encoding, type and pattern of nulls, written into fragments and read back; what was written is the
// oracle, and the same rows in plain pages.
#include <cstdlib>
#include <set>

#include "engine/format/page_entry.h"
#include "tests/engine/format_fixture.h"
#include "tests/engine/value_shapes.h"

namespace stela::format {
namespace {

enum class NullPattern { kNone, kAll, kFirst, kLast, kAlternating, kRandom, kRare, kOnePage };

struct Case {
  NullPattern nulls;
  const char* name;
};

bool null_at(NullPattern nulls, uint64_t row, uint64_t rows, std::mt19937_64& random) {
  switch (nulls) {
    case NullPattern::kNone: return false;
    case NullPattern::kAll: return true;
    case NullPattern::kFirst: return row == 0;
    case NullPattern::kLast: return row + 1 == rows;
    case NullPattern::kAlternating: return row % 2 == 0;
    case NullPattern::kRandom: return random() % 4 == 0;
    case NullPattern::kRare: return random() % 100 == 0;
    case NullPattern::kOnePage: return row >= rows / 3 && row < rows / 2;
  }
  return false;
}

ColumnData with_nulls(const ColumnView& values, NullPattern nulls, std::mt19937_64& random) {
  ColumnData column(*values.type);
  for (uint64_t row = 0; row < values.rows; ++row) {
    if (null_at(nulls, row, values.rows, random)) {
      column.append_nulls(1);
    } else {
      column.append(values.value(row));
    }
  }
  return column;
}

void expect_reads(const ColumnChunk& chunk, const ColumnView& wanted, std::mt19937_64& random,
                  const std::string& where) {
  for (int i = 0; i < 4; ++i) {
    uint64_t first = i == 0 ? 0 : random() % wanted.rows;
    uint64_t count = i == 0 ? wanted.rows : i == 1 ? 1 : random() % (wanted.rows - first + 1);
    ColumnData out(*wanted.type);
    Status status = chunk.read(first, count, out);
    ASSERT_TRUE(status.ok()) << where << status.message();
    expect_rows(out.view(), wanted, first, where);
    auto nulls = chunk.nulls_in(first, count);
    ASSERT_TRUE(nulls.ok()) << where << nulls.status().message();
    EXPECT_EQ(*nulls, wanted.slice(first, count).null_count()) << where;
    auto bytes = chunk.value_bytes_in(first, count);
    ASSERT_TRUE(bytes.ok()) << where << bytes.status().message();
    EXPECT_EQ(*bytes, wanted.slice(first, count).value_bytes()) << where;
  }
  for (uint64_t step : {7u, 900u}) {
    std::vector<uint64_t> rows;
    ColumnData expected(*wanted.type), out(*wanted.type);
    for (uint64_t row = random() % step; row < wanted.rows; row += 1 + random() % step) {
      rows.push_back(row);
      expected.append(wanted.slice(row, 1));
    }
    Status status = chunk.read_rows(rows, out);
    ASSERT_TRUE(status.ok()) << where << status.message();
    ASSERT_EQ(out.rows(), rows.size());
    expect_rows(out.view(), expected.view(), 0, where + "selected ");
  }
}

class EncodedPages : public ::testing::TestWithParam<Case> {};

TEST_P(EncodedPages, EveryTypeAndShapeComesBack) {
  std::mt19937_64 random(23);
  std::set<EncodingId> used;
  for (size_t i = 0; i < 2 * test_type_names().size(); ++i) {
    const EncodingMode mode = i % 2 == 0 ? EncodingMode::kLight : EncodingMode::kCold;
    const std::string name = test_type_names()[i / 2];
    DataType type = *DataType::parse(name);
    FragmentBench bench;
    bench.options.mode = mode;
    bench.options.page_bytes = std::max<uint64_t>(2000 * (type.is_variable() ? 12 : type.value_width()), 1);
    bench.cache = std::make_shared<catalog::BlockCache>(4 << 20);
    std::vector<std::vector<ColumnData>> sections(1);
    for (Shape shape : kShapes) {
      if (!is_case_taken(random)) continue;
      sections[0].push_back(with_nulls(shaped_column(type, 4500, shape, random).view(), GetParam().nulls, random));
    }
    if (sections[0].empty()) continue;
    std::vector<SectionInfo> infos = bench.write(sections, 1700);
    auto reader = bench.open(infos[0]);
    ASSERT_TRUE(reader.ok());
    for (size_t column = 0; column < sections[0].size(); ++column) {
      std::string where = name + " shape " + std::to_string(column) + " ";
      auto chunk = (*reader)->column(FragmentBench::id_of(column));
      ASSERT_TRUE(chunk.ok()) << where << chunk.status().message();
      expect_reads(**chunk, sections[0][column].view(), random, where);
      ASSERT_TRUE((*chunk)->verify([&](const Damage& damage) { FAIL() << where << damage.reason; }).ok());
      auto pages = (*chunk)->pages();
      ASSERT_TRUE(pages.ok());
      for (const PageInfo& page : *pages) used.insert(page.encoding);
      if (HasFatalFailure()) return;
    }
  }
  const bool every = GetParam().nulls == NullPattern::kNone && std::getenv("STELA_TEST_SCALE") == nullptr;
  used.insert(EncodingId::kSnappy);  // of the smallest pages only, see below
  for (EncodingId of_others : {EncodingId::kFsstLarge, EncodingId::kRoaring, EncodingId::kRoaringIndexed,
                               EncodingId::kPackedTight, EncodingId::kRans}) {
    used.insert(of_others);
  }
  EXPECT_TRUE(!every || used.size() == all_encodings().size()) << used.size();
}

// A cold page so small that what Zstandard says of itself counts.
TEST(EncodedSmallPages, TheSmallestColdPagesAreSnappy) {
  std::mt19937_64 random(31);
  FragmentBench bench;
  bench.options.mode = EncodingMode::kCold;
  std::vector<std::vector<ColumnData>> sections(1);
  sections[0].push_back(shaped_column(DataType::of(TypeKind::kBinary), 2, Shape::kEchoes, random));
  std::vector<SectionInfo> infos = bench.write(sections);
  auto chunk = (*bench.open(infos[0]))->column(FragmentBench::id_of(0));
  ASSERT_TRUE(chunk.ok());
  EXPECT_EQ((*(*chunk)->pages())[0].encoding, EncodingId::kSnappy);
  expect_reads(**chunk, sections[0][0].view(), random, "");
}

INSTANTIATE_TEST_SUITE_P(Nulls, EncodedPages,
                         ::testing::Values(Case{NullPattern::kNone, "None"}, Case{NullPattern::kAll, "All"},
                                           Case{NullPattern::kFirst, "First"}, Case{NullPattern::kLast, "Last"},
                                           Case{NullPattern::kAlternating, "Alternating"},
                                           Case{NullPattern::kRandom, "Random"}, Case{NullPattern::kRare, "Rare"},
                                           Case{NullPattern::kOnePage, "OnePage"}),
                         [](const ::testing::TestParamInfo<Case>& c) { return c.param.name; });

void expect_flips_found(EncodingMode mode) {
  std::mt19937_64 random(29);
  FragmentBench bench;
  bench.options.page_bytes = 4096;
  bench.options.mode = mode;
  std::vector<std::vector<ColumnData>> sections(1);
  for (const char* name : {"int64", "utf8", "timestamp[ms]", "decimal128(9,2)", "float64"}) {
    for (Shape shape : {Shape::kSmall, Shape::kAscending, Shape::kRuns, Shape::kFewDistinct}) {
      ColumnData values = shaped_column(*DataType::parse(name), 600, shape, random);
      sections[0].push_back(with_nulls(values.view(), NullPattern::kRare, random));
    }
  }
  std::vector<SectionInfo> infos = bench.write(sections);
  std::string& bytes = bench.files.bytes(bench.fragment, FileKind::kFragment);
  uint64_t refused = 0;
  uint64_t flips = 0;
  for (int flip = 0; flip < 400; ++flip) {
    if (!is_case_taken(random)) continue;
    ++flips;
    const size_t at = random() % bytes.size();
    const char bit = static_cast<char>(1 << random() % 8);
    bytes[at] = static_cast<char>(bytes[at] ^ bit);
    auto reader = bench.open(infos[0]);
    for (size_t column = 0; reader.ok() && column < sections[0].size(); ++column) {
      auto chunk = (*reader)->column(FragmentBench::id_of(column));
      ColumnData out(sections[0][column].type());
      Status status = chunk.ok() ? (*chunk)->read(0, 600, out) : chunk.status();
      if (status.ok()) expect_rows(out.view(), sections[0][column].view(), 0, "flip at " + std::to_string(at));
      if (!status.ok()) ++refused;
      EXPECT_TRUE(status.ok() || status.code() == Code::kDamaged) << status.message();
    }
    if (!reader.ok()) ++refused;
    bytes[at] = static_cast<char>(bytes[at] ^ bit);
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_GE(refused, flips / 2);
}

// A bit flipped anywhere in encoded pages gives the right values or an error, and never takes the program down.
TEST(EncodedPageDamage, EveryFlippedBitIsFoundOrHarmless) {
  for (EncodingMode mode : {EncodingMode::kLight, EncodingMode::kCold}) expect_flips_found(mode);
}

// Pages that a newer Stela wrote are refused by number.
TEST(EncodedPageDamage, NewerPagesAreUnsupported) {
  PageEntry entry;
  entry.rows = 8;
  entry.value_bytes = 64;
  entry.stored_bytes = 10;
  DataType type = DataType::of(TypeKind::kInt64);
  PageLimits limits{1000, 8};
  entry.encoding = static_cast<uint16_t>(EncodingId::kPacked);
  EXPECT_TRUE(decode_page_entry(encode_page_entry(entry), type, limits).ok());
  entry.encoding = 900;
  Status status = decode_page_entry(encode_page_entry(entry), type, limits).status();
  EXPECT_EQ(status.code(), Code::kUnsupported);
  EXPECT_NE(status.message().find("900"), std::string::npos);
  entry.encoding = static_cast<uint16_t>(EncodingId::kPacked);
  entry.version = kPageVersionChunks + 1;
  EXPECT_EQ(decode_page_entry(encode_page_entry(entry), type, limits).status().code(), Code::kUnsupported);
  entry.version = kPageVersion;
  entry.flags = kPageHasValidity | kPageValidityRuns;
  entry.nulls = 1;
  entry.front_bytes = 8;
  EXPECT_EQ(decode_page_entry(encode_page_entry(entry), type, limits).status().code(), Code::kDamaged);
}

}  // namespace
}  // namespace stela::format

#include "tests/engine/format_fixture.h"

namespace stela::format {
namespace {

using Chunk = std::shared_ptr<const ColumnChunk>;

Chunk open_column(FragmentBench& bench, const SectionInfo& section, size_t column) {
  auto reader = bench.open(section);
  EXPECT_TRUE(reader.ok()) << reader.status().message();
  if (!reader.ok()) return nullptr;
  auto chunk = (*reader)->column(FragmentBench::id_of(column));
  EXPECT_TRUE(chunk.ok()) << chunk.status().message();
  return chunk.ok() ? *chunk : nullptr;
}

void check_range(const ColumnChunk& chunk, const ColumnView& expected, uint64_t first, uint64_t count,
                 const std::string& where) {
  ColumnData out(*expected.type);
  Status read = chunk.read(first, count, out);
  ASSERT_TRUE(read.ok()) << where << read.message();
  ASSERT_EQ(out.rows(), count);
  expect_rows(out.view(), expected, first, where);
  ColumnView part = expected.slice(first, count);
  auto nulls = chunk.nulls_in(first, count);
  ASSERT_TRUE(nulls.ok()) << nulls.status().message();
  ASSERT_EQ(*nulls, part.null_count()) << where;
  auto bytes = chunk.value_bytes_in(first, count);
  ASSERT_TRUE(bytes.ok()) << bytes.status().message();
  ASSERT_EQ(*bytes, part.value_bytes()) << where;
}

void check_selected(const ColumnChunk& chunk, const ColumnView& expected, std::mt19937_64& random,
                    const std::string& where) {
  std::vector<uint64_t> rows;
  for (uint64_t row = 0; row < expected.rows; ++row) {
    if (random() % 7 == 0) rows.push_back(row);
  }
  ColumnData out(*expected.type);
  Status read = chunk.read_rows(rows, out);
  ASSERT_TRUE(read.ok()) << where << read.message();
  ASSERT_EQ(out.rows(), rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(out.view().is_valid(i), expected.is_valid(rows[i])) << where;
    ASSERT_EQ(as_text(out.view().value(i)), as_text(expected.value(rows[i]))) << where;
  }
}

// Whether decimals' partial sums leave 128 bits depends on how rows are cut.
void expect_kept(Statistics kept, const ColumnView& values, const std::string& where) {
  const Statistics wanted = compute_statistics(values);
  if (values.type->kind == TypeKind::kDecimal128 && (!kept.sum || !wanted.sum)) kept.sum = wanted.sum;
  ASSERT_EQ(as_kept(kept), as_kept(wanted)) << where;
}

void check_statistics(const ColumnChunk& chunk, const ColumnView& expected, uint64_t granule,
                      const std::string& where) {
  expect_kept(*chunk.statistics(), expected, where);
  auto fine = chunk.fine_statistics();
  ASSERT_TRUE(fine.ok()) << where << fine.status().message();
  ASSERT_EQ(fine->size(), (expected.rows + granule - 1) / granule) << where;
  for (uint64_t i = 0; i < fine->size(); ++i) {
    uint64_t count = std::min(granule, expected.rows - i * granule);
    const std::string granule_name = where + " granule " + std::to_string(i);
    expect_kept((*fine)[i], expected.slice(i * granule, count), granule_name);
  }
  auto pages = chunk.pages();
  ASSERT_TRUE(pages.ok()) << where << pages.status().message();
  uint64_t row = 0;
  for (const PageInfo& page : *pages) {
    ASSERT_EQ(page.first_row, row) << where;
    expect_kept(page.statistics, expected.slice(row, page.rows), where);
    row += page.rows;
  }
  ASSERT_EQ(row, expected.rows) << where;
}

void check_column(const ColumnChunk& chunk, const ColumnData& data, uint64_t granule, std::mt19937_64& random,
                  const std::string& where) {
  ColumnView expected = data.view();
  ASSERT_EQ(chunk.type(), data.type());
  ASSERT_EQ(chunk.rows(), data.rows());
  ASSERT_EQ(chunk.nulls(), data.null_count());
  ASSERT_EQ(chunk.value_bytes(), expected.value_bytes());
  check_range(chunk, expected, 0, expected.rows, where);
  for (int i = 0; i < 6 && expected.rows > 0; ++i) {
    uint64_t first = random() % expected.rows;
    check_range(chunk, expected, first, random() % (expected.rows - first + 1), where);
  }
  check_selected(chunk, expected, random, where);
  check_statistics(chunk, expected, granule, where);
  ASSERT_TRUE(chunk.verify([&](const Damage& damage) { FAIL() << where << damage.reason; }).ok());
}

struct Shape {
  uint64_t page_bytes;
  uint64_t flat_bytes_min;
  uint64_t statistics_rows;
  uint64_t piece_rows;
};

class FragmentShapes : public ::testing::TestWithParam<Shape> {};

TEST_P(FragmentShapes, EveryTypeAndNullPatternComesBack) {
  std::mt19937_64 random(11);
  for (const std::string& name : test_type_names()) {
    DataType type = *DataType::parse(name);
    FragmentBench bench;
    bench.options.page_bytes = GetParam().page_bytes;
    bench.options.flat_bytes_min = GetParam().flat_bytes_min;
    bench.options.statistics_rows = GetParam().statistics_rows;
    bench.cache = std::make_shared<catalog::BlockCache>(1 << 20);
    std::vector<std::vector<ColumnData>> sections;
    for (uint64_t rows : {0u, 1u, 63u, 64u, 300u}) {
      sections.emplace_back();
      for (Nulls nulls : kNullPatterns) sections.back().push_back(random_column(type, rows, nulls, random));
    }
    std::vector<SectionInfo> infos = bench.write(sections, GetParam().piece_rows);
    for (size_t s = 0; s < sections.size(); ++s) {
      for (size_t c = 0; c < sections[s].size(); ++c) {
        Chunk chunk = open_column(bench, infos[s], c);
        ASSERT_NE(chunk, nullptr);
        std::string where = name + " section " + std::to_string(s) + " column " + std::to_string(c) + " ";
        check_column(*chunk, sections[s][c], GetParam().statistics_rows, random, where);
        if (HasFatalFailure()) return;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, FragmentShapes,
                         ::testing::Values(Shape{1 << 18, 1 << 20, 8192, 0}, Shape{1 << 18, 1, 8192, 0},
                                           Shape{64, 1 << 20, 16, 7}, Shape{1, 1 << 20, 5, 0}, Shape{200, 100, 32, 50},
                                           Shape{1 << 18, 64, 1, 1}));

TEST(Fragment, LargeFlatColumnWithLateNullsComesBack) {
  std::mt19937_64 random(3);
  FragmentBench bench;
  bench.options.statistics_rows = 1000;
  for (uint64_t rows : {150000u, 131072u, 200001u}) {
    DataType type = DataType::of(TypeKind::kFloat64);
    ColumnData data = random_column(type, 100000, Nulls::kNone, random);
    data.append(random_column(type, rows - 100000, rows == 131072 ? Nulls::kNone : Nulls::kRandom, random).view());
    std::vector<std::vector<ColumnData>> sections(1);
    sections[0].push_back(data);
    std::vector<SectionInfo> infos = bench.write(sections, 40000);
    ASSERT_EQ(infos[0].flats.size(), 1u);
    Chunk chunk = open_column(bench, infos[0], 0);
    ASSERT_NE(chunk, nullptr);
    ASSERT_TRUE(chunk->flat().has_value());
    check_column(*chunk, data, 1000, random, "flat");
    std::string expected = npy_header(type, rows) + std::string(as_text(ByteSpan(data.view().values, rows * 8)));
    EXPECT_TRUE(bench.files.bytes(infos[0].flats[0], FileKind::kFlat) == expected);
    EXPECT_TRUE(*chunk->verify_flat(bench.env->clock(), 0));
  }
}

TEST(Fragment, VerifyFlatStopsAtItsDeadlineAndGoesOnLater) {
  std::mt19937_64 random(3);
  FragmentBench bench;
  std::vector<std::vector<ColumnData>> sections(1);
  sections[0].push_back(random_column(DataType::of(TypeKind::kInt64), 600000, Nulls::kNone, random));
  std::vector<SectionInfo> infos = bench.write(sections);
  Chunk chunk = open_column(bench, infos[0], 0);
  int rounds = 0;
  for (; !*chunk->verify_flat(bench.env->clock(), 0); ++rounds) ASSERT_LT(rounds, 10);
  EXPECT_GT(rounds, 1);
  bench.files.reads = 0;
  EXPECT_TRUE(*chunk->verify_flat(bench.env->clock(), 0));
  EXPECT_EQ(bench.files.reads, 0u);
  bench.files.set_fingerprint("b");  // the file changed: nothing counts any more
  EXPECT_FALSE(*chunk->verify_flat(bench.env->clock(), 0));
}

TEST(Fragment, OpeningOneOfTenThousandColumnsReadsFewBytes) {
  auto bytes_to_open = [](size_t columns) {
    FragmentBench bench;
    std::vector<std::vector<ColumnData>> sections(1);
    for (size_t i = 0; i < columns; ++i) {
      ColumnData column(DataType::of(TypeKind::kInt32));
      column.append_value(static_cast<int32_t>(i));
      sections[0].push_back(std::move(column));
    }
    std::vector<SectionInfo> infos = bench.write(sections);
    bench.files.bytes_read = 0;
    Chunk chunk = open_column(bench, infos[0], columns / 2);
    ColumnData out(DataType::of(TypeKind::kInt32));
    EXPECT_TRUE(chunk->read(0, 1, out).ok());
    EXPECT_EQ(*reinterpret_cast<const int32_t*>(out.view().values), static_cast<int32_t>(columns / 2));
    EXPECT_LT(bench.files.reads, 6u);
    uint64_t read = bench.files.bytes_read;
    auto ids = (*bench.open(infos[0]))->column_ids();
    EXPECT_TRUE(ids.ok());
    EXPECT_EQ(ids->size(), columns);
    EXPECT_TRUE(std::is_sorted(ids->begin(), ids->end()));
    EXPECT_EQ((*bench.open(infos[0]))->column(ColumnId(1)).status().code(), Code::kNotFound);
    EXPECT_EQ((*bench.open(infos[0]))->column(ColumnId(200000)).status().code(), Code::kNotFound);
    return read;
  };
  EXPECT_LT(bytes_to_open(100), 9000u);
  EXPECT_LT(bytes_to_open(10000), 9000u);
  EXPECT_LT(bytes_to_open(40000), 14000u);
}

TEST(Fragment, OneRowOfALongColumnReadsOnePage) {
  std::mt19937_64 random(5);
  FragmentBench bench;
  bench.options.page_bytes = 4096;
  std::vector<std::vector<ColumnData>> sections(1);
  sections[0].push_back(random_column(DataType::of(TypeKind::kUtf8), 300000, Nulls::kRandom, random));
  std::vector<SectionInfo> infos = bench.write(sections);
  bench.files.bytes_read = 0;
  Chunk chunk = open_column(bench, infos[0], 0);
  ColumnData out(DataType::of(TypeKind::kUtf8));
  ASSERT_TRUE(chunk->read(277777, 1, out).ok());
  expect_rows(out.view(), sections[0][0].view(), 277777, "");
  EXPECT_LT(bench.files.bytes_read, 40000u);
  check_range(*chunk, sections[0][0].view(), 123, 200000, "");
}

TEST(Fragment, PagesOfManySizesStayInOrderInTheFile) {
  std::mt19937_64 random(31);
  for (uint64_t page_bytes : {100000u, 140000u, 200000u, 262144u, 400000u, 1000000u}) {
    FragmentBench bench;
    bench.options.page_bytes = page_bytes;
    std::vector<std::vector<ColumnData>> sections(1);
    ColumnData text(DataType::of(TypeKind::kUtf8));
    for (int row = 0; row < 40000; ++row) text.append_text(std::string(random() % 60, static_cast<char>(random())));
    sections[0].push_back(text);
    sections[0].push_back(random_column(DataType::decimal(9, 2), 40000, Nulls::kRandom, random));
    std::vector<SectionInfo> infos = bench.write(sections);
    for (size_t c = 0; c < 2; ++c) {
      check_column(*open_column(bench, infos[0], c), sections[0][c], 8192, random, std::to_string(page_bytes));
    }
  }
}

TEST(Fragment, ManyColumnsCutSmallerPagesWithinTheMemory) {
  std::mt19937_64 random(5);
  FragmentBench bench;
  bench.options.memory_bytes = 1 << 20;
  bench.options.flat_bytes_min = 200000;
  std::vector<std::vector<ColumnData>> sections(1);
  for (int i = 0; i < 32; ++i) {
    sections[0].push_back(random_column(DataType::of(TypeKind::kInt64), 30000, Nulls::kRandom, random));
  }
  std::vector<SectionInfo> infos = bench.write(sections, 500);
  EXPECT_TRUE(infos[0].flats.empty());
  Chunk chunk = open_column(bench, infos[0], 7);
  auto pages = chunk->pages();
  ASSERT_TRUE(pages.ok());
  for (const PageInfo& page : *pages) EXPECT_LE(page.rows * 8, (1u << 20) / 64);
  check_column(*chunk, sections[0][7], 8192, random, "");
}

TEST(Fragment, WriterRefusesWhatIsNotARowOfItsColumns) {
  FragmentBench bench;
  FragmentWriter writer(
      bench.env->files(), [&] { return FileId(bench.next_id++); }, bench.options);
  DataType number = DataType::of(TypeKind::kInt32);
  EXPECT_EQ(writer.begin_section({}).code(), Code::kInvalid);
  EXPECT_EQ(writer.begin_section({{ColumnId(1), number}, {ColumnId(1), number}}).code(), Code::kInvalid);
  ASSERT_TRUE(writer.begin_section({{ColumnId(1), number}, {ColumnId(2), number}}).ok());
  ColumnData one(number), two(number), text(DataType::of(TypeKind::kUtf8));
  one.append_value(1);
  two.append_nulls(2);
  text.append_text("x");
  EXPECT_EQ(writer.append(std::vector{one.view()}).code(), Code::kInvalid);
  EXPECT_EQ(writer.append(std::vector{one.view(), two.view()}).code(), Code::kInvalid);
  EXPECT_EQ(writer.append(std::vector{one.view(), text.view()}).code(), Code::kInvalid);
  EXPECT_TRUE(writer.append(std::vector{one.view(), one.view()}).ok());
}

TEST(Fragment, ReadsBeyondTheEndAreInvalid) {
  FragmentBench bench;
  ColumnData one(DataType::of(TypeKind::kInt32));
  one.append_value(1);
  std::vector<std::vector<ColumnData>> sections(1);
  sections[0].push_back(one);
  std::vector<SectionInfo> infos = bench.write(sections);
  Chunk chunk = open_column(bench, infos[0], 0);
  ColumnData out(one.type());
  EXPECT_EQ(chunk->read(0, 2, out).code(), Code::kInvalid);
  EXPECT_EQ(chunk->read(2, 0, out).code(), Code::kInvalid);
  EXPECT_EQ(chunk->read(1, UINT64_MAX, out).code(), Code::kInvalid);
  uint64_t wanted[] = {0, 1};
  EXPECT_EQ(chunk->read_rows(wanted, out).code(), Code::kInvalid);
  uint64_t backwards[] = {1, 0};
  EXPECT_EQ(chunk->read_rows(backwards, out).code(), Code::kInvalid);
}

}  // namespace
}  // namespace stela::format

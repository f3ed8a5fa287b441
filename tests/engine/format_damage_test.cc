// Damaged files: wrong bytes are never taken for right ones.
#include "tests/engine/format_fixture.h"
#include "tests/engine/value_shapes.h"

namespace stela::format {
namespace {

struct Written {
  FragmentBench bench;
  std::vector<std::vector<ColumnData>> sections;
  std::vector<SectionInfo> infos;
};

void write_small(Written& w, uint64_t flat_bytes_min) {
  std::mt19937_64 random(21);
  w.bench.options.page_bytes = 96;
  w.bench.options.statistics_rows = 20;
  w.bench.options.flat_bytes_min = flat_bytes_min;
  w.bench.options.memory_bytes = 1 << 20;
  for (uint64_t rows : {50u, 3u}) {
    w.sections.emplace_back();
    for (const char* name : {"int32", "utf8", "float64", "bool", "decimal128(9,2)"}) {
      w.sections.back().push_back(random_column(*DataType::parse(name), rows, Nulls::kRandom, random));
    }
  }
  w.infos = w.bench.write(w.sections);
}

bool is_honest_error(const Status& status) {
  return status.code() == Code::kDamaged || status.code() == Code::kUnsupported;
}

Statistics without_figures(Statistics statistics) {
  statistics.ascending = statistics.descending = statistics.strict = false;
  statistics.sum.reset();
  statistics.sketch.reset();
  statistics.distinct_estimate.reset();
  return statistics;
}

// Right values, or an error that says so. Returns whether there was an error.
bool read_honestly(Written& w, const std::string& where) {
  bool failed = false;
  w.bench.verified = std::make_shared<VerifiedExtents>();
  for (size_t s = 0; s < w.sections.size(); ++s) {
    auto reader = w.bench.open(w.infos[s]);
    if (!reader.ok()) {
      EXPECT_TRUE(is_honest_error(reader.status())) << where << reader.status().message();
      failed = true;
      continue;
    }
    for (size_t c = 0; c < w.sections[s].size(); ++c) {
      const ColumnData& expected = w.sections[s][c];
      auto chunk = (*reader)->column(FragmentBench::id_of(c));
      ColumnData out(expected.type());
      Status status = chunk.ok() ? (*chunk)->read(0, expected.rows(), out) : chunk.status();
      if (!status.ok()) {
        EXPECT_TRUE(is_honest_error(status)) << where << status.message();
        EXPECT_NE(status.message().find("data/0/"), std::string::npos) << status.message();
        failed = true;
        continue;
      }
      expect_rows(out.view(), expected.view(), 0, where);
      auto fine = (*chunk)->fine_statistics();
      auto pages = (*chunk)->pages();
      if (fine.ok()) {
        const Statistics wanted = compute_statistics(expected.view().slice(0, (*fine)[0].rows));
        // What is known beyond bounds lies in blocks of its own, and may be lost with them.
        EXPECT_TRUE(as_kept((*fine)[0]) == as_kept(wanted) || (*fine)[0] == without_figures(wanted)) << where;
      }
      uint64_t damages = 0;
      EXPECT_TRUE((*chunk)->verify([&](const Damage&) { ++damages; }).ok());
      failed |= !fine.ok() || !pages.ok() || damages > 0;
    }
  }
  return failed;
}

class DamagedFile : public ::testing::TestWithParam<uint64_t> {};

TEST_P(DamagedFile, EverySingleFlippedByteIsFound) {
  Written w;
  write_small(w, GetParam());
  ASSERT_FALSE(read_honestly(w, "intact"));
  std::mt19937_64 random(1);
  for (const DataFile& file : w.bench.written) {
    std::string& bytes = w.bench.files.bytes(file.id, file.kind);
    for (size_t i = 0; i < bytes.size(); ++i) {
      if (!is_case_taken(random)) continue;
      char before = bytes[i];
      for (char mask : {'\x01', '\xff'}) {
        bytes[i] = static_cast<char>(before ^ mask);
        std::string where = data_file_name(file.id, file.kind) + " byte " + std::to_string(i) + " ";
        EXPECT_TRUE(read_honestly(w, where)) << where << "was not found";
        if (HasFailure()) return;
      }
      bytes[i] = before;
    }
  }
}

TEST_P(DamagedFile, EveryTruncationIsFound) {
  Written w;
  write_small(w, GetParam());
  for (const DataFile& file : w.bench.written) {
    std::string whole = w.bench.files.bytes(file.id, file.kind);
    for (size_t size = 0; size < whole.size(); size += 3) {
      w.bench.files.set(file.id, file.kind, whole.substr(0, size));
      EXPECT_TRUE(read_honestly(w, "cut")) << size;
      if (HasFailure()) return;
    }
    w.bench.files.set(file.id, file.kind, whole);
  }
}

// Of a column in one page: wherever its values can be read, its pages and bounds are known.
TEST(DamagedFigures, CostNothingElse) {
  FragmentBench bench;
  bench.options.flat_bytes_min = 1 << 20;
  std::vector<std::vector<ColumnData>> columns(1);
  std::mt19937_64 random(3);
  columns[0].push_back(random_column(DataType::of(TypeKind::kInt64), 40, Nulls::kRandom, random));
  const std::vector<SectionInfo> infos = bench.write(columns);
  const Statistics wanted = compute_statistics(columns[0][0].view());
  std::string& bytes = bench.files.bytes(bench.fragment, FileKind::kFragment);
  uint64_t lost = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(bytes[i] ^ 1);
    auto reader = bench.open(infos[0]);
    auto chunk = reader.ok() ? (*reader)->column(FragmentBench::id_of(0)) : reader.status();
    ColumnData out(DataType::of(TypeKind::kInt64));
    if (chunk.ok() && (*chunk)->read(0, 40, out).ok()) {
      auto statistics = (*chunk)->statistics();
      ASSERT_TRUE(statistics.ok()) << i << ": " << statistics.status().message();
      EXPECT_TRUE((*chunk)->pages().ok()) << i;
      EXPECT_TRUE((*chunk)->fine_statistics().ok()) << i;
      if (!(*statistics == wanted)) {
        EXPECT_EQ(*statistics, without_figures(wanted)) << i;
        ++lost;
        uint64_t damages = 0;
        EXPECT_TRUE((*chunk)->verify([&](const Damage&) { ++damages; }).ok());
        EXPECT_GT(damages, 0u) << i;
      }
    }
    bytes[i] = static_cast<char>(bytes[i] ^ 1);
  }
  EXPECT_GT(lost, 20u);
}

INSTANTIATE_TEST_SUITE_P(PagedAndFlat, DamagedFile, ::testing::Values(uint64_t{1} << 20, uint64_t{1}));

TEST(DamagedFile, BytesOfAnotherFileOrStoreAreFound) {
  Written w;
  write_small(w, 1);
  FileId other(w.bench.fragment.value + 50);
  w.bench.files.set(other, FileKind::kFragment, w.bench.files.bytes(w.bench.fragment, FileKind::kFragment));
  auto moved = FragmentReader::open(w.bench.context(), other, w.infos[0].offset, w.infos[0].length);
  EXPECT_EQ(moved.status().code(), Code::kDamaged);
  FragmentContext foreign = w.bench.context();
  foreign.store_id = 78;
  auto alien = FragmentReader::open(foreign, w.bench.fragment, w.infos[0].offset, w.infos[0].length);
  EXPECT_EQ(alien.status().code(), Code::kDamaged);
  // Two flat files of one type and size, swapped.
  std::string first = w.bench.files.bytes(w.infos[0].flats[0], FileKind::kFlat);
  std::vector<std::vector<ColumnData>> twins(1);
  std::mt19937_64 random(2);
  for (int i = 0; i < 2; ++i) {
    twins[0].push_back(random_column(DataType::of(TypeKind::kInt32), 40, Nulls::kNone, random));
  }
  std::vector<SectionInfo> infos = w.bench.write(twins);
  ASSERT_EQ(infos[0].flats.size(), 2u);
  std::swap(w.bench.files.bytes(infos[0].flats[0], FileKind::kFlat),
            w.bench.files.bytes(infos[0].flats[1], FileKind::kFlat));
  auto chunk = (*w.bench.open(infos[0]))->column(FragmentBench::id_of(0));
  ASSERT_TRUE(chunk.ok());
  ColumnData out(DataType::of(TypeKind::kInt32));
  EXPECT_EQ((*chunk)->read(0, 40, out).code(), Code::kDamaged);
}

TEST(DamagedFile, TheSentenceNamesFileColumnPageAndRows) {
  std::mt19937_64 random(2);
  FragmentBench bench;
  bench.options.page_bytes = 400;
  std::vector<std::vector<ColumnData>> sections(1);
  sections[0].push_back(random_column(DataType::of(TypeKind::kInt32), 1000, Nulls::kNone, random));
  std::vector<SectionInfo> infos = bench.write(sections);
  auto chunk = (*bench.open(infos[0]))->column(FragmentBench::id_of(0));
  ASSERT_TRUE(chunk.ok());
  PageInfo page = (*chunk)->pages()->at(3);
  bench.files.bytes(bench.fragment, FileKind::kFragment)[page.offset + 17] ^= 4;
  ColumnData out(DataType::of(TypeKind::kInt32));
  EXPECT_TRUE((*chunk)->read(0, 300, out).ok());
  Status status = (*chunk)->read(0, 301, out);
  EXPECT_EQ(status.code(), Code::kDamaged);
  EXPECT_NE(status.message().find("data/0/100.frag: column 100000, page 3, rows 300 to 399"), std::string::npos)
      << status.message();
  std::vector<Damage> damages;
  EXPECT_TRUE((*chunk)->verify([&](const Damage& damage) { damages.push_back(damage); }).ok());
  ASSERT_EQ(damages.size(), 1u);
  EXPECT_EQ(damages[0].page, 3u);
  EXPECT_EQ(damages[0].first_row, 300u);
  EXPECT_EQ(damages[0].rows, 100u);
  EXPECT_TRUE((*chunk)->read(400, 600, out).ok());
}

TEST(DamagedFile, AVerifiedExtentThatTheScrubFindsDamagedIsTrustedNoMore) {
  std::mt19937_64 random(2);
  FragmentBench bench;
  std::vector<std::vector<ColumnData>> sections(1);
  sections[0].push_back(random_column(DataType::of(TypeKind::kInt64), 200000, Nulls::kNone, random));
  std::vector<SectionInfo> infos = bench.write(sections);
  auto chunk = (*bench.open(infos[0]))->column(FragmentBench::id_of(0));
  ColumnData out(DataType::of(TypeKind::kInt64));
  ASSERT_TRUE((*chunk)->read(0, 200000, out).ok());
  bench.files.bytes(infos[0].flats[0], FileKind::kFlat)[128 + 5 * 65536 + 9] ^= 1;
  std::vector<Damage> damages;
  EXPECT_TRUE((*chunk)->verify([&](const Damage& damage) { damages.push_back(damage); }).ok());
  ASSERT_EQ(damages.size(), 1u);
  EXPECT_EQ(damages[0].page, 5u);
  EXPECT_EQ(damages[0].first_row, 5u * 8192);
  EXPECT_EQ(damages[0].rows, 8192u);
  EXPECT_EQ(damages[0].file, infos[0].flats[0]);
  EXPECT_EQ((*chunk)->read(5 * 8192, 1, out).code(), Code::kDamaged);
  EXPECT_TRUE((*chunk)->read(6 * 8192, 1, out).ok());
  EXPECT_EQ((*chunk)->verify_flat(bench.env->clock(), INT64_MAX).status().code(), Code::kDamaged);
}

}  // namespace
}  // namespace stela::format

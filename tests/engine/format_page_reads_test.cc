// What one value costs: reads and bytes, counted, of columns of every encoding in large pages.
#include <functional>
#include <set>

#include "engine/format/page_chunks.h"
#include "engine/io/counting_env.h"
#include "tests/engine/format_fixture.h"
#include "tests/engine/value_shapes.h"

namespace stela::format {
namespace {

class CountedFiles final : public FileSource {
 public:
  CountedFiles() : env(memory_env()) {}
  Result<std::shared_ptr<FileReader>> open(FileId id, FileKind kind) override {
    return env.files().open(data_file_name(id, kind));
  }
  CountingEnv env;
};

// A column in a fragment of its own.
class CountedColumn {
 public:
  CountedColumn(ColumnData values, EncodingMode mode) : values_(std::move(values)) {
    FragmentOptions options;
    options.mode = mode;
    options.flat_bytes_min = uint64_t{1} << 40;
    if (mode == EncodingMode::kCold) options.page_bytes = 1 << 20;
    FragmentWriter writer(
        files_.env.files(), [] { return FileId(1); }, options);
    EXPECT_TRUE(writer.begin_section({{ColumnId(1), values_.type()}}).ok());
    const ColumnView view = values_.view();
    Status appended = writer.append({&view, 1});
    EXPECT_TRUE(appended.ok()) << appended.message();
    section_ = *writer.end_section();
    EXPECT_TRUE(writer.finish().ok());
  }
  // A reader that has nothing in its cache but the metadata; its pages.
  std::vector<PageInfo> open() {
    FragmentContext context{0, &files_, std::make_shared<catalog::BlockCache>(64 << 20), nullptr};
    reader_ = *FragmentReader::open(context, FileId(1), section_.offset, section_.length);
    chunk_ = *reader_->column(ColumnId(1));
    return *chunk_->pages();
  }
  // Reads a row and gives what that cost.
  IoCount cost_of(uint64_t row) const {
    const IoCount before = files_.env.counters().total();
    ColumnData out(values_.type());
    Status status = chunk_->read(row, 1, out);
    EXPECT_TRUE(status.ok()) << status.message();
    expect_rows(out.view(), values_.view(), row, "");
    return files_.env.counters().total() - before;
  }
  uint64_t value_bytes(uint64_t row) const { return values_.view().value(row).size(); }

 private:
  ColumnData values_;
  CountedFiles files_;
  SectionInfo section_;
  std::shared_ptr<const FragmentReader> reader_;
  std::shared_ptr<const ColumnChunk> chunk_;
};

ColumnData made(const char* type, uint64_t rows, const std::function<std::string(uint64_t)>& value) {
  ColumnData column(*DataType::parse(type));
  for (uint64_t row = 0; row < rows; ++row) column.append_text(value(row));
  return column;
}

std::string words_of(uint64_t bytes, std::mt19937_64& random) {
  static const char* const kWords[] = {"carefully", "final", "deposits", "sleep", "quick", "furiously", "a"};
  std::string text;
  while (text.size() < bytes) text += std::string(kWords[random() % 7]) + (random() % 4 == 0 ? ", " : " ");
  return text;
}

std::string noise_of(uint64_t bytes, std::mt19937_64& random) {
  std::string text(bytes, '\0');
  for (char& byte : text) byte = static_cast<char>(random());
  return text;
}

// What all rows of a page need is read once; then a value costs one read of less than a chunk may have, or of itself
// where it is larger.
void expect_reads_of_chunks(ColumnData values, const std::string& name, std::mt19937_64& random,
                            std::set<EncodingId>& divided) {
  for (EncodingMode mode : {EncodingMode::kLight, EncodingMode::kCold}) {
    CountedColumn column(values, mode);
    const std::vector<PageInfo> pages = column.open();
    for (int i = 0; i < 6; ++i) {
      const PageInfo& page = pages[random() % pages.size()];
      column.open();
      const uint64_t first = page.first_row + random() % page.rows, second = page.first_row + random() % page.rows;
      const std::string where = name + " as " + find_encoding(page.encoding)->name();
      const IoCount cold = column.cost_of(first);
      EXPECT_LE(cold.reads, 2u) << where;
      const IoCount known = column.cost_of(second);
      EXPECT_LE(known.reads, 1u) << where;
      EXPECT_LT(known.read_bytes, std::max<uint64_t>(kChunkBytesMax, column.value_bytes(second) + 8)) << where;
      EXPECT_EQ(column.cost_of(second).reads, 0u) << where;
      if (cold.reads == 2) divided.insert(page.encoding);
      if (page.bytes < kChunkBytesMax) {
        EXPECT_EQ(cold.reads, 1u) << where;
      }
    }
  }
}

TEST(PageReads, AValueOfAnyEncodingCostsTheHeadAndOneChunk) {
  std::mt19937_64 random(41);
  std::set<EncodingId> divided;
  for (const char* type : {"int64", "float64", "int16", "decimal128(20,4)", "utf8"}) {
    for (Shape shape : kShapes) {
      if (!is_case_taken(random)) continue;
      expect_reads_of_chunks(shaped_column(*DataType::parse(type), 100'000, shape, random),
                             std::string(type) + " of shape " + std::to_string(static_cast<int>(shape)), random,
                             divided);
    }
  }
  expect_reads_of_chunks(made("bool", 600'000, [&](uint64_t) { return std::string(1, random() % 20 == 0 ? 1 : 0); }),
                         "bool", random, divided);
  expect_reads_of_chunks(made("float64", 100'000,
                              [&](uint64_t) {
                                const double value = std::normal_distribution<double>(0, 1)(random);
                                return std::string(reinterpret_cast<const char*>(&value), sizeof(value));
                              }),
                         "noise", random, divided);
  if (std::getenv("STELA_TEST_SCALE") != nullptr) return;
  for (EncodingId id : {EncodingId::kPlain, EncodingId::kPackedTight, EncodingId::kDelta, EncodingId::kDictionary,
                        EncodingId::kNarrow, EncodingId::kAlp, EncodingId::kFsst, EncodingId::kByteSplit,
                        EncodingId::kZstd, EncodingId::kAlpRd}) {
    EXPECT_TRUE(divided.contains(id)) << find_encoding(id)->name();
  }
}

// Large values: one read each, of little but their own bytes.
TEST(PageReads, ALargeValueCostsOneReadOfItself) {
  std::mt19937_64 random(43);
  for (uint64_t bytes : {300, 1 << 10, 10 << 10, 100 << 10}) {
    const uint64_t rows = (3 << 20) / bytes;
    for (bool noise : {false, true}) {
      CountedColumn column(
          made("binary", rows, [&](uint64_t) { return noise ? noise_of(bytes, random) : words_of(bytes, random); }),
          EncodingMode::kLight);
      for (const PageInfo& page : column.open()) {
        column.cost_of(page.first_row);
        const IoCount known = column.cost_of(page.first_row + page.rows - 1);
        EXPECT_LE(known.reads, 1u);
        EXPECT_LE(known.read_bytes, std::max(bytes, kLargeChunkBytesMax)) << bytes << " " << noise;
      }
      std::set<EncodingId> used;
      for (const PageInfo& page : column.open()) used.insert(page.encoding);
      EXPECT_EQ(used.contains(EncodingId::kPlain), noise) << bytes;
    }
  }
  CountedColumn tensors(made("float32[384]", 2000, [&](uint64_t) { return noise_of(1536, random); }),
                        EncodingMode::kLight);
  const PageInfo page = tensors.open()[0];
  tensors.cost_of(page.first_row);
  EXPECT_EQ(tensors.cost_of(page.first_row + page.rows - 1), (IoCount{.reads = 1, .read_bytes = 2 * 1536}));
}

// A bit that flips in a chunk is found by the values in it, and by those only.
TEST(PageReads, AWrongChunkIsDamagedAndItsNeighboursAreNot) {
  std::mt19937_64 random(47);
  FragmentBench bench;
  std::vector<std::vector<ColumnData>> sections(1);
  sections[0].push_back(shaped_column(DataType::of(TypeKind::kInt64), 32768, Shape::kRandom, random));
  std::vector<SectionInfo> infos = bench.write(sections);
  auto chunk = *(*bench.open(infos[0]))->column(FragmentBench::id_of(0));
  const PageInfo page = (*chunk->pages())[0];
  std::string& bytes = bench.files.bytes(bench.fragment, FileKind::kFragment);
  bytes[page.offset + page.bytes - 1] ^= 4;  // of the last value
  ColumnData out(DataType::of(TypeKind::kInt64));
  EXPECT_TRUE(chunk->read(0, 20000, out).ok());
  expect_rows(out.view(), sections[0][0].view(), 0, "");
  for (uint64_t first : {uint64_t{0}, uint64_t{32767}}) {
    const Status status = chunk->read(first, 32768 - first, out);
    EXPECT_EQ(status.code(), Code::kDamaged) << first;
  }
  uint64_t damages = 0;
  EXPECT_TRUE(chunk->verify([&](const Damage&) { ++damages; }).ok());
  EXPECT_EQ(damages, 1u);
}

TEST(PageChunks, HostileTablesAreDamagedOrPlaceEveryByte) {
  std::mt19937_64 random(53);
  ColumnData values = shaped_column(DataType::of(TypeKind::kInt64), 20000, Shape::kOutlier, random);
  Buffer encoded;
  const Encoding& packed = *find_encoding(EncodingId::kPacked);
  ASSERT_TRUE(packed.encode(values.view(), EncodingMode::kLight, encoded).ok());
  RowStrips strips;
  packed.append_strips(encoded.span(), values.type(), values.rows(), strips);
  ASSERT_EQ(strips.size(), 3u);
  auto no_seal = [](uint64_t, ByteSpan) { return uint32_t{0}; };
  auto page = divide_page(encoded.span(), strips, values.rows(), values.view().value_bytes(), 0, no_seal);
  ASSERT_TRUE(page.has_value());
  for (int i = 0; i < 3000; ++i) {
    Buffer front = page->front;
    if (i > 0) front.data()[random() % std::min<size_t>(front.size(), 120)] ^= static_cast<std::byte>(1 << random() % 8);
    if (i % 3 == 2) front.resize(random() % front.size());
    Buffer exact(front.span());
    ByteSpan shared = exact.span();
    auto table = ChunkTable::take(shared, values.rows(), page->chunks.size());
    if (!table.ok()) {
      EXPECT_EQ(table.status().code(), Code::kDamaged);
      EXPECT_GT(i, 0);
      continue;
    }
    Buffer joined(table->encoded_bytes());
    table->place_shared(shared, joined.data());
    for (uint32_t number = 0; number < table->chunks(); ++number) {
      const PageChunk& chunk = table->chunk(number);
      ASSERT_EQ(table->chunk_of(chunk.first_row), number);
      table->place_chunk(number, page->chunks.subspan(chunk.offset, chunk.bytes), joined.data());
    }
    if (i == 0) {
      EXPECT_EQ(as_text(joined.span()), as_text(encoded.span()));
    }
  }
}

}  // namespace
}  // namespace stela::format

// The bytes of a section do not depend on how many threads encode its pages.
#include <gtest/gtest.h>

#include <deque>

#include "engine/format/chunk_writer.h"
#include "engine/format/section_sink.h"
#include "tests/engine/catalog_fixture.h"
#include "tests/engine/format_fixture.h"
#include "tests/engine/value_shapes.h"

namespace stela::format {
namespace {

class FlatTextFiles final : public FlatFiles {
 public:
  Result<std::optional<Created>> create_flat() override {
    files.emplace_back();
    return std::optional<Created>({FileId(files.size()), &files.back()});
  }
  std::deque<catalog::StringWriter> files;
};

std::vector<ColumnData> columns_of_every_kind() {
  std::mt19937_64 random(81);
  std::vector<ColumnData> columns;
  for (const char* type : {"int64", "float64", "utf8", "bool", "float32[5]"}) {
    for (Shape shape : {Shape::kRandom, Shape::kRuns, Shape::kWords}) {
      columns.push_back(shaped_column(*DataType::parse(type), 20'000, shape, random));
    }
  }
  columns.push_back(random_column(*DataType::parse("int32"), 20'000, Nulls::kRandom, random));
  return columns;
}

// All files, the section's first.
std::vector<std::string> written(const std::vector<ColumnData>& columns, EncodingMode mode, unsigned threads) {
  catalog::StringWriter file;
  FlatTextFiles flats;
  SectionSink sink(file, {7, 8, 0});
  sink.begin_section();
  std::vector<std::unique_ptr<ChunkWriter>> chunks;
  OrderedWork work(threads, 2 * threads + 2);
  ChunkLimits limits{.store_id = 7,
                     .page_bytes = 20 << 10,
                     .flat_bytes_min = 100'000,
                     .buffer_bytes = 1 << 20,
                     .statistics_rows = 1000,
                     .node_bytes = 512,
                     .mode = mode,
                     .work = &work};
  for (size_t i = 0; i < columns.size(); ++i) {
    chunks.push_back(std::make_unique<ChunkWriter>(ColumnSpec{ColumnId(i + 1), columns[i].type()}, limits, flats));
  }
  for (uint64_t row = 0; row < columns[0].rows(); row += 3000) {
    const uint64_t count = std::min<uint64_t>(3000, columns[0].rows() - row);
    for (size_t i = 0; i < columns.size(); ++i) {
      EXPECT_TRUE(chunks[i]->append(columns[i].view().slice(row, count), sink).ok());
    }
    EXPECT_TRUE(work.finish().ok());
  }
  for (const auto& chunk : chunks) EXPECT_TRUE(chunk->end_rows(sink).ok());
  EXPECT_TRUE(work.finish().ok());
  std::string metadata;
  for (const auto& chunk : chunks) metadata += encode_column_metadata(chunk->finish(sink).value());
  EXPECT_TRUE(sink.flush().ok());
  std::vector<std::string> files{file.text, metadata};
  for (const catalog::StringWriter& flat : flats.files) files.push_back(flat.text);
  return files;
}

TEST(FormatThreads, TheBytesAreTheSameForAnyNumber) {
  const std::vector<ColumnData> columns = columns_of_every_kind();
  for (EncodingMode mode : {EncodingMode::kLight, EncodingMode::kCold}) {
    const std::vector<std::string> alone = written(columns, mode, 1);
    EXPECT_GT(alone.size(), mode == EncodingMode::kLight ? 4u : 2u);
    for (unsigned threads : {2u, 5u}) EXPECT_TRUE(written(columns, mode, threads) == alone) << threads << " threads";
  }
}

}  // namespace
}  // namespace stela::format

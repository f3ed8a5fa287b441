// Pages of Roaring against the booleans they hold: whole, in part, and each 4,096 rows of them alone.
#include <gtest/gtest.h>

#include <random>

#include "engine/format/encoding.h"
#include "engine/format/page_chunks.h"
#include "tests/engine/format_fixture.h"
#include "tests/engine/value_shapes.h"

namespace stela::format {
namespace {

constexpr uint64_t kContainerRows = 65'536;

// As many trues of a hundred in each container; its last rows are fewer.
ColumnData flags_of(const std::vector<unsigned>& shares, uint64_t less, std::mt19937_64& random) {
  ColumnData flags(DataType::of(TypeKind::kBool));
  const uint64_t rows = shares.size() * kContainerRows - less;
  for (uint64_t row = 0; row < rows; ++row) {
    flags.append_value(static_cast<uint8_t>(random() % 100 < shares[row / kContainerRows]));
  }
  return flags;
}

void expect_decoded(EncodingId id, ByteSpan page, const ColumnData& flags, uint64_t first, uint64_t count) {
  ColumnData out(flags.type());
  const Status status = find_encoding(id)->decode_range(page, flags.type(), flags.rows(), first, count, out);
  ASSERT_TRUE(status.ok()) << status.message();
  expect_rows(out.view(), flags.view(), first, std::to_string(first) + " ");
}

class RoaringPages : public ::testing::TestWithParam<std::vector<unsigned>> {
 protected:
  void SetUp() override {
    flags = flags_of(GetParam(), 1000, random);
    ASSERT_TRUE(encoding.encode(flags.view(), EncodingMode::kLight, page).ok());
  }
  std::mt19937_64 random{8};
  const Encoding& encoding = *find_encoding(EncodingId::kRoaringIndexed);
  ColumnData flags{DataType::of(TypeKind::kBool)};
  Buffer page;
};

TEST_P(RoaringPages, AnyRowsComeBack) {
  const uint64_t rows = flags.rows();
  expect_decoded(encoding.id(), page.span(), flags, 0, rows);
  expect_decoded(encoding.id(), page.span(), flags, rows - 1, 1);
  expect_decoded(encoding.id(), page.span(), flags, 0, 0);
  for (int i = 0; i < 50; ++i) {
    const uint64_t first = random() % rows;
    expect_decoded(encoding.id(), page.span(), flags, first, 1 + random() % std::min<uint64_t>(rows - first, 9000));
  }
  std::vector<uint32_t> wanted;
  ColumnData expected(flags.type()), out(flags.type());
  for (uint64_t row = random() % 2000; row < rows; row += random() % 2000) {
    wanted.push_back(static_cast<uint32_t>(row));
    expected.append(flags.view().slice(row, 1));
  }
  ASSERT_TRUE(encoding.decode_rows(page.span(), flags.type(), rows, wanted, out).ok());
  expect_rows(out.view(), expected.view(), 0, "picked ");
}

// What lies in other chunks is not there when a chunk is read.
TEST_P(RoaringPages, ChunksOf4096RowsAreDecodedAlone) {
  RowStrips strips;
  encoding.append_strips(page.span(), flags.type(), flags.rows(), strips);
  ASSERT_EQ(strips.size(), 1u);
  const RowStrip& strip = strips[0];
  EXPECT_EQ(strip.begin + strip.bytes(), page.data() + page.size());
  RowCut before;
  for (const RowCut& cut : strip.cuts) {
    ASSERT_LE(cut.rows - before.rows, kChunkRowsMax);
    Buffer chunk;
    chunk.append(page.span());
    std::byte* bytes = chunk.data() + (strip.begin - page.data());
    std::memset(bytes, 0xEE, before.end);
    std::memset(bytes + cut.end, 0xEE, strip.bytes() - cut.end);
    expect_decoded(encoding.id(), chunk.span(), flags, before.rows, cut.rows - before.rows);
    expect_decoded(encoding.id(), chunk.span(), flags, cut.rows - 1, 1);
    before = cut;
  }
  EXPECT_EQ(before.rows, flags.rows());
}

TEST_P(RoaringPages, ThoseOfEarlierReleasesHaveNoIndex) {
  const uint64_t rows = flags.rows(), index_bytes = (rows + kChunkRowsMax - 1) / kChunkRowsMax * sizeof(uint16_t);
  Buffer earlier;
  earlier.append(page.span().first(1));
  earlier.append(page.span().subspan(1 + index_bytes));
  expect_decoded(EncodingId::kRoaring, earlier.span(), flags, 0, rows);
  expect_decoded(EncodingId::kRoaring, earlier.span(), flags, rows / 3, rows / 2);
  Buffer none;
  EXPECT_EQ(find_encoding(EncodingId::kRoaring)->encode(flags.view(), EncodingMode::kLight, none).code(),
            Code::kUnsupported);
}

// Arrays, bits, containers without a set bit at each end, and rows of which most are true.
INSTANTIATE_TEST_SUITE_P(Shares, RoaringPages,
                         ::testing::Values(std::vector<unsigned>{5}, std::vector<unsigned>{1, 10, 0, 3},
                                           std::vector<unsigned>{0, 2, 0}, std::vector<unsigned>{99, 100, 80, 97}));

}  // namespace
}  // namespace stela::format

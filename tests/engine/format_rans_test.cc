// rANS codes: what goes in comes out by each way of decoding, in about its entropy; and pages of them.
#include <cmath>

#include "engine/format/encoding_choice.h"
#include "engine/format/page_chunks.h"
#include "engine/format/rans.h"
#include "tests/engine/format_fixture.h"
#include "tests/engine/value_shapes.h"

namespace stela::format {
namespace {

using Counts = std::array<uint64_t, 256>;

Counts counts_of(const std::vector<uint8_t>& symbols) {
  Counts counts{};
  for (uint8_t symbol : symbols) ++counts[symbol];
  return counts;
}

// Each with a mean of its own, so that all kinds of distributions come: one symbol, few, rare ones, all alike.
std::vector<uint8_t> some_symbols(uint64_t count, uint32_t symbol_bits, std::mt19937_64& random) {
  const uint32_t kinds = 1 + static_cast<uint32_t>(random() % (1 << symbol_bits));
  const uint32_t rarity = 1 + static_cast<uint32_t>(random() % 50);
  std::vector<uint8_t> symbols(count);
  for (uint8_t& symbol : symbols) {
    symbol = static_cast<uint8_t>(random() % rarity == 0 ? random() % kinds : (kinds - 1) / 2);
  }
  return symbols;
}

TEST(Rans, FrequenciesAddUpAndLeaveNoSymbolOut) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 300; ++i) {
    Counts counts{};
    const uint64_t kinds = 1 + random() % 256;
    for (uint64_t kind = 0; kind < kinds; ++kind) counts[random() % 256] = random() % (uint64_t{1} << random() % 23);
    counts[random() % 256] += 1;
    const RansFrequencies frequencies = rans_frequencies(counts);
    uint64_t sum = 0;
    for (size_t symbol = 0; symbol < counts.size(); ++symbol) {
      EXPECT_EQ(counts[symbol] > 0, frequencies[symbol] > 0);
      sum += frequencies[symbol];
    }
    EXPECT_EQ(sum, kRansScale);
  }
}

TEST(Rans, SymbolsComeBackByEveryWayOfDecoding) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 400; ++i) {
    const uint32_t symbol_bits = random() % 2 == 0 ? 4 : 8;
    const uint64_t half = i < 40 ? static_cast<uint64_t>(i) : random() % 5000;
    if (half == 0) continue;
    const std::vector<uint8_t> symbols = some_symbols(2 * half, symbol_bits, random);
    const std::span<const uint8_t> all(symbols);
    const RansFrequencies frequencies = rans_frequencies(counts_of(symbols));
    Buffer first, second;
    rans_encode(frequencies, symbol_bits, all.first(half), first);
    rans_encode(frequencies, symbol_bits, all.subspan(half), second);
    auto decoder = RansDecoder::open(frequencies, symbol_bits);
    ASSERT_TRUE(decoder.ok());
    std::vector<uint8_t> out(2 * half, 0xee);
    ASSERT_TRUE(decoder->decode_two(first.span(), second.span(), out).ok()) << half;
    EXPECT_EQ(out, symbols) << half;
    for (bool simple : {false, true}) {
      std::vector<uint8_t> one(half, 0xee);
      auto decode = simple ? &RansDecoder::decode_simple : &RansDecoder::decode;
      ASSERT_TRUE(((*decoder).*decode)(first.span(), one).ok()) << half;
      EXPECT_TRUE(std::equal(one.begin(), one.end(), symbols.begin())) << half;
    }
  }
}

// What is lost to whole blocks and to frequencies of 12 bits is little.
TEST(Rans, BlocksTakeTheEntropyOfTheirSymbols) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 50; ++i) {
    const std::vector<uint8_t> symbols = some_symbols(4096, 8, random);
    const Counts counts = counts_of(symbols);
    Buffer block;
    rans_encode(rans_frequencies(counts), 8, symbols, block);
    EXPECT_LE(static_cast<double>(block.size()), rans_bits(counts) / 8 * 1.01 + 24);
  }
}

TEST(Rans, HostileBlocksAreDamagedOrDecodeTheSameByEveryWay) {
  std::mt19937_64 random(4);
  uint64_t refused = 0;
  for (int i = 0; i < 4000; ++i) {
    const uint64_t half = 1 + random() % 300;
    const std::vector<uint8_t> symbols = some_symbols(half, 8, random);
    const RansFrequencies frequencies = rans_frequencies(counts_of(symbols));
    Buffer block;
    rans_encode(frequencies, 8, symbols, block);
    for (uint64_t change = random() % 3; change > 0; --change) {
      block.data()[random() % block.size()] = static_cast<std::byte>(random());
    }
    if (i % 3 == 1) block.resize(random() % block.size());
    if (i % 3 == 2) block.append_zeros(random() % 9);
    auto decoder = RansDecoder::open(frequencies, 8);
    ASSERT_TRUE(decoder.ok());
    std::vector<uint8_t> fast(half), simple(half), two(2 * half);
    const Status done = decoder->decode(block.span(), fast);
    const Status simply = decoder->decode_simple(block.span(), simple);
    const Status both = decoder->decode_two(block.span(), block.span(), two);
    EXPECT_TRUE(done.code() == simply.code() && done.code() == both.code());
    if (!done.ok()) {
      EXPECT_EQ(done.code(), Code::kDamaged);
      ++refused;
      continue;
    }
    EXPECT_EQ(fast, simple);
    EXPECT_TRUE(std::equal(fast.begin(), fast.end(), two.begin()));
    EXPECT_TRUE(std::equal(fast.begin(), fast.end(), two.begin() + static_cast<std::ptrdiff_t>(half)));
  }
  EXPECT_GT(refused, 1500u);
  RansFrequencies wrong{};
  EXPECT_FALSE(RansDecoder::open(wrong, 8).ok());
  wrong[7] = 4095;
  EXPECT_FALSE(RansDecoder::open(wrong, 8).ok());
  wrong[255] = 2;
  EXPECT_FALSE(RansDecoder::open(wrong, 8).ok());
  wrong[255] = 1;
  EXPECT_TRUE(RansDecoder::open(wrong, 8).ok());
}

void expect_page(const ColumnData& values, double bits_max) {
  const DataType& type = values.type();
  const Encoding& rans = *find_encoding(EncodingId::kRans);
  const uint64_t rows = values.rows();
  Buffer page;
  ASSERT_TRUE(rans.encode(values.view(), EncodingMode::kCold, page).ok());
  EXPECT_LE(static_cast<double>(8 * page.size()) / static_cast<double>(rows), bits_max);
  for (const auto& [first, count] : {std::pair<uint64_t, uint64_t>{0, rows},
                                     {1, rows - 1},
                                     {4095, 4098},
                                     {4096, 8192},
                                     {8192, 8191},
                                     {rows - 3, 3},
                                     {12288, rows - 12288},
                                     {5, 2}}) {
    ColumnData out(type);
    ASSERT_TRUE(rans.decode_range(page.span(), type, rows, first, count, out).ok());
    expect_rows(out.view(), values.view(), first, std::to_string(first) + " ");
  }
}

TEST(Rans, PagesOfBytesAndBooleansComeBackFromAnyRow) {
  std::mt19937_64 random(5);
  ColumnData bytes(DataType::of(TypeKind::kUInt8)), flags(DataType::of(TypeKind::kBool));
  for (uint64_t row = 0; row < 20'002; ++row) {
    bytes.append_value(static_cast<uint8_t>(std::min<uint64_t>(40, random() % 20)));
    flags.append_value(static_cast<uint8_t>(random() % 20 == 0));
  }
  expect_page(bytes, std::log2(20.0) * 1.01);
  expect_page(flags, 0.2864 * 1.12);
  auto cold = encode_cheapest(flags.view(), kPageRank, EncodingMode::kCold, 1.0);
  ASSERT_TRUE(cold.ok());
  EXPECT_STREQ(cold->encoding->name(), "rans");
}

// What one value is decoded with: a cut is where a decoder can begin.
TEST(Encodings, AreCutAtLeastEvery4096Rows) {
  std::mt19937_64 random(6);
  std::set<EncodingId> cut;
  for (const Encoding* encoding : all_encodings()) {
    for (const char* name : {"bool", "uint8", "int16", "int64", "float32", "float64", "decimal128(20,4)", "utf8"}) {
      const DataType type = *DataType::parse(name);
      for (Shape shape : kShapes) {
        if (!encoding->supports(type) || !is_case_taken(random)) continue;
        const ColumnData values = shaped_column(type, 20'000, shape, random);
        Buffer page;
        if (!encoding->encode(values.view(), EncodingMode::kCold, page).ok()) continue;
        RowStrips strips;
        encoding->append_strips(page.span(), type, values.rows(), strips);
        for (const RowStrip& strip : strips) {
          uint64_t before = 0;
          for (const RowCut& at : strip.cuts) {
            EXPECT_LE(at.rows - before, kChunkRowsMax) << encoding->name() << " of " << name;
            before = at.rows;
          }
          EXPECT_EQ(before, values.rows());
          cut.insert(encoding->id());
        }
      }
    }
  }
  EXPECT_TRUE(cut.size() >= 10 || std::getenv("STELA_TEST_SCALE") != nullptr) << cut.size();
}

}  // namespace
}  // namespace stela::format

// Every registered encoding, whatever they are, against the values themselves.
#include <cstdlib>

#include "engine/format/encoding.h"
#include "engine/format/encoding_choice.h"
#include "engine/format/lane_packing.h"
#include "engine/format/page_validity.h"
#include "engine/format/symbol_table.h"
#include "tests/engine/format_fixture.h"
#include "tests/engine/value_shapes.h"

namespace stela::format {
namespace {

struct Page {
  ColumnData values;
  Buffer bytes;
};

// Every type, shape of values and number of rows that an encoding can hold.
template <typename Visit>
void for_each_page(Visit visit) {
  std::mt19937_64 random(17);
  for (const Encoding* encoding : all_encodings()) {
    if (encoding->id() == EncodingId::kRoaring) continue;  // not written any more, see RoaringPages
    uint64_t pages = 0;
    for (const std::string& name : test_type_names()) {
      DataType type = *DataType::parse(name);
      if (!encoding->supports(type)) continue;
      for (Shape shape : kShapes) {
        for (uint64_t rows : {1u, 2u, 63u, 200u, 1024u, 2500u}) {
          if (rows > 200 && shape == Shape::kRandom && type.is_tensor()) continue;
          if (!is_case_taken(random)) continue;
          Page page{shaped_column(type, rows, shape, random), {}};
          const EncodingMode mode = rows % 2 == 1 || rows > 2000 ? EncodingMode::kCold : EncodingMode::kLight;
          Status status = encoding->encode(page.values.view(), mode, page.bytes);
          if (status.code() == Code::kUnsupported) continue;
          ASSERT_TRUE(status.ok()) << status.message();
          ++pages;
          visit(*encoding, page, random);
          if (::testing::Test::HasFailure()) {
            FAIL() << encoding->name() << " " << name << " " << rows << " rows, shape " << static_cast<int>(shape);
          }
        }
      }
    }
    EXPECT_TRUE(pages > 0 || std::getenv("STELA_TEST_SCALE") != nullptr) << encoding->name();
  }
}

void expect_values(const ColumnData& out, const ColumnView& expected, const std::vector<uint32_t>& rows) {
  ASSERT_EQ(out.rows(), rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(as_text(out.view().value(i)), as_text(expected.value(rows[i]))) << "row " << rows[i];
  }
}

TEST(Encodings, RangesAndSelectedRowsComeBack) {
  for_each_page([](const Encoding& encoding, const Page& page, std::mt19937_64& random) {
    ColumnView values = page.values.view();
    const DataType& type = *values.type;
    for (int i = 0; i < 5; ++i) {
      uint64_t first = random() % (values.rows + 1), count = random() % (values.rows - first + 1);
      if (i == 0) first = 0, count = values.rows;
      if (i == 1) first = values.rows - 1, count = 1;
      std::vector<uint32_t> range, some;
      for (uint64_t row = 0; row < values.rows; ++row) {
        if (row >= first && row < first + count) range.push_back(static_cast<uint32_t>(row));
        if (random() % (i == 2 ? 300 : 3) == 0) some.push_back(static_cast<uint32_t>(row));
      }
      ColumnData decoded(type), selected(type);
      Status status = encoding.decode_range(page.bytes.span(), type, values.rows, first, count, decoded);
      ASSERT_TRUE(status.ok()) << status.message();
      expect_values(decoded, values, range);
      status = encoding.decode_rows(page.bytes.span(), type, values.rows, some, selected);
      ASSERT_TRUE(status.ok()) << status.message();
      expect_values(selected, values, some);
      uint64_t lengths = encoding.lengths_bytes(page.bytes.span(), type, values.rows);
      auto bytes = encoding.value_bytes(page.bytes.span(0, lengths), type, values.rows, first, count);
      ASSERT_TRUE(bytes.ok()) << bytes.status().message();
      EXPECT_EQ(*bytes, values.slice(first, count).value_bytes());
    }
  });
}

TEST(Encodings, IdentityAndEstimateTellTheTruth) {
  for_each_page([](const Encoding& encoding, const Page& page, std::mt19937_64&) {
    ColumnView values = page.values.view();
    EXPECT_EQ(find_encoding(encoding.id()), &encoding);
    if (encoding.is_identity(*values.type)) {
      EXPECT_EQ(as_text(page.bytes.span()), as_text(ByteSpan(values.values, values.value_bytes())));
    }
    auto estimate = encoding.estimate(ValueSample(values), EncodingMode::kLight);
    if (encoding.id() == EncodingId::kPlain || encoding.id() == EncodingId::kConstant) {
      ASSERT_TRUE(estimate.has_value());
      EXPECT_EQ(*estimate, page.bytes.size());
    }
  });
}

TEST(Encodings, CutAndChangedBytesAreDamagedOrDecode) {
  for_each_page([](const Encoding& encoding, const Page& page, std::mt19937_64& random) {
    const DataType& type = page.values.type();
    uint64_t rows = page.values.rows();
    // Kinds of encodings inside of a page may be of a newer Stela.
    auto refused = [](const Status& status) {
      return status.code() == Code::kDamaged || status.code() == Code::kUnsupported;
    };
    for (int i = 0; i < 8; ++i) {
      Buffer bytes = page.bytes;
      if (bytes.empty()) return;
      if (i % 2 == 0) bytes.resize(random() % bytes.size());
      if (i % 2 == 1) bytes.data()[random() % bytes.size()] ^= std::byte{0x81};
      if (i == 7) bytes.data()[random() % std::min<size_t>(bytes.size(), 24)] = std::byte{0xff};
      Buffer exact(bytes.span());  // so that AddressSanitizer sees its end
      ColumnData out(type), some(type);
      Status range = encoding.decode_range(exact.span(), type, rows, 0, rows, out);
      EXPECT_TRUE(range.ok() ? out.rows() == rows : refused(range)) << range.message();
      uint32_t wanted[] = {0, static_cast<uint32_t>(rows - 1)};
      Status selected = encoding.decode_rows(exact.span(), type, rows, wanted, some);
      EXPECT_TRUE(selected.ok() || refused(selected)) << selected.message();
      auto lengths = encoding.value_bytes(exact.span(), type, rows, 0, rows);
      EXPECT_TRUE(lengths.ok() || refused(lengths.status()));
    }
    ColumnData out(type);
    EXPECT_EQ(encoding.decode_range(page.bytes.span(), type, rows, rows, 1, out).code(), Code::kDamaged);
    uint32_t beyond[] = {static_cast<uint32_t>(rows)};
    EXPECT_EQ(encoding.decode_rows(page.bytes.span(), type, rows, beyond, out).code(), Code::kDamaged);
  });
}

TEST(Encodings, UnknownNumbersHaveNoEncoding) { EXPECT_EQ(find_encoding(EncodingId{999}), nullptr); }

TEST(SymbolTable, ValuesComeBackAndHostileCodesAreRefused) {
  std::vector<std::string> texts{"", "a", std::string(100, 'z'), std::string("\xff\0\xff", 3),
                                 "http://a.example/index"};
  for (int i = 0; i < 200; ++i) texts.push_back("http://a.example/page/" + std::to_string(i * 7919) + ".html");
  std::vector<std::string_view> pieces(texts.begin(), texts.end());
  SymbolTable table = SymbolTable::train(pieces);
  EXPECT_EQ(table.symbols(), SymbolTable::train(pieces).symbols());
  EXPECT_LE(table.symbols().size(), kSymbolsMax);
  Buffer stored;
  stored.append_value(static_cast<uint8_t>(table.symbols().size()));
  for (const Symbol& symbol : table.symbols()) stored.append_value(static_cast<uint8_t>(symbol.length));
  for (const Symbol& symbol : table.symbols())
    stored.append(std::as_bytes(std::span(&symbol.bytes, 1)).first(symbol.length));
  ByteSpan rest = stored.span();
  SymbolReader reader;
  ASSERT_TRUE(reader.open(rest));
  EXPECT_TRUE(rest.empty());
  uint64_t plain = 0, packed = 0;
  for (const std::string& text : texts) {
    Buffer codes, back(text.size());
    table.compress(text, codes);
    plain += text.size();
    packed += codes.size();
    ByteSpan left = codes.span();
    ASSERT_TRUE(reader.decompress(left, back.data(), text.size()));
    EXPECT_TRUE(left.empty());
    EXPECT_EQ(as_text(back.span()), text);
    left = codes.span();
    ASSERT_TRUE(reader.skip(left, text.size()));
    EXPECT_TRUE(left.empty());
    if (text.empty()) continue;
    left = codes.span(0, codes.size() - 1);
    EXPECT_FALSE(reader.decompress(left, back.data(), text.size()));
    left = codes.span(0, codes.size() - 1);
    EXPECT_FALSE(reader.skip(left, text.size()));
  }
  EXPECT_LT(packed * 3, plain);
  for (size_t cut = 0; cut < stored.size(); cut += 3) {
    SymbolReader other;
    rest = stored.span(0, cut);
    EXPECT_FALSE(other.open(rest));
  }
}

// What is chosen for values whose best encoding is known, and how small it is.
TEST(EncodingChoice, FindsTheShapeOfTheValues) {
  std::mt19937_64 random(5);
  struct Case {
    const char* type;
    Shape shape;
    EncodingId expected;
    double share_max;
  };
  for (const Case& c :
       {Case{"int64", Shape::kConstant, EncodingId::kConstant, 0.001},
        Case{"utf8", Shape::kConstant, EncodingId::kConstant, 0.001},
        Case{"int64", Shape::kSmall, EncodingId::kPackedTight, 0.25},
        Case{"int32", Shape::kOutlier, EncodingId::kPackedTight, 0.5},
        Case{"timestamp[ms]", Shape::kAscending, EncodingId::kDelta, 0.2},
        Case{"int64", Shape::kRuns, EncodingId::kRuns, 0.1},
        Case{"utf8", Shape::kFewDistinct, EncodingId::kDictionary, 0.3},
        Case{"float64", Shape::kFewDistinct, EncodingId::kDictionary, 0.3},
        Case{"decimal128(12,2)", Shape::kSmall, EncodingId::kNarrow, 0.2},
        Case{"float64", Shape::kDecimal, EncodingId::kAlp, 0.45},
        Case{"float32", Shape::kDecimal, EncodingId::kAlp, 0.8}, Case{"utf8", Shape::kWords, EncodingId::kFsst, 0.5},
        Case{"uint64", Shape::kRandom, EncodingId::kPlain, 1.0},
        Case{"float32[5]", Shape::kRandom, EncodingId::kPlain, 1.0}}) {
    ColumnData column = shaped_column(*DataType::parse(c.type), 20000, c.shape, random);
    auto encoded = encode_cheapest(column.view(), kPageRank, EncodingMode::kLight, 1.0);
    ASSERT_TRUE(encoded.ok());
    EXPECT_STREQ(encoded->encoding->name(), find_encoding(c.expected)->name()) << c.type;
    uint64_t plain = encoding_candidates(column.view(), 1, EncodingMode::kLight).back().bytes;
    EXPECT_LE(static_cast<double>(encoded->bytes.size()), static_cast<double>(plain) * c.share_max) << c.type;
    auto again = encode_cheapest(column.view(), kPageRank, EncodingMode::kLight, 1.0);
    EXPECT_EQ(as_text(encoded->bytes.span()), as_text(again->bytes.span()));
  }
}

// Rare booleans, or rare others, as positions of two bytes, and two more for each 4,096 rows.
TEST(EncodingChoice, SparseBooleansAreRoaring) {
  std::mt19937_64 random(10);
  constexpr uint64_t kRows = 200000;
  const DataType type = DataType::of(TypeKind::kBool);
  for (unsigned rarity : {20, 1000}) {
    for (bool rare : {true, false}) {
      ColumnData flags(type);
      for (uint64_t row = 0; row < kRows; ++row) flags.append_value(static_cast<uint8_t>((random() % rarity == 0) == rare));
      auto encoded = encode_cheapest(flags.view(), kPageRank, EncodingMode::kLight, 1.0);
      ASSERT_TRUE(encoded.ok());
      EXPECT_EQ(encoded->encoding->id(), EncodingId::kRoaringIndexed) << rarity;
      EXPECT_LE(encoded->bytes.size(), kRows / rarity * 2 * 12 / 10 + kRows / 4096 * 2 + 100) << rarity;
      ColumnData back(type);
      ASSERT_TRUE(encoded->encoding->decode_range(encoded->bytes.span(), type, kRows, 70000, 100000, back).ok());
      expect_rows(back.view(), flags.view(), 70000, "");
    }
  }
}

// Cold pages are never larger than light ones, and smaller where entropy allows.
TEST(EncodingChoice, ColdIsSmaller) {
  std::mt19937_64 random(6);
  struct Case {
    const char* type;
    Shape shape;
    EncodingId expected;
    double of_light;
  };
  for (const Case& c : {Case{"int64", Shape::kConstant, EncodingId::kConstant, 1.0},
                        Case{"int64", Shape::kSmall, EncodingId::kPackedTight, 1.0},
                        Case{"int64", Shape::kAscending, EncodingId::kByteSplit, 1.0},
                        Case{"utf8", Shape::kWords, EncodingId::kZstd, 0.9},
                        Case{"float64", Shape::kDecimal, EncodingId::kAlp, 1.0},
                        Case{"uint64", Shape::kRandom, EncodingId::kPlain, 1.0}}) {
    ColumnData column = shaped_column(*DataType::parse(c.type), 50000, c.shape, random);
    auto light = encode_cheapest(column.view(), kPageRank, EncodingMode::kLight, 1.0);
    auto cold = encode_cheapest(column.view(), kPageRank, EncodingMode::kCold, 1.0);
    ASSERT_TRUE(light.ok() && cold.ok());
    EXPECT_STREQ(cold->encoding->name(), find_encoding(c.expected)->name()) << c.type;
    EXPECT_LE(static_cast<double>(cold->bytes.size()), static_cast<double>(light->bytes.size()) * c.of_light) << c.type;
  }
}

// Seconds that are whole hours cost what hours do; a clock that ticks with jitter what the jitter does.
TEST(EncodingChoice, ByteSplitFindsUnitsAndLines) {
  std::mt19937_64 random(9);
  const DataType type = DataType::timestamp(TimeUnit::kMilli);
  constexpr int64_t kRows = 20000;
  ColumnData hours(type), ticks(type);
  for (int64_t row = 0; row < kRows; ++row) {
    hours.append_value(int64_t{1'700'000'000'000} + static_cast<int64_t>(random() % 256) * 3'600'000);
    ticks.append_value(int64_t{1'700'000'000'000} + row * 1000 + static_cast<int64_t>(random() % 100));
  }
  for (const ColumnData* column : {&hours, &ticks}) {
    Buffer bytes;
    ASSERT_TRUE(find_encoding(EncodingId::kByteSplit)->encode(column->view(), EncodingMode::kCold, bytes).ok());
    EXPECT_LE(bytes.size(), kRows + kRows / 40u) << (column == &hours);
    ColumnData back(type);
    Status status = find_encoding(EncodingId::kByteSplit)->decode_range(bytes.span(), type, kRows, 0, kRows, back);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(as_text({back.view().values, back.view().value_bytes()}),
              as_text({column->view().values, column->view().value_bytes()}));
  }
}

// Numbers that are noise behind their first bits.
TEST(EncodingChoice, AlpRdSavesTheFirstBitsOfNoise) {
  std::mt19937_64 random(8);
  std::normal_distribution<float> noise(0, 0.05F);
  ColumnData column(DataType::of(TypeKind::kFloat32));
  for (int row = 0; row < 20000; ++row) column.append_value(noise(random));
  Buffer bytes;
  ASSERT_TRUE(find_encoding(EncodingId::kAlpRd)->encode(column.view(), EncodingMode::kCold, bytes).ok());
  EXPECT_LE(static_cast<double>(bytes.size()), static_cast<double>(column.view().value_bytes()) * 0.9);
}

// Rows among which few are worth a bit each.
TEST(PageValidity, RunsComeBackAndHostileOnesAreDamaged) {
  std::mt19937_64 random(3);
  for (uint64_t rows : {1u, 64u, 1000u, 5000u}) {
    for (uint64_t rarity : {1u, 2u, 40u, 100000u}) {
      ColumnData column(DataType::of(TypeKind::kInt8));
      for (uint64_t row = 0; row < rows; ++row) {
        if (random() % rarity == 0) {
          column.append_nulls(1);
        } else {
          column.append_value(int8_t{1});
        }
      }
      if (!column.has_nulls()) column.append_nulls(1);
      ColumnView view = column.view();
      std::string runs = encode_validity_runs(view);
      if (rows == 5000 && rarity <= 40) {
        EXPECT_EQ(runs.empty(), rarity == 2) << rarity;
      }
      if (runs.empty()) continue;
      auto bits = decode_validity_runs(runs, view.rows);
      ASSERT_TRUE(bits.ok()) << bits.status().message();
      for (uint64_t row = 0; row < view.rows; ++row) {
        ASSERT_EQ(bit_get(bits->as<uint8_t>(), row), view.is_valid(row)) << row;
      }
      EXPECT_EQ(decode_validity_runs(runs + '\1', view.rows).status().code(), Code::kDamaged);
      EXPECT_EQ(decode_validity_runs(runs.substr(0, runs.size() - 1), view.rows).status().code(), Code::kDamaged);
      EXPECT_EQ(decode_validity_runs(runs, view.rows + 1).status().code(), Code::kDamaged);
    }
  }
  EXPECT_EQ(decode_validity_runs(std::string_view("\1\0\0\0\0", 5), 9).status().code(), Code::kDamaged);
}

template <typename T>
void expect_lanes() {
  std::mt19937_64 random(7);
  std::vector<T> values(kVectorRows), masked(kVectorRows), back(kVectorRows);
  for (uint32_t bits = 0; bits <= 8 * sizeof(T); ++bits) {
    const T reference = static_cast<T>(random());
    const T mask = bits == 8 * sizeof(T) ? static_cast<T>(~T{0}) : static_cast<T>((uint64_t{1} << bits) - 1);
    for (uint32_t i = 0; i < kVectorRows; ++i) {
      values[i] = static_cast<T>(random());
      masked[i] = static_cast<T>(static_cast<T>(static_cast<T>(values[i] - reference) & mask) + reference);
    }
    std::string expected;
    for (const LaneKernel<T>& kernel : lane_kernels<T>()) {
      Buffer packed(packed_vector_bytes(bits) + 1);  // one byte off any alignment
      kernel.pack(values.data(), reference, bits, packed.data() + 1);
      std::string text(as_text(packed.span(1, packed_vector_bytes(bits))));
      if (expected.empty()) expected = text;
      ASSERT_EQ(text, expected) << kernel.name << " " << bits;
      kernel.unpack(packed.data() + 1, reference, bits, back.data());
      ASSERT_EQ(back, masked) << kernel.name << " " << bits;
      for (uint32_t i = 0; i < kVectorRows; i += 37) {
        ASSERT_EQ(unpack_lane(packed.data() + 1, reference, bits, i), masked[i]) << bits << " " << i;
      }
    }
    Buffer tail(packed_tail_bytes(301, bits));
    pack_tail(values.data(), 301, reference, bits, tail.span());
    for (uint32_t i = 0; i < 301; ++i) {
      ASSERT_EQ(unpack_tail(ByteSpan(tail.span()), reference, bits, i), masked[i]) << bits << " " << i;
    }
  }
}

TEST(LanePacking, EveryKernelPacksAndUnpacksEveryWidth) {
  expect_lanes<uint8_t>();
  expect_lanes<uint16_t>();
  expect_lanes<uint32_t>();
  expect_lanes<uint64_t>();
}

// The published order: lane l of row r holds value reversed(r / 8) * 16 + r % 8 * 128 + l.
TEST(LanePacking, OrderIsThatOfFastLanes) {
  std::vector<uint64_t> values(kVectorRows);
  for (uint64_t i = 0; i < kVectorRows; ++i) values[i] = i;
  Buffer packed(packed_vector_bytes(64));
  pack_lanes<uint64_t>(values.data(), 0, 64, packed.data());
  const uint64_t reversed[] = {0, 4, 2, 6, 1, 5, 3, 7};
  for (uint64_t row = 0; row < 64; ++row) {
    for (uint64_t lane = 0; lane < 16; ++lane) {
      EXPECT_EQ(packed.as<uint64_t>()[row * 16 + lane], reversed[row / 8] * 16 + row % 8 * 128 + lane);
    }
  }
}

TEST(VerifiedExtents, CountsExtentsAndForgetsAChangedFile) {
  VerifiedExtents extents;
  FileId file(4);
  EXPECT_TRUE(extents.all_verified(file, "a", 0));
  EXPECT_FALSE(extents.all_verified(file, "a", 2));
  extents.set_verified(file, "a", 1);
  extents.set_verified(file, "a", 1);
  EXPECT_TRUE(extents.is_verified(file, "a", 1));
  EXPECT_FALSE(extents.is_verified(file, "a", 0));
  EXPECT_FALSE(extents.is_verified(file, "a", 99));
  EXPECT_FALSE(extents.is_verified(FileId(5), "a", 1));
  EXPECT_FALSE(extents.all_verified(file, "a", 2));
  extents.set_verified(file, "a", 0);
  EXPECT_TRUE(extents.all_verified(file, "a", 2));
  EXPECT_FALSE(extents.is_verified(file, "b", 1));
  EXPECT_FALSE(extents.all_verified(file, "a", 2));
  extents.set_verified(file, "b", 0);
  extents.clear(file);
  EXPECT_FALSE(extents.is_verified(file, "b", 0));
}

}  // namespace
}  // namespace stela::format

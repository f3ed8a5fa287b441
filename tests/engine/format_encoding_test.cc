// Every registered encoding, whatever they are, against the values themselves.
#include "engine/format/encoding.h"
#include "tests/engine/format_fixture.h"

namespace stela::format {
namespace {

struct Page {
  ColumnData values;
  Buffer bytes;
};

template <typename Visit>
void for_each_page(Visit visit) {
  std::mt19937_64 random(17);
  for (const Encoding* encoding : all_encodings()) {
    for (const std::string& name : test_type_names()) {
      DataType type = *DataType::parse(name);
      if (!encoding->supports(type)) continue;
      for (uint64_t rows : {1u, 2u, 63u, 200u}) {
        Page page{random_column(type, rows, kNullPatterns[random() % 6], random), {}};
        ASSERT_TRUE(encoding->encode(page.values.view(), page.bytes).ok());
        visit(*encoding, page, random);
        if (::testing::Test::HasFailure()) FAIL() << encoding->name() << " " << name << " " << rows;
      }
    }
  }
}

void expect_values(const ColumnData& out, const ColumnView& expected, const std::vector<uint32_t>& rows) {
  ASSERT_EQ(out.rows(), rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(as_text(out.view().value(i)), as_text(expected.value(rows[i])));
  }
}

TEST(Encodings, RangesAndSelectedRowsComeBack) {
  for_each_page([](const Encoding& encoding, const Page& page, std::mt19937_64& random) {
    ColumnView values = page.values.view();
    const DataType& type = *values.type;
    for (int i = 0; i < 5; ++i) {
      uint64_t first = random() % (values.rows + 1), count = random() % (values.rows - first + 1);
      std::vector<uint32_t> range, some;
      for (uint64_t row = 0; row < values.rows; ++row) {
        if (row >= first && row < first + count) range.push_back(static_cast<uint32_t>(row));
        if (random() % 3 == 0) some.push_back(static_cast<uint32_t>(row));
      }
      ColumnData decoded(type), selected(type);
      ASSERT_TRUE(encoding.decode_range(page.bytes.span(), type, values.rows, first, count, decoded).ok());
      expect_values(decoded, values, range);
      ASSERT_TRUE(encoding.decode_rows(page.bytes.span(), type, values.rows, some, selected).ok());
      expect_values(selected, values, some);
      uint64_t lengths = encoding.lengths_bytes(page.bytes.span(), type, values.rows);
      auto bytes = encoding.value_bytes(page.bytes.span(0, lengths), type, values.rows, first, count);
      ASSERT_TRUE(bytes.ok());
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
    auto estimate = encoding.estimate(values);
    if (encoding.id() == EncodingId::kPlain) {
      ASSERT_TRUE(estimate.has_value());
      EXPECT_NEAR(static_cast<double>(*estimate) * static_cast<double>(values.rows) / 256,
                  static_cast<double>(page.bytes.size()), 1.0);
    }
    EXPECT_TRUE(choose_encoding(values).supports(*values.type));
  });
}

TEST(Encodings, CutAndChangedBytesAreDamagedOrDecode) {
  for_each_page([](const Encoding& encoding, const Page& page, std::mt19937_64& random) {
    const DataType& type = page.values.type();
    uint64_t rows = page.values.rows();
    for (int i = 0; i < 8; ++i) {
      Buffer bytes = page.bytes;
      if (bytes.empty()) return;
      if (i % 2 == 0) bytes.resize(random() % bytes.size());
      if (i % 2 == 1) bytes.data()[random() % bytes.size()] ^= std::byte{0x81};
      ColumnData out(type), some(type);
      Status range = encoding.decode_range(bytes.span(), type, rows, 0, rows, out);
      EXPECT_TRUE(range.ok() ? out.rows() == rows : range.code() == Code::kDamaged);
      uint32_t wanted[] = {0, static_cast<uint32_t>(rows - 1)};
      Status selected = encoding.decode_rows(bytes.span(), type, rows, wanted, some);
      EXPECT_TRUE(selected.ok() || selected.code() == Code::kDamaged);
    }
    ColumnData out(type);
    EXPECT_EQ(encoding.decode_range(page.bytes.span(), type, rows, rows, 1, out).code(), Code::kDamaged);
    uint32_t beyond[] = {static_cast<uint32_t>(rows)};
    EXPECT_EQ(encoding.decode_rows(page.bytes.span(), type, rows, beyond, out).code(), Code::kDamaged);
  });
}

TEST(Encodings, UnknownNumbersHaveNoEncoding) { EXPECT_EQ(find_encoding(EncodingId{999}), nullptr); }

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

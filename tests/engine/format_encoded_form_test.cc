// What pages hand to operators, against the values: each form says the same as they do, without decoding the page.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "engine/format/encoded_form.h"
#include "engine/format/lane_packing.h"
#include "tests/engine/format_fixture.h"
#include "tests/engine/value_shapes.h"

namespace stela::format {
namespace {

using Values = std::vector<std::string>;

Values values_of(const ColumnView& view) {
  Values values;
  for (uint64_t row = 0; row < view.rows; ++row) values.emplace_back(as_text(view.value(row)));
  return values;
}

template <typename T>
std::span<const T> words_of(const ColumnData& column) {
  return {reinterpret_cast<const T*>(column.view().values), static_cast<size_t>(column.rows())};
}

template <typename T>
std::string bytes_of(const T& word) {
  return {reinterpret_cast<const char*>(&word), sizeof(T)};
}

// The values as an operator finds them that knows only the form.
struct ByForm {
  const DataType& type;
  uint64_t rows;

  Values operator()(const std::monostate&) const { return {}; }
  Values operator()(const ConstantForm& form) const { return Values(rows, std::string(as_text(form.value))); }
  Values operator()(const CodesForm& form) const {
    const ColumnData codes = form.codes.all().value();
    const Values distinct = values_of(form.values.all().value().view());
    Values values;
    for (uint16_t code : words_of<uint16_t>(codes)) values.push_back(distinct.at(code));
    return values;
  }
  Values operator()(const RunsForm& form) const {
    const ColumnData lengths = form.lengths.all().value();
    const Values distinct = values_of(form.values.all().value().view());
    Values values;
    for (uint64_t vector = 0; vector * kVectorRows < rows; ++vector) {
      EXPECT_EQ(values.size(), vector * kVectorRows) << "runs end with their vector";
      for (uint64_t run = form.first_run(vector); run < form.first_run(vector + 1); ++run) {
        values.insert(values.end(), words_of<uint16_t>(lengths)[run], distinct.at(run));
      }
    }
    return values;
  }
  Values operator()(const PackedForm& form) const {
    return visit_word(type.value_width(), [&]<typename T>(T) {
      auto reader = form.reader<T>().value();
      Values values;
      for (uint64_t i = 0; i < reader.vectors(); ++i) {
        const PackedVector<T> vector = reader.encoded(i);
        for (uint32_t row = 0; row < vector.rows; ++row) {
          values.push_back(bytes_of(vector.rows < kVectorRows
                                        ? unpack_tail<T>(vector.packed, vector.reference, vector.bits, row)
                                        : unpack_lane<T>(vector.packed.data(), vector.reference, vector.bits, row)));
        }
        for (uint32_t patch = 0; patch < vector.patches; ++patch) {
          values.at(i * kVectorRows + get_fixed<uint16_t>(vector.positions + patch * sizeof(uint16_t))) =
              std::string(as_text({vector.values + patch * sizeof(T), sizeof(T)}));
        }
      }
      return values;
    });
  }
  Values operator()(const SymbolsForm& form) const {
    const ColumnData lengths = form.lengths.all().value();
    Values values;
    ByteSpan codes;
    for (uint64_t row = 0; row < rows; ++row) {
      if (row % (uint64_t{1} << form.shift) == 0) codes = form.codes_of(row >> form.shift).value();
      std::string value(words_of<uint32_t>(lengths)[row], '\0');
      EXPECT_TRUE(form.symbols.decompress(codes, reinterpret_cast<std::byte*>(value.data()), value.size()));
      values.push_back(std::move(value));
    }
    return values;
  }
  // No operator knows how the parts make values: a value each for every row is all they promise.
  Values operator()(const PartsForm& form) const {
    EXPECT_FALSE(form.parts.empty());
    for (const InnerColumn& part : form.parts) EXPECT_EQ(part.all().value().rows(), rows);
    return {};
  }
};

TEST(EncodedForms, SayWhatTheValuesAre) {
  std::mt19937_64 random(7);
  std::map<size_t, uint64_t> pages;  // of each kind of form
  for (const Encoding* encoding : all_encodings()) {
    for (const char* name : {"int64", "uint16", "float64", "utf8", "decimal128(20,2)", "timestamp[ms]"}) {
      const DataType type = *DataType::parse(name);
      if (!encoding->supports(type)) continue;
      for (Shape shape : kShapes) {
        for (uint64_t rows : {1u, 300u, 2048u, 3000u}) {
          const ColumnData values = shaped_column(type, rows, shape, random);
          Buffer bytes;
          if (!encoding->encode(values.view(), EncodingMode::kLight, bytes).ok()) continue;
          auto form = encoding->form(bytes.span(), type, rows);
          ASSERT_TRUE(form.ok()) << form.status().message();
          ++pages[form->as.index()];
          if (form->as.index() == 0) continue;
          const Values found = std::visit(ByForm{type, rows}, form->as);
          if (std::holds_alternative<PartsForm>(form->as)) continue;
          ASSERT_EQ(found, values_of(values.view()))
              << encoding->name() << " " << name << " " << rows << " rows, shape " << static_cast<int>(shape);
        }
      }
    }
  }
  for (size_t kind = 1; kind < std::variant_size_v<decltype(EncodedForm::as)>; ++kind)
    EXPECT_GT(pages[kind], 10u) << kind;
}

TEST(EncodedForms, OfCutAndChangedBytesAreDamagedOrStayInTheirBounds) {
  std::mt19937_64 random(8);
  for (const Encoding* encoding : all_encodings()) {
    for (const char* name : {"int64", "utf8"}) {
      const DataType type = *DataType::parse(name);
      if (!encoding->supports(type)) continue;
      for (Shape shape : kShapes) {
        Buffer bytes;
        const uint64_t rows = 1500;
        if (!encoding->encode(shaped_column(type, rows, shape, random).view(), EncodingMode::kLight, bytes).ok())
          continue;
        if (bytes.empty()) continue;
        for (int i = 0; i < 12; ++i) {
          Buffer changed(bytes.span());
          if (i % 2 == 0) changed.resize(random() % changed.size());
          if (i % 2 == 1) changed.data()[random() % std::min<size_t>(changed.size(), 64)] ^= std::byte{0x91};
          const Buffer exact(changed.span());  // so that AddressSanitizer sees its end
          auto form = encoding->form(exact.span(), type, rows);
          if (!form.ok()) {
            EXPECT_TRUE(form.status().code() == Code::kDamaged || form.status().code() == Code::kUnsupported);
            continue;
          }
          if (auto* packed = std::get_if<PackedForm>(&form->as)) {
            auto reader = packed->reader<uint64_t>();
            for (uint64_t vector = 0; reader.ok() && vector < reader->vectors(); ++vector) {
              const PackedVector<uint64_t> encoded = reader->encoded(vector);
              EXPECT_LE(encoded.packed.data() + encoded.packed.size(), exact.data() + exact.size());
              EXPECT_LE(encoded.values + encoded.patches * sizeof(uint64_t), exact.data() + exact.size());
            }
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace stela::format

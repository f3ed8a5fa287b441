// Any bytes as a page of any encoding and type: decoded whole, in part and by rows, and handed to an operator.
#include <algorithm>
#include <cstdlib>

#include "engine/format/encoded_form.h"

namespace stela::format {
namespace {

constexpr uint64_t kRowsMax = 9000;

void require(bool condition) {
  if (!condition) std::abort();
}

const char* const kTypes[] = {"bool",   "int8",   "int16",   "int32",           "int64",         "uint8",
                              "uint64", "date",   "float32", "float64",         "timestamp[us]", "decimal128(20,4)",
                              "utf8",   "binary", "float16", "fixed_binary(3)", "float32[3]"};

// Reads all that a form says; what it says is not trusted, where it lies is.
struct Operator {
  const DataType& type;
  uint64_t rows;
  void operator()(const std::monostate&) const {}
  void operator()(const ConstantForm& form) const {
    require(form.value.empty() || form.value.back() <= std::byte{255});
  }
  void operator()(const CodesForm& form) const {
    (void)form.codes.all();
    (void)form.values.all();
  }
  void operator()(const RunsForm& form) const {
    for (uint64_t vector = 0; vector <= rows / kVectorRows; ++vector) (void)form.first_run(vector);
    (void)form.lengths.all();
    (void)form.values.all();
  }
  void operator()(const PackedForm& form) const {
    visit_word(type.value_width(), [&]<typename T>(T) {
      auto reader = form.reader<T>();
      uint64_t sum = 0;
      for (uint64_t i = 0; reader.ok() && i < reader->vectors(); ++i) {
        const PackedVector<T> vector = reader->encoded(i);
        for (std::byte byte : vector.packed) sum += static_cast<uint64_t>(byte);
        for (uint32_t patch = 0; patch < vector.patches; ++patch) {
          sum += get_fixed<uint16_t>(vector.positions + patch * sizeof(uint16_t));
          sum += get_fixed<T>(vector.values + patch * sizeof(T));
        }
      }
      require(sum != ~uint64_t{0});
    });
  }
  void operator()(const SymbolsForm& form) const {
    for (uint64_t block = 0; block <= (rows - 1) >> form.shift; ++block) {
      auto codes = form.codes_of(block);
      if (codes.ok()) (void)form.symbols.skip(*codes, 64);
    }
    (void)form.lengths.all();
  }
  void operator()(const PartsForm& form) const {
    for (const InnerColumn& part : form.parts) (void)part.form();
  }
};

// Encoding, type, rows (two bytes), page.
void decode(ByteSpan input) {
  if (input.size() < 4) return;
  const auto encodings = all_encodings();
  const Encoding& encoding = *encodings[static_cast<size_t>(input[0]) % encodings.size()];
  const DataType type = *DataType::parse(kTypes[static_cast<size_t>(input[1]) % std::size(kTypes)]);
  const uint64_t rows = 1 + get_fixed<uint16_t>(input.data() + 2) % kRowsMax;
  const ByteSpan page = input.subspan(4);
  if (!encoding.supports(type)) return;
  ColumnData all(type);
  require(!encoding.decode_range(page, type, rows, 0, rows, all).ok() || all.rows() == rows);
  const uint64_t first = rows / 3, count = rows / 2;
  ColumnData part(type);
  require(!encoding.decode_range(page, type, rows, first, count, part).ok() || part.rows() == count);
  const uint32_t wanted[] = {0, static_cast<uint32_t>(rows / 2), static_cast<uint32_t>(rows - 1)};
  ColumnData picked(type);
  require(!encoding.decode_rows(page, type, rows, wanted, picked).ok() || picked.rows() == 3);
  (void)encoding.value_bytes(page, type, rows, 0, rows);
  auto form = encoding.form(page, type, rows);
  if (form.ok()) std::visit(Operator{type, rows}, form->as);
}

}  // namespace
}  // namespace stela::format

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  stela::format::decode({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}

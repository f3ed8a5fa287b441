// Any bytes as a page of any encoding and type: decoded whole, in part and by rows.
#include <algorithm>
#include <cstdlib>

#include "engine/format/encoding.h"

namespace stela::format {
namespace {

constexpr uint64_t kRowsMax = 5000;

void require(bool condition) {
  if (!condition) std::abort();
}

const char* const kTypes[] = {"bool",   "int8",   "int16",   "int32",           "int64",         "uint8",
                              "uint64", "date",   "float32", "float64",         "timestamp[us]", "decimal128(20,4)",
                              "utf8",   "binary", "float16", "fixed_binary(3)", "float32[3]"};

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
}

}  // namespace
}  // namespace stela::format

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  stela::format::decode({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}

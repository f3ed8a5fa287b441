#include "engine/format/page_validity.h"

#include <algorithm>

namespace stela::format {
namespace {

// Sets `count` bits from `at` on; bits behind the last byte touched are not there.
void set_bits(uint8_t* bits, uint64_t at, uint64_t count) {
  for (; count > 0 && at % 8 != 0; --count) bit_set(bits, at++, true);
  if (count >= 8) std::memset(bits + at / 8, 0xff, count / 8);
  for (at += count / 8 * 8, count %= 8; count > 0; --count) bit_set(bits, at++, true);
}

}  // namespace

std::string encode_validity_runs(const ColumnView& values) {
  std::string runs;
  const uint64_t bits_bytes = (values.rows + 63) / 64 * 8;
  bool valid = true;
  for (uint64_t row = 0; row < values.rows; valid = !valid) {
    uint64_t end = row;
    while (end < values.rows && values.is_valid(end) == valid) ++end;
    put_varint(runs, end - row);
    row = end;
    if (runs.size() > bits_bytes / 4 * 3) return {};
  }
  return runs;
}

Result<Buffer> decode_validity_runs(std::string_view runs, uint64_t rows) {
  Buffer bits;
  bits.append_zeros((rows + 63) / 64 * 8);
  Decoder in(runs);
  bool valid = true;
  for (uint64_t row = 0; row < rows; valid = !valid) {
    uint64_t count = 0;
    if (!in.varint_upto(rows - row, &count)) return damaged("the runs of a page's validity are malformed");
    if (count == 0 && row > 0) return damaged("the runs of a page's validity are malformed");
    if (valid) set_bits(bits.as<uint8_t>(), row, count);
    row += count;
  }
  if (!in.at_end()) return damaged("the runs of a page's validity go on behind its rows");
  return bits;
}

}  // namespace stela::format

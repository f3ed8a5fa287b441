// What a column takes as pages of a mode, and how fast it is encoded and decoded: for people who choose, and
// benchmarks.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/format/encoding_choice.h"

namespace stela::format {

struct PageMeasure {
  uint64_t plain_bytes = 0, stored_bytes = 0;  // plain: values, and four bytes for the length of a text
  double encode_seconds = 0, decode_seconds = 0;
  std::string encodings;  // names, with commas
};

// Plain bytes of a page where nothing else says so.
constexpr uint64_t page_bytes_of(EncodingMode mode) {
  return mode == EncodingMode::kCold ? uint64_t{1} << 20 : uint64_t{256} << 10;
}
uint64_t plain_bytes(const ColumnView& values);
// About equal pages of at most that many plain bytes each; at least a row.
std::vector<ColumnView> pages_of(const ColumnView& values, uint64_t page_bytes);

// In memory, on this thread; each page is decoded `repeats` times, of which the shortest counts. `seconds_now`: any
// clock that does not run backwards.
Result<PageMeasure> measure_pages(const ColumnView& values, EncodingMode mode, int repeats,
                                  const std::function<double()>& seconds_now);

}  // namespace stela::format

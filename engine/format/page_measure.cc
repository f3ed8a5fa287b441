#include "engine/format/page_measure.h"

#include <limits>
#include <set>

#include "engine/format/bare_values.h"
#include "engine/format/page_validity.h"
#include "engine/format/paged_writer.h"

namespace stela::format {
namespace {

uint64_t validity_bytes(const ColumnView& page) {
  if (page.null_count() == 0) return 0;
  const std::string runs = encode_validity_runs(page);
  return runs.empty() ? (page.rows + 63) / 64 * 8 : sizeof(uint32_t) + runs.size();
}

// Of the table of chunks, where the page is divided.
uint64_t table_bytes(const ColumnView& page, const EncodedValues& encoded) {
  const bool identity = encoded.encoding->is_identity(*page.type);
  const uint64_t bytes = identity ? page.value_bytes() : encoded.bytes.size();
  if (bytes < kChunkBytesMax) return 0;
  const auto divided = PagedWriter::divide(page, encoded, [](uint64_t, ByteSpan) { return uint32_t{0}; });
  return divided ? divided->front.size() + divided->chunks.size() - bytes : 0;
}

Status decode_whole(const EncodedValues& encoded, const ColumnView& page, ColumnData& out) {
  ByteSpan bytes = encoded.bytes.span();
  if (encoded.encoding->is_identity(*page.type)) bytes = {page.values, static_cast<size_t>(page.value_bytes())};
  out.clear();
  STELA_TRY(encoded.encoding->decode_range(bytes, *page.type, page.rows, 0, page.rows, out));
  if (page.validity == nullptr) return {};
  out.set_validity_of_last(page.rows, page.validity, page.validity_offset);
  out.fill_nulls_of_last(page.rows);
  return {};
}

}  // namespace

uint64_t plain_bytes(const ColumnView& values) {
  return values.value_bytes() + (values.type->is_variable() ? sizeof(uint32_t) * values.rows : 0);
}

std::vector<ColumnView> pages_of(const ColumnView& values, uint64_t page_bytes) {
  const double row_bytes =
      static_cast<double>(plain_bytes(values)) / static_cast<double>(std::max<uint64_t>(1, values.rows));
  const auto fitting = static_cast<uint64_t>(static_cast<double>(page_bytes) / std::max(row_bytes, 1.0));
  const uint64_t rows = std::clamp<uint64_t>(fitting, 1, kPageRowsMax);
  std::vector<ColumnView> pages;
  for (uint64_t row = 0; row < values.rows; row += rows) {
    pages.push_back(values.slice(row, std::min(rows, values.rows - row)));
  }
  return pages;
}

Result<PageMeasure> measure_pages(const ColumnView& values, EncodingMode mode, int repeats,
                                  const std::function<double()>& seconds_now) {
  PageMeasure measure;
  std::set<std::string> used;
  for (const ColumnView& page : pages_of(values, page_bytes_of(mode))) {
    measure.plain_bytes += plain_bytes(page);
    if (page.null_count() == page.rows) continue;  // such a page has no bytes
    const double begin = seconds_now();
    STELA_ASSIGN(const EncodedValues encoded, PagedWriter::encode(page, mode, PagedWriter::share_max(mode)));
    measure.encode_seconds += seconds_now() - begin;
    ColumnData out(*page.type);
    double shortest = std::numeric_limits<double>::max();
    for (int i = 0; i < repeats; ++i) {
      const double start = seconds_now();
      STELA_TRY(decode_whole(encoded, page, out));
      shortest = std::min(shortest, seconds_now() - start);
    }
    measure.decode_seconds += shortest;
    const bool identity = encoded.encoding->is_identity(*page.type);
    measure.stored_bytes += (identity ? page.value_bytes() : encoded.bytes.size()) + validity_bytes(page);
    measure.stored_bytes += table_bytes(page, encoded);
    used.insert(encoded.encoding->name());
  }
  for (const std::string& name : used) measure.encodings += (measure.encodings.empty() ? "" : ", ") + name;
  return measure;
}

}  // namespace stela::format

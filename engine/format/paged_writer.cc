#include "engine/format/paged_writer.h"

#include <algorithm>

#include "engine/format/bare_values.h"
#include "engine/format/page_validity.h"

namespace stela::format {
namespace {

constexpr uint64_t kLengthBytes = sizeof(uint32_t);  // what a row of text costs besides its bytes
// A page is encoded when that leaves at most this share of its plain bytes; in a column that is small so far, when
// little is left, since the time to decode then counts for more than bytes.
constexpr double kShareMax = 0.9, kSmallShareMax = 0.6, kColdShareMax = 0.98;
constexpr uint64_t kSmallBytes = 1 << 20;

}  // namespace

PagedWriter::PagedWriter(ColumnSpec spec, uint64_t page_bytes, uint32_t node_bytes, EncodingMode mode)
    : spec_(std::move(spec)),
      page_bytes_(page_bytes),
      mode_(mode),
      waiting_(spec_.type),
      pages_(SealKind::kPageTree, spec_.id.value, node_bytes),
      page_statistics_(SealKind::kPageStatistics, spec_.id.value, node_bytes) {}

uint64_t PagedWriter::cost(const ColumnView& values) const {
  return values.value_bytes() + (spec_.type.is_variable() ? values.rows * kLengthBytes : 0);
}

// The most rows at the beginning of `values` that cost at most `room`.
uint64_t PagedWriter::rows_that_fit(const ColumnView& values, uint64_t room) const {
  if (!spec_.type.is_variable()) return std::min({values.rows, room / spec_.type.value_width(), kPageRowsMax});
  uint64_t low = 0, high = std::min(values.rows, kPageRowsMax);
  while (low < high) {
    uint64_t middle = low + (high - low + 1) / 2;
    if (values.offsets[middle] - values.offsets[0] + middle * kLengthBytes <= room) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

Status PagedWriter::append(const ColumnView& values, StatisticsCollector& statistics, NodeSink& sink) {
  ColumnView rest = values;
  while (rest.rows > 0) {
    if (waiting_.rows() == 0) {
      uint64_t count = std::max<uint64_t>(rows_that_fit(rest, page_bytes_), 1);
      if (count == rest.rows) {
        waiting_.append(rest);
        return {};
      }
      STELA_TRY(write_page(rest.slice(0, count), statistics, sink));
      rest = rest.slice(count, rest.rows - count);
      continue;
    }
    uint64_t used = cost(waiting_.view());
    uint64_t count = rows_that_fit(rest, used < page_bytes_ ? page_bytes_ - used : 0);
    waiting_.append(rest.slice(0, count));
    rest = rest.slice(count, rest.rows - count);
    if (rest.rows == 0) return {};
    STELA_TRY(write_page(waiting_.view(), statistics, sink));
    waiting_.clear();
  }
  return {};
}

Status PagedWriter::write_page(const ColumnView& values, StatisticsCollector& statistics, NodeSink& sink) {
  if (values.value_bytes() > kPageValueBytesMax) {
    return {Code::kLimit, "a value of column " + std::to_string(spec_.id.value) + " is larger than 1 GiB"};
  }
  Statistics page;
  STELA_TRY(statistics.add(values, &page, sink));
  PageEntry entry;
  entry.ordinal = pages_.entries();
  entry.first_row = rows_;
  entry.nulls_before = nulls_;
  entry.value_bytes_before = value_bytes_;
  entry.rows = static_cast<uint32_t>(values.rows);
  entry.nulls = static_cast<uint32_t>(page.nulls);
  entry.value_bytes = static_cast<uint32_t>(values.value_bytes());
  entry.encoding = static_cast<uint16_t>(EncodingId::kPlain);
  if (page.nulls == values.rows) {
    entry.flags = kPageAllNull;
  } else {
    STELA_TRY(write_values(values, &entry, sink));
  }
  rows_ += values.rows;
  nulls_ += page.nulls;
  value_bytes_ += entry.value_bytes;
  STELA_TRY(pages_.add(entry.first_row, encode_page_entry(entry), sink));
  std::string encoded;
  encode_statistics(encoded, page);
  return page_statistics_.add(entry.ordinal, encoded, sink);
}

double PagedWriter::share_max(EncodingMode mode) { return mode == EncodingMode::kCold ? kColdShareMax : kShareMax; }

Result<EncodedValues> PagedWriter::encode(const ColumnView& values, EncodingMode mode, double share_max) {
  const BareValues bare(values);
  return encode_cheapest(bare.view(), kPageRank, mode, share_max);
}

void PagedWriter::append_validity(const ColumnView& values, PageEntry* entry) {
  entry->flags = kPageHasValidity;
  const std::string runs = encode_validity_runs(values);
  if (!runs.empty()) {
    entry->version = kPageVersionRuns;
    entry->flags |= kPageValidityRuns;
    front_.append_value(static_cast<uint32_t>(runs.size()));
    front_.append(as_bytes(runs));
    return;
  }
  front_.append_zeros(entry->validity_bytes());
  copy_bits(values.validity, values.validity_offset, front_.as<uint8_t>(), 0, values.rows);
}

Status PagedWriter::write_values(const ColumnView& values, PageEntry* entry, NodeSink& sink) {
  const bool small = value_bytes_ + values.value_bytes() < kSmallBytes;
  const double share = mode_ == EncodingMode::kLight && small ? kSmallShareMax : share_max(mode_);
  STELA_ASSIGN(const EncodedValues chosen, encode(values, mode_, share));
  const Encoding& encoding = *chosen.encoding;
  ByteSpan encoded = chosen.bytes.span();
  if (encoding.is_identity(spec_.type)) encoded = {values.values, static_cast<size_t>(values.value_bytes())};
  entry->encoding = static_cast<uint16_t>(encoding.id());
  front_.clear();
  if (entry->nulls > 0) append_validity(values, entry);
  uint64_t lengths = encoding.lengths_bytes(encoded, spec_.type, values.rows);
  front_.append(encoded.first(lengths));
  ByteSpan rest = encoded.subspan(lengths);
  entry->front_bytes = static_cast<uint32_t>(front_.size());
  entry->stored_bytes = static_cast<uint32_t>(rest.size());
  uint64_t column = spec_.id.value;
  entry->front_crc = seal(sink.scope(), {SealKind::kPageFront, column, 0, entry->ordinal}, front_.span());
  entry->values_crc = seal(sink.scope(), {SealKind::kPageValues, column, 0, entry->ordinal}, rest);
  STELA_ASSIGN(entry->offset, sink.append(front_.span()));
  STELA_ASSIGN(uint64_t behind, sink.append(rest));
  STELA_CHECK(behind == entry->offset + front_.size(), std::to_string(behind));
  return {};
}

Status PagedWriter::finish(StatisticsCollector& statistics, NodeSink& sink, ColumnMetadata* metadata) {
  if (waiting_.rows() > 0) STELA_TRY(write_page(waiting_.view(), statistics, sink));
  waiting_ = ColumnData(spec_.type);
  metadata->value_bytes = value_bytes_;
  if (pages_.entries() > 1) {
    STELA_ASSIGN(metadata->page_statistics, page_statistics_.finish(sink));
  }
  STELA_ASSIGN(metadata->pages, pages_.finish(sink));
  return {};
}

}  // namespace stela::format

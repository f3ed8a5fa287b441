#include "engine/format/paged_writer.h"

#include <algorithm>

#include "engine/format/bare_values.h"
#include "engine/format/page_validity.h"
#include "engine/format/statistics_figures.h"

namespace stela::format {
namespace {

constexpr uint64_t kLengthBytes = sizeof(uint32_t);  // what a row of text costs besides its bytes
// A page is encoded when that leaves at most this share of its plain bytes; in a column that is small so far, when
// little is left, since the time to decode then counts for more than bytes.
constexpr double kShareMax = 0.9, kSmallShareMax = 0.6, kColdShareMax = 0.98;
constexpr uint64_t kSmallBytes = 1 << 20;
// Smaller pages are encoded sooner than another thread begins with them.
constexpr uint64_t kBytesOfOtherThreads = 16 << 10;

ByteSpan encoded_bytes(const ColumnView& values, const EncodedValues& chosen) {
  if (!chosen.encoding->is_identity(*values.type)) return chosen.bytes.span();
  return {values.values, static_cast<size_t>(values.value_bytes())};
}

}  // namespace

// A page on its way. What it needs of the pages before it is known when it is given.
struct PagedWriter::Page {
  ColumnData own;
  ColumnView values;
  uint64_t first_row = 0;
  double share_max = 1;
  std::vector<Statistics> statistics;
  EncodedValues chosen;  // of a page that is not all null
  ByteSpan encoded;
  std::optional<DividedPage> divided;  // where it is more than a chunk
};

PagedWriter::PagedWriter(const ColumnSpec& spec, uint64_t page_bytes, uint32_t node_bytes, EncodingMode mode,
                         OrderedWork& work)
    : spec_(spec),
      page_bytes_(page_bytes),
      mode_(mode),
      work_(work),
      waiting_(spec_.type),
      spare_(spec_.type),
      pages_(SealKind::kPageTree, spec_.id.value, node_bytes),
      page_statistics_(SealKind::kPageStatistics, spec_.id.value, node_bytes),
      page_figures_(SealKind::kPageFigures, spec_.id.value, node_bytes) {}

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
      STELA_TRY(give_page({}, rest.slice(0, count), statistics, sink));
      rest = rest.slice(count, rest.rows - count);
      continue;
    }
    uint64_t used = cost(waiting_.view());
    uint64_t count = rows_that_fit(rest, used < page_bytes_ ? page_bytes_ - used : 0);
    waiting_.append(rest.slice(0, count));
    rest = rest.slice(count, rest.rows - count);
    if (rest.rows == 0) return {};
    STELA_TRY(end_rows(statistics, sink));
  }
  return {};
}

Status PagedWriter::end_rows(StatisticsCollector& statistics, NodeSink& sink) {
  if (waiting_.rows() == 0) return {};
  return give_page(std::exchange(waiting_, std::exchange(spare_, ColumnData(spec_.type))), {}, statistics, sink);
}

// Of `own`, or of memory that stays until the work is finished.
Status PagedWriter::give_page(ColumnData own, const ColumnView& values, StatisticsCollector& statistics,
                              NodeSink& sink) {
  auto page = std::make_shared<Page>();
  page->own = std::move(own);
  page->values = page->own.rows() > 0 ? page->own.view() : values;
  page->first_row = given_rows_;
  const uint64_t bytes = page->values.value_bytes();
  if (bytes > kPageValueBytesMax) {
    return {Code::kLimit, "a value of column " + std::to_string(spec_.id.value) + " is larger than 1 GiB"};
  }
  const bool small = mode_ == EncodingMode::kLight && given_bytes_ + bytes < kSmallBytes;
  page->share_max = small ? kSmallShareMax : share_max(mode_);
  given_rows_ += page->values.rows;
  given_bytes_ += bytes;
  auto work = [this, page, &statistics] { return encode_page(*page, statistics); };
  auto land = [this, page, &statistics, &sink] {
    Status status = land_page(*page, statistics, sink);
    if (page->own.rows() > 0) {
      spare_ = std::move(page->own);
      spare_.clear();
    }
    return status;
  };
  return bytes < kBytesOfOtherThreads ? work_.add_small(work, land) : work_.add(work, land);
}

Status PagedWriter::encode_page(Page& page, const StatisticsCollector& statistics) const {
  page.statistics = statistics.pieces_of(page.values, page.first_row);
  if (page.values.null_count() == page.values.rows) return {};
  STELA_ASSIGN(page.chosen, encode(page.values, mode_, page.share_max));
  page.encoded = encoded_bytes(page.values, page.chosen);
  return {};
}

// Chunks are sealed with the page's ordinal, which is known when the pages before it have landed. One of which a value
// would cost more than a chunk becomes two pages.
Status PagedWriter::land_page(Page& page, StatisticsCollector& statistics, NodeSink& sink) {
  if (page.encoded.size() < kChunkBytesMax || page.values.rows == 1) return write_page(page, statistics, sink);
  page.divided = divide(page.values, page.chosen, [&](uint64_t chunk, ByteSpan bytes) {
    return seal(sink.scope(), {SealKind::kPageChunk, spec_.id.value, chunk, pages_.entries()}, bytes);
  });
  if (page.divided) return write_page(page, statistics, sink);
  const uint64_t half = page.values.rows / 2;
  for (const ColumnView& values : {page.values.slice(0, half), page.values.slice(half, page.values.rows - half)}) {
    Page part;
    part.values = values;
    part.first_row = rows_;
    part.share_max = page.share_max;
    STELA_TRY(encode_page(part, statistics));
    STELA_TRY(land_page(part, statistics, sink));
  }
  return {};
}

Status PagedWriter::write_page(const Page& given, StatisticsCollector& statistics, NodeSink& sink) {
  const ColumnView& values = given.values;
  Statistics page;
  STELA_TRY(statistics.add(given.statistics, &page, sink));
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
    STELA_TRY(write_values(given, &entry, sink));
  }
  rows_ += values.rows;
  nulls_ += page.nulls;
  value_bytes_ += entry.value_bytes;
  STELA_TRY(pages_.add(entry.first_row, encode_page_entry(entry), sink));
  std::string encoded;
  encode_statistics(encoded, page);
  STELA_TRY(page_statistics_.add(entry.ordinal, encoded, sink));
  if (spec_.type.is_tensor()) return {};
  encoded.clear();
  encode_figures(encoded, page, false);
  return page_figures_.add(entry.ordinal, encoded, sink);
}

double PagedWriter::share_max(EncodingMode mode) { return mode == EncodingMode::kCold ? kColdShareMax : kShareMax; }

Result<EncodedValues> PagedWriter::encode(const ColumnView& values, EncodingMode mode, double share_max) {
  const BareValues bare(values);
  return encode_cheapest(bare.view(), kPageRank, mode, share_max);
}

std::optional<DividedPage> PagedWriter::divide(const ColumnView& values, const EncodedValues& chosen,
                                               const ChunkSeal& seal) {
  const ByteSpan encoded = encoded_bytes(values, chosen);
  RowStrips strips;
  chosen.encoding->append_strips(encoded, *values.type, values.rows, strips);
  const uint64_t lengths = chosen.encoding->lengths_bytes(encoded, *values.type, values.rows);
  return divide_page(encoded, strips, values.rows, values.value_bytes(), lengths, seal);
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

Status PagedWriter::write_values(const Page& page, PageEntry* entry, NodeSink& sink) {
  const ColumnView& values = page.values;
  const Encoding& encoding = *page.chosen.encoding;
  entry->encoding = static_cast<uint16_t>(encoding.id());
  front_.clear();
  if (entry->nulls > 0) append_validity(values, entry);
  ByteSpan rest = page.encoded;
  if (page.divided) {
    entry->version = kPageVersionChunks;
    entry->flags |= kPageChunks;
    front_.append(page.divided->front.span());
    rest = page.divided->chunks;
  } else {
    const uint64_t lengths = encoding.lengths_bytes(rest, spec_.type, values.rows);
    front_.append(rest.first(lengths));
    rest = rest.subspan(lengths);
  }
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

Status PagedWriter::finish(NodeSink& sink, ColumnMetadata* metadata, ColumnFigures* figures) {
  metadata->value_bytes = value_bytes_;
  if (pages_.entries() > 1) {
    STELA_ASSIGN(metadata->page_statistics, page_statistics_.finish(sink));
    STELA_ASSIGN(figures->pages, page_figures_.finish(sink));
  }
  STELA_ASSIGN(metadata->pages, pages_.finish(sink));
  return {};
}

}  // namespace stela::format

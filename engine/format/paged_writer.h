// PagedWriter: rows of one column as pages of a fragment file.
#pragma once

#include "engine/base/ordered_work.h"
#include "engine/format/column_metadata.h"
#include "engine/format/encoding_choice.h"
#include "engine/format/page_chunks.h"
#include "engine/format/page_entry.h"
#include "engine/format/statistics_collector.h"

namespace stela::format {

// Not thread-safe. Memory: one page, and those that are being encoded. Pages are encoded by `work`, and written when
// they land: the bytes do not depend on how many threads it has.
class PagedWriter {
 public:
  // `spec` outlives it. `page_bytes`: target of a page's values and lengths; only a single larger value exceeds it.
  PagedWriter(const ColumnSpec& spec, uint64_t page_bytes, uint32_t node_bytes, EncodingMode mode, OrderedWork& work);
  // Whole pages are cut from `values` without a copy, which must live until `work` is finished; the rest waits in
  // memory.
  Status append(const ColumnView& values, StatisticsCollector& statistics, NodeSink& sink);
  // No rows follow: what waits becomes a page.
  Status end_rows(StatisticsCollector& statistics, NodeSink& sink);
  // The share that is asked of a page of a column that is not small.
  static double share_max(EncodingMode mode);
  // The values of one page as they would be stored: by the cheapest encoding, or plain where that does not leave at
  // most this share of the bytes.
  static Result<EncodedValues> encode(const ColumnView& values, EncodingMode mode, double share_max);
  // Those in chunks; nothing where one would be too large.
  static std::optional<DividedPage> divide(const ColumnView& values, const EncodedValues& chosen,
                                           const ChunkSeal& seal);
  // After end_rows(), when `work` is finished. Fills in pages, page_statistics and value_bytes, and the pages' figures.
  Status finish(NodeSink& sink, ColumnMetadata* metadata, ColumnFigures* figures);

 private:
  uint64_t rows_that_fit(const ColumnView& values, uint64_t room) const;
  uint64_t cost(const ColumnView& values) const;
  struct Page;
  Status give_page(ColumnData own, const ColumnView& values, StatisticsCollector& statistics, NodeSink& sink);
  Status encode_page(Page& page, const StatisticsCollector& statistics) const;
  Status land_page(Page& page, StatisticsCollector& statistics, NodeSink& sink);
  Status write_page(const Page& page, StatisticsCollector& statistics, NodeSink& sink);
  Status write_values(const Page& page, PageEntry* entry, NodeSink& sink);
  void append_validity(const ColumnView& values, PageEntry* entry);

  const ColumnSpec& spec_;
  uint64_t page_bytes_;
  EncodingMode mode_;
  OrderedWork& work_;
  uint64_t given_rows_ = 0, given_bytes_ = 0;  // of pages that may not have landed
  ColumnData waiting_;
  ColumnData spare_;  // empty, with the memory of a page that landed
  EntryTreeWriter pages_;
  EntryTreeWriter page_statistics_;
  EntryTreeWriter page_figures_;
  Buffer front_;
  uint64_t rows_ = 0;
  uint64_t nulls_ = 0;
  uint64_t value_bytes_ = 0;
};

}  // namespace stela::format

// PagedWriter: rows of one column as pages of a fragment file.
#pragma once

#include "engine/format/column_metadata.h"
#include "engine/format/encoding_choice.h"
#include "engine/format/page_entry.h"
#include "engine/format/statistics_collector.h"

namespace stela::format {

// Not thread-safe. Memory: one page, and one more while it is encoded.
class PagedWriter {
 public:
  // `page_bytes`: target of a page's values and lengths; only a single larger value exceeds it.
  PagedWriter(ColumnSpec spec, uint64_t page_bytes, uint32_t node_bytes, EncodingMode mode);
  // Whole pages are cut from `values` without a copy; the rest waits in memory.
  Status append(const ColumnView& values, StatisticsCollector& statistics, NodeSink& sink);
  // The share that is asked of a page of a column that is not small.
  static double share_max(EncodingMode mode);
  // The values of one page as they would be stored: by the cheapest encoding, or plain where that does not leave at
  // most this share of the bytes.
  static Result<EncodedValues> encode(const ColumnView& values, EncodingMode mode, double share_max);
  // Fills in pages, page_statistics and value_bytes.
  Status finish(StatisticsCollector& statistics, NodeSink& sink, ColumnMetadata* metadata);

 private:
  uint64_t rows_that_fit(const ColumnView& values, uint64_t room) const;
  uint64_t cost(const ColumnView& values) const;
  Status write_page(const ColumnView& values, StatisticsCollector& statistics, NodeSink& sink);
  Status write_values(const ColumnView& values, PageEntry* entry, NodeSink& sink);
  void append_validity(const ColumnView& values, PageEntry* entry);

  ColumnSpec spec_;
  uint64_t page_bytes_;
  EncodingMode mode_;
  ColumnData waiting_;
  EntryTreeWriter pages_;
  EntryTreeWriter page_statistics_;
  Buffer front_;
  uint64_t rows_ = 0;
  uint64_t nulls_ = 0;
  uint64_t value_bytes_ = 0;
};

}  // namespace stela::format

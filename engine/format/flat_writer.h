// FlatWriter: streams a fixed-width column into a file that is exactly its .npy, with a checksum for each
// 64 KiB of values and, where there are nulls, validity pages in the fragment file.
#pragma once

#include "engine/format/column_metadata.h"
#include "engine/format/page_entry.h"
#include "engine/format/statistics_collector.h"
#include "engine/io/env.h"

namespace stela::format {

// Not thread-safe; the file must outlive it. Memory: 8 KiB of validity and some nodes.
class FlatWriter {
 public:
  FlatWriter(FileWriter& file, FileId id, ColumnSpec spec, uint64_t store, uint32_t node_bytes);
  // Reserves the header.
  Status begin();
  Status append(const ColumnView& values, NodeSink& sink);
  // Writes the header and fills in flat, pages and extents.
  Status finish(NodeSink& sink, ColumnMetadata* metadata);

 private:
  Status append_values(ByteSpan bytes, NodeSink& sink);
  Status checksum(ByteSpan bytes, NodeSink& sink);
  Status append_validity(const ColumnView& values, NodeSink& sink);
  Status begin_validity(NodeSink& sink);
  Status write_validity_page(NodeSink& sink);
  Status add_page(PageEntry entry, NodeSink& sink);
  Status end_extent(NodeSink& sink);

  FileWriter& file_;
  FileId id_;
  ColumnSpec spec_;
  SealScope scope_;  // of the flat file
  EntryTreeWriter extents_;
  EntryTreeWriter pages_;
  uint64_t header_bytes_ = 0;
  uint64_t rows_ = 0;
  uint64_t value_bytes_ = 0;
  uint32_t extent_crc_ = 0;
  // Validity begins with the first null; before it, no page is written.
  bool has_validity_ = false;
  std::vector<uint8_t> validity_;
  uint64_t validity_rows_ = 0;  // in validity_
  uint64_t paged_rows_ = 0;     // in pages
  uint64_t paged_nulls_ = 0;
};

}  // namespace stela::format

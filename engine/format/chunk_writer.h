// ChunkWriter: one column of one section while it is written; decides between pages and a flat file.
#pragma once

#include <memory>
#include <optional>

#include "engine/format/flat_writer.h"
#include "engine/format/paged_writer.h"

namespace stela::format {

// Makes flat files for a fragment's columns; the fragment writer.
class FlatFiles {
 public:
  virtual ~FlatFiles() = default;
  struct Created {
    FileId id;
    FileWriter* file = nullptr;
  };
  // Nothing when there may be no further flat file.
  virtual Result<std::optional<Created>> create_flat() = 0;
};

struct ChunkLimits {
  uint64_t store_id = 0;
  uint64_t page_bytes = 0;
  uint64_t flat_bytes_min = 0;
  uint64_t buffer_bytes = 0;  // what may wait for the decision
  uint64_t statistics_rows = 0;
  uint32_t node_bytes = 0;
  EncodingMode mode = EncodingMode::kLight;
  OrderedWork* work = nullptr;  // outlives the writer
};

// Not thread-safe. Memory: what it writes with is made when it is decided how, so that of a hundred thousand columns
// with few rows each takes little until the rows end.
class ChunkWriter {
 public:
  // `limits` and `flats` outlive it.
  ChunkWriter(ColumnSpec spec, const ChunkLimits& limits, FlatFiles& flats);
  ChunkWriter(const ChunkWriter&) = delete;
  ChunkWriter& operator=(const ChunkWriter&) = delete;
  const ColumnSpec& spec() const { return spec_; }
  // `values` stay until the limits' work is finished.
  Status append(const ColumnView& values, NodeSink& sink);
  // No rows follow.
  Status end_rows(NodeSink& sink);
  // After end_rows(), when the work is finished.
  Result<ColumnMetadata> finish(NodeSink& sink);

 private:
  void make_statistics();
  void make_paged();
  Result<bool> is_much_smaller_in_pages(const ColumnView& next) const;
  Status decide(const ColumnView& next, NodeSink& sink);
  Status give_flat(const ColumnView& values, NodeSink& sink);
  Status append_decided(const ColumnView& values, NodeSink& sink);
  Status write_figures(const ColumnFigures& figures, NodeSink& sink, ColumnMetadata* metadata);
  const ColumnSpec spec_;
  const ChunkLimits& limits_;
  FlatFiles& flats_;
  std::unique_ptr<StatisticsCollector> statistics_;  // with the first of the writers below
  ColumnData undecided_;                             // empty once one of the following is there
  std::unique_ptr<FlatWriter> flat_;
  std::unique_ptr<PagedWriter> paged_;
  uint64_t rows_ = 0;
  uint64_t flat_rows_ = 0;  // given to the flat file
};

}  // namespace stela::format

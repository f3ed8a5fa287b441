// StatisticsCollector: one pass over a column's rows gives the statistics of the whole, of each granule of
// statistics_rows, and of each page.
#pragma once

#include <vector>

#include "engine/format/column_figures.h"
#include "engine/format/column_metadata.h"

namespace stela::format {

class StatisticsCollector {
 public:
  // `type` outlives it.
  StatisticsCollector(const DataType& type, uint64_t column, uint64_t granule_rows, uint32_t node_bytes)
      : type_(type),
        granule_rows_(granule_rows),
        granules_(SealKind::kFineStatistics, column, node_bytes),
        figures_(SealKind::kFineFigures, column, node_bytes) {}
  // Statistics of rows that begin that far from the column's first, in pieces that no granule's end cuts. Thread-safe.
  std::vector<Statistics> pieces_of(const ColumnView& values, uint64_t first_row) const;
  // Those of the rows that follow; they are also merged into `page` if given.
  Status add(const std::vector<Statistics>& pieces, Statistics* page, NodeSink& sink);
  const Statistics& total() const { return total_; }
  // Fills in statistics and the lists of the finer ones.
  Status finish(NodeSink& sink, ColumnMetadata* metadata, ColumnFigures* figures);

 private:
  Status end_granule(NodeSink& sink);
  const DataType& type_;
  uint64_t granule_rows_;
  EntryTreeWriter granules_;
  EntryTreeWriter figures_;
  Statistics total_;
  Statistics granule_;
};

}  // namespace stela::format

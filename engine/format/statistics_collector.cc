#include "engine/format/statistics_collector.h"

#include <algorithm>

#include "engine/format/statistics_figures.h"

namespace stela::format {

std::vector<Statistics> StatisticsCollector::pieces_of(const ColumnView& values, uint64_t first_row) const {
  std::vector<Statistics> pieces;
  for (uint64_t row = 0; row < values.rows;) {
    const uint64_t count = std::min(values.rows - row, granule_rows_ - (first_row + row) % granule_rows_);
    pieces.push_back(compute_statistics(values.slice(row, count)));
    row += count;
  }
  return pieces;
}

Status StatisticsCollector::add(const std::vector<Statistics>& pieces, Statistics* page, NodeSink& sink) {
  for (const Statistics& piece : pieces) {
    merge_statistics(type_, granule_, piece);
    if (page != nullptr) merge_statistics(type_, *page, piece);
    if (granule_.rows == granule_rows_) STELA_TRY(end_granule(sink));
  }
  return {};
}

Status StatisticsCollector::end_granule(NodeSink& sink) {
  std::string entry;
  encode_statistics(entry, granule_);
  STELA_TRY(granules_.add(total_.rows, entry, sink));
  if (!type_.is_tensor()) {
    entry.clear();
    encode_figures(entry, granule_, false);
    STELA_TRY(figures_.add(total_.rows, entry, sink));
  }
  merge_statistics(type_, total_, granule_);
  granule_ = {};
  return {};
}

Status StatisticsCollector::finish(NodeSink& sink, ColumnMetadata* metadata, ColumnFigures* figures) {
  if (granule_.rows > 0) STELA_TRY(end_granule(sink));
  metadata->statistics = total_;
  metadata->nulls = total_.nulls;
  if (granules_.entries() <= 1) return {};
  STELA_ASSIGN(metadata->fine_statistics, granules_.finish(sink));
  STELA_ASSIGN(figures->fine, figures_.finish(sink));
  return {};
}

}  // namespace stela::format

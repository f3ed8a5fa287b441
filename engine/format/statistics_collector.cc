#include "engine/format/statistics_collector.h"

#include <algorithm>

namespace stela::format {

Status StatisticsCollector::add(const ColumnView& values, Statistics* page, NodeSink& sink) {
  for (uint64_t row = 0; row < values.rows;) {
    uint64_t count = std::min(values.rows - row, granule_rows_ - granule_.rows);
    Statistics piece = compute_statistics(values.slice(row, count));
    merge_statistics(type_, granule_, piece);
    if (page != nullptr) merge_statistics(type_, *page, piece);
    if (granule_.rows == granule_rows_) STELA_TRY(end_granule(sink));
    row += count;
  }
  return {};
}

Status StatisticsCollector::end_granule(NodeSink& sink) {
  std::string entry;
  encode_statistics(entry, granule_);
  STELA_TRY(granules_.add(total_.rows, entry, sink));
  merge_statistics(type_, total_, granule_);
  granule_ = {};
  return {};
}

Result<EntryTree> StatisticsCollector::finish(NodeSink& sink) {
  if (granule_.rows > 0) STELA_TRY(end_granule(sink));
  if (granules_.entries() <= 1) return EntryTree{};
  return granules_.finish(sink);
}

}  // namespace stela::format

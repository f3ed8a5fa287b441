#include "engine/format/chunk_writer.h"

#include <algorithm>

namespace stela::format {
namespace {

constexpr double kPagesShareMax = 0.5, kColdPagesShareMax = 0.9;
// What of a flat file is one piece of work.
constexpr uint64_t kStretchBytes = 512 << 10;

}  // namespace

ChunkWriter::ChunkWriter(ColumnSpec spec, const ChunkLimits& limits, FlatFiles& flats)
    : spec_(std::move(spec)), limits_(limits), flats_(flats), undecided_(spec_.type) {}

void ChunkWriter::make_statistics() {
  statistics_ =
      std::make_unique<StatisticsCollector>(spec_.type, spec_.id.value, limits_.statistics_rows, limits_.node_bytes);
}

void ChunkWriter::make_paged() {
  make_statistics();
  paged_ = std::make_unique<PagedWriter>(spec_, limits_.page_bytes, limits_.node_bytes, limits_.mode, *limits_.work);
}

Status ChunkWriter::append(const ColumnView& values, NodeSink& sink) {
  if (values.rows == 0) return {};
  rows_ += values.rows;
  if (paged_ == nullptr && !spec_.type.is_numpy()) make_paged();
  if (flat_ == nullptr && paged_ == nullptr) {
    uint64_t bytes = undecided_.view().value_bytes() + values.value_bytes();
    if (bytes < limits_.flat_bytes_min && bytes <= limits_.buffer_bytes) {
      undecided_.append(values);
      return {};
    }
    STELA_TRY(decide(values, sink));
  }
  return append_decided(values, sink);
}

// Told by pages of what waits and of what comes: of many, every eighth.
Result<bool> ChunkWriter::is_much_smaller_in_pages(const ColumnView& next) const {
  const bool cold = limits_.mode == EncodingMode::kCold;
  if (spec_.keep_flat && !cold) return false;
  const uint64_t page_rows = std::max<uint64_t>(1, limits_.page_bytes / spec_.type.value_width());
  double plain = 0, encoded = 0;
  for (const ColumnView& values : {undecided_.view(), next}) {
    for (uint64_t row = 0; row < values.rows; row += 8 * page_rows) {
      const ColumnView page = values.slice(row, std::min(page_rows, values.rows - row));
      STELA_ASSIGN(EncodedValues chosen, PagedWriter::encode(page, limits_.mode, 1.0));
      plain += static_cast<double>(page.value_bytes());
      const bool identity = chosen.encoding->is_identity(spec_.type);
      encoded += static_cast<double>(identity ? page.value_bytes() : chosen.bytes.size());
    }
  }
  return encoded <= plain * (cold ? kColdPagesShareMax : kPagesShareMax);
}

// Flat as soon as there are enough bytes; pages when memory does not allow to wait for them, or when they are much
// smaller.
Status ChunkWriter::decide(const ColumnView& next, NodeSink& sink) {
  bool flat = undecided_.view().value_bytes() + next.value_bytes() >= limits_.flat_bytes_min;
  if (flat) {
    STELA_ASSIGN(const bool smaller, is_much_smaller_in_pages(next));
    flat = !smaller;
  }
  if (flat) {
    STELA_ASSIGN(auto created, flats_.create_flat());
    if (created) {
      flat_ = std::make_unique<FlatWriter>(*created->file, created->id, spec_, limits_.store_id, limits_.node_bytes);
      make_statistics();
      STELA_TRY(flat_->begin());
    }
  }
  if (flat_ == nullptr) make_paged();
  STELA_TRY(append_decided(undecided_.view(), sink));
  STELA_TRY(limits_.work->finish());
  undecided_ = ColumnData(spec_.type);
  return {};
}

// Statistics are made by other threads, while this one writes the values before.
Status ChunkWriter::give_flat(const ColumnView& values, NodeSink& sink) {
  const uint64_t stretch = std::max<uint64_t>(1, kStretchBytes / spec_.type.value_width());
  for (uint64_t row = 0; row < values.rows; row += stretch) {
    const ColumnView part = values.slice(row, std::min(stretch, values.rows - row));
    auto pieces = std::make_shared<std::vector<Statistics>>();
    auto work = [this, pieces, part, first_row = flat_rows_]() -> Status {
      *pieces = statistics_->pieces_of(part, first_row);
      return {};
    };
    auto land = [this, pieces, part, &sink]() -> Status {
      STELA_TRY(statistics_->add(*pieces, nullptr, sink));
      return flat_->append(part, sink);
    };
    flat_rows_ += part.rows;
    STELA_TRY(spec_.type.is_tensor() ? limits_.work->add_small(work, land) : limits_.work->add(work, land));
  }
  return {};
}

Status ChunkWriter::append_decided(const ColumnView& values, NodeSink& sink) {
  if (values.rows == 0) return {};
  if (paged_ != nullptr) return paged_->append(values, *statistics_, sink);
  return give_flat(values, sink);
}

Status ChunkWriter::end_rows(NodeSink& sink) {
  if (flat_ != nullptr) return {};
  if (paged_ == nullptr) {
    make_paged();
    STELA_TRY(append_decided(undecided_.view(), sink));
  }
  return paged_->end_rows(*statistics_, sink);
}

Result<ColumnMetadata> ChunkWriter::finish(NodeSink& sink) {
  undecided_ = ColumnData(spec_.type);
  ColumnMetadata metadata;
  ColumnFigures figures;
  metadata.id = spec_.id;
  metadata.type = spec_.type;
  metadata.rows = rows_;
  metadata.statistics_rows = limits_.statistics_rows;
  if (flat_ != nullptr) {
    metadata.value_bytes = rows_ * spec_.type.value_width();
    STELA_TRY(flat_->finish(sink, &metadata));
  } else {
    STELA_TRY(paged_->finish(sink, &metadata, &figures));
  }
  STELA_TRY(statistics_->finish(sink, &metadata, &figures));
  if (!spec_.type.is_tensor()) STELA_TRY(write_figures(figures, sink, &metadata));
  return metadata;
}

Status ChunkWriter::write_figures(const ColumnFigures& figures, NodeSink& sink, ColumnMetadata* metadata) {
  std::string bytes = encode_column_figures(metadata->statistics, figures);
  put_fixed(bytes, seal(sink.scope(), {SealKind::kColumnFigures, spec_.id.value, 0, 0}, as_bytes(bytes)));
  metadata->figures_bytes = static_cast<uint32_t>(bytes.size());
  STELA_ASSIGN(metadata->figures_offset, sink.append(as_bytes(bytes)));
  return {};
}

}  // namespace stela::format

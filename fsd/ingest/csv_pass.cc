#include "fsd/ingest/csv_pass.h"

namespace stela::fsd {

CsvPass::CsvPass(std::vector<CsvTarget> targets, std::vector<std::unique_ptr<CellParser>> parsers,
                 std::vector<Field> schema, RowSink& sink, uint64_t batch_bytes)
    : targets_(std::move(targets)),
      parsers_(std::move(parsers)),
      schema_(std::move(schema)),
      sink_(sink),
      batch_bytes_(batch_bytes),
      relay_(sink) {
  relay_.reset(empty_batch());
}

Batch CsvPass::empty_batch() const {
  Batch batch;
  batch.names.reserve(targets_.size());
  batch.columns.reserve(targets_.size());
  for (const CsvTarget& target : targets_) batch.add(target.field.name, ColumnData(target.field.type));
  return batch;
}

// Among the last `rows` rows; `rows` when there is none.
size_t CsvPass::first_null(const ColumnData& column, size_t rows) {
  if (!column.has_nulls()) return rows;
  ColumnView view = column.view().slice(column.rows() - rows, rows);
  for (size_t row = 0; row < rows; ++row) {
    if (!view.is_valid(row)) return row;
  }
  return rows;
}

// The first misfit; its row is block.rows when there is none.
CsvMisfit CsvPass::parse(const CsvRecords& block, Batch& into) {
  CsvMisfit first{block.rows, 0};
  for (size_t i = 0; i < targets_.size(); ++i) {
    size_t row = parsers_[i]->parse(block, targets_[i].file_column, into.columns[i]);
    if (row == block.rows && !targets_[i].field.nullable) row = first_null(into.columns[i], block.rows);
    if (row < first.row) first = {row, i};
  }
  return first;
}

Result<std::optional<CsvMisfit>> CsvPass::take(const CsvRecords& block, uint64_t bytes) {
  CsvMisfit first = parse(block, relay_.filling());
  if (first.row < block.rows) return std::optional<CsvMisfit>(first);
  return took(block, bytes);
}

Result<std::optional<CsvMisfit>> CsvPass::try_take(const CsvRecords& block, uint64_t bytes) {
  if (trial_.columns.empty()) trial_ = empty_batch();
  for (ColumnData& column : trial_.columns) column.clear();
  CsvMisfit first = parse(block, trial_);
  if (first.row < block.rows) return std::optional<CsvMisfit>(first);
  for (size_t i = 0; i < targets_.size(); ++i) relay_.filling().columns[i].append(trial_.columns[i].view());
  return took(block, bytes);
}

Result<std::optional<CsvMisfit>> CsvPass::took(const CsvRecords& block, uint64_t bytes) {
  rows_ += block.rows;
  gathered_bytes_ += bytes;
  if (gathered_bytes_ >= batch_bytes_) STELA_TRY(flush());
  return std::optional<CsvMisfit>();
}

// The last batch, often the only one, is not worth a thread.
Status CsvPass::finish() {
  STELA_TRY(relay_.wait());
  if (relay_.filling().rows() == 0) return {};
  STELA_TRY(begin());
  return sink_.append(relay_.filling());
}

Status CsvPass::flush() {
  STELA_TRY(relay_.wait());
  STELA_TRY(begin());
  gathered_bytes_ = 0;
  return relay_.hand_on();
}

Status CsvPass::begin() {
  if (begun_) return {};
  begun_ = true;
  return sink_.begin(schema_);
}

}  // namespace stela::fsd

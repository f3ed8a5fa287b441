// One walk over the rows of a CSV file with fixed types: blocks of records into batches into a sink.
//
// The sink takes a batch on a second thread while the next one is parsed (BatchRelay), and is not used after finish()
// or the destructor.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "fsd/ingest/batch_relay.h"
#include "fsd/ingest/csv_cells.h"
#include "fsd/ingest/csv_header.h"
#include "fsd/ingest/row_sink.h"

namespace stela::fsd {

// The first value, in order of rows and then of columns, that does not fit; a null where none may be included.
struct CsvMisfit {
  size_t row = 0;
  size_t target = 0;
};

class CsvPass {
 public:
  // One parser a target, of its type. `schema` is for a dataset without columns, else empty.
  CsvPass(std::vector<CsvTarget> targets, std::vector<std::unique_ptr<CellParser>> parsers, std::vector<Field> schema,
          RowSink& sink, uint64_t batch_bytes);

  // Takes a block whose text is `bytes` long. After a misfit the pass is of no more use but for evidence().
  Result<std::optional<CsvMisfit>> take(const CsvRecords& block, uint64_t bytes);
  // The same, but a misfit changes nothing: the pass goes on without that block.
  Result<std::optional<CsvMisfit>> try_take(const CsvRecords& block, uint64_t bytes);
  // Hands the last rows to the sink.
  Status finish();

  uint64_t rows() const { return rows_; }
  const CsvTarget& target(size_t index) const { return targets_[index]; }
  uint16_t evidence(size_t index) const { return parsers_[index]->evidence(); }

 private:
  CsvMisfit parse(const CsvRecords& block, Batch& into);
  Result<std::optional<CsvMisfit>> took(const CsvRecords& block, uint64_t bytes);
  static size_t first_null(const ColumnData& column, size_t rows);
  Batch empty_batch() const;
  Status flush();
  Status begin();

  std::vector<CsvTarget> targets_;
  std::vector<std::unique_ptr<CellParser>> parsers_;
  std::vector<Field> schema_;
  RowSink& sink_;
  uint64_t batch_bytes_;
  uint64_t rows_ = 0;
  uint64_t gathered_bytes_ = 0;
  bool begun_ = false;
  Batch trial_;  // of try_take()
  BatchRelay relay_;
};

}  // namespace stela::fsd

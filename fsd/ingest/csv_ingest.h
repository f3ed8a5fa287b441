// Rows of CSV and TSV files into a dataset: DESIGN in docs/csv.md.
#pragma once

#include <memory>
#include <string>

#include "fsd/ingest/csv_reader.h"
#include "fsd/ingest/ingest.h"
#include "fsd/ingest/row_sink.h"

namespace stela::fsd {

struct CsvTuning {
  size_t piece_bytes = 256 << 10;  // read and scanned at a time
  size_t sample_bytes = 1 << 20;   // judged before the first attempt at types
  size_t batch_bytes = 8 << 20;    // of text, gathered into one batch of rows
};

Result<std::unique_ptr<RowIngest>> start_csv_ingest(ByteSource& source, std::string file_name, char delimiter,
                                                    std::unique_ptr<RowSink> sink, const IngestOptions& options,
                                                    const CsvTuning& tuning = {});

const RowFormat& csv_format();
const RowFormat& tsv_format();

}  // namespace stela::fsd

// Rows of JSON lines into a dataset: docs/jsonl.md.
#pragma once

#include <memory>
#include <string>

#include "fsd/ingest/csv_ingest.h"
#include "fsd/ingest/ingest.h"
#include "fsd/ingest/row_sink.h"

namespace stela::fsd {

Result<std::unique_ptr<RowIngest>> start_jsonl_ingest(ByteSource& source, std::string file_name,
                                                      std::unique_ptr<RowSink> sink, const IngestOptions& options,
                                                      const CsvTuning& tuning = {});

const RowFormat& jsonl_format();
const RowFormat& ndjson_format();

}  // namespace stela::fsd

// Rows of Arrow IPC files and streams into a dataset.
#pragma once

#include <memory>
#include <string>

#include "fsd/ingest/ingest.h"
#include "fsd/ingest/row_sink.h"

namespace stela::fsd {

// Columns are matched by name as for CSV (options missing=null, extra=ignore); values must fit the dataset's types
// exactly (column_cast.h). An empty dataset gets the file's types. A file is taken whole or not at
// all; of a stream that is still being written each commit takes the batches that are there.
std::unique_ptr<RowIngest> start_arrow_ingest(ByteSource& source, std::string file_name, std::unique_ptr<RowSink> sink,
                                              const IngestOptions& options);

const RowFormat& arrow_row_format();
const RowFormat& feather_row_format();

}  // namespace stela::fsd

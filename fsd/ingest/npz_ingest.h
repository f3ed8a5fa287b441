// Rows of .npz files: each member NAME.npy is the column NAME, all of one length.
#pragma once

#include <memory>
#include <string>

#include "fsd/ingest/ingest.h"
#include "fsd/ingest/row_sink.h"

namespace stela::fsd {

// Columns are matched by name as for CSV; values must fit the dataset's types exactly (column_cast.h). A file is taken
// whole or not at all; lengths and CRC-32 of its members are checked.
std::unique_ptr<RowIngest> start_npz_ingest(ByteSource& source, std::string file_name, std::unique_ptr<RowSink> sink,
                                            const IngestOptions& options);

const RowFormat& npz_format();

}  // namespace stela::fsd

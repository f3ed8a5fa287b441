// Arrow IPC files and streams of one column.
#pragma once

#include <string>

#include "fsd/ingest/ingest.h"
#include "fsd/ingest/row_sink.h"

namespace stela::fsd {

// All record batches follow each other; dictionaries are decoded (`dictionary_bytes_max` of their values at
// most are held in memory). kInvalid says "incomplete" when the file ends too early.
Result<std::optional<VersionInfo>> commit_arrow_column(ByteSource& source, const std::string& file_name,
                                                       ColumnSink& sink, const std::string& name, bool replace,
                                                       const CommitInfo& info,
                                                       uint64_t dictionary_bytes_max = 256 << 20);

const ColumnFormat& arrow_column_format();

}  // namespace stela::fsd

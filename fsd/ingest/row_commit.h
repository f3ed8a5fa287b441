// The end of a file of text rows: its rows are committed, its rejected rows kept beside them.
#pragma once

#include <optional>

#include "fsd/ingest/rejections.h"
#include "fsd/ingest/row_sink.h"

namespace stela::fsd {

// Commits `rows` that the sink holds, or nothing when there are none. Rejected rows are counted in the commit's
// message. kInvalid when every row was rejected.
Result<std::optional<VersionInfo>> commit_rows(RowSink& sink, uint64_t rows, Rejections& rejections,
                                               const CommitInfo& info);

}  // namespace stela::fsd

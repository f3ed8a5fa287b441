// .npy files: one array as a column, or as rows of a dataset of one column.
#pragma once

#include <memory>
#include <string>

#include "fsd/ingest/ingest.h"
#include "fsd/ingest/row_sink.h"

namespace stela::fsd {

Result<std::optional<VersionInfo>> commit_npy_column(ByteSource& source, const std::string& file_name, ColumnSink& sink,
                                                     const std::string& name, bool replace, const CommitInfo& info);

// `column_name`: of the first column of a dataset that has none.
std::unique_ptr<RowIngest> start_npy_ingest(ByteSource& source, std::string file_name, std::string column_name,
                                            std::unique_ptr<RowSink> sink, const IngestOptions& options);

const RowFormat& npy_row_format();
const ColumnFormat& npy_column_format();

}  // namespace stela::fsd

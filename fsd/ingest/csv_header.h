// The first line of a CSV file, and how its columns meet those of a dataset.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/store/options.h"
#include "fsd/ingest/csv_scanner.h"
#include "fsd/ingest/ingest.h"

namespace stela::fsd {

inline constexpr size_t kColumnNameBytesMax = 4096;

// Names of the columns; kInvalid for empty, doubled and unreadable ones, kLimit for one that is too long.
Result<std::vector<std::string>> header_names(const CsvRecords& header);

// "c1", "c2", ...
std::vector<std::string> positional_names(size_t columns);

// A column of the file that goes into the dataset.
struct CsvTarget {
  size_t file_column = 0;
  Field field;
};

// Columns of a file by name against those of the dataset; kInvalid names what is missing or extra.
// `hint` ends the sentence for a file that has none of the columns.
Result<std::vector<CsvTarget>> match_columns(const std::vector<std::string>& names, const std::vector<Field>& fields,
                                             const IngestOptions& options, const char* hint = "");

}  // namespace stela::fsd

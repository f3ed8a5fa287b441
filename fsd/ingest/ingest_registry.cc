// Every input format has its line here.
#include <algorithm>
#include <array>

#include "fsd/ingest/arrow_column.h"
#include "fsd/ingest/csv_ingest.h"
#include "fsd/ingest/ingest.h"
#include "fsd/ingest/npy_ingest.h"

namespace stela::fsd {
namespace {

struct UnsupportedFormat {
  std::string_view extension;
  const char* way;
};
constexpr UnsupportedFormat kUnsupportedRowFormats[] = {
    {".jsonl", "write .csv (pandas: df.to_csv(path, index=False))"},
    {".ndjson", "write .csv (pandas: df.to_csv(path, index=False))"},
    {".json", "write .csv (pandas: df.to_csv(path, index=False))"},
    {".arrow", "write .csv, or copy each column as an .arrow file of its own beside the dataset's columns"},
    {".feather", "write .csv, or copy each column as an .arrow file of its own beside the dataset's columns"},
    {".parquet", "write .csv (duckdb: COPY (FROM 'x.parquet') TO 'x.csv')"},
    {".orc", "write .csv"},
    {".avro", "write .csv"},
    {".npz", "save each array as a .npy file of its own beside the dataset's columns"},
    {".xlsx", "save the sheet as .csv"},
    {".xls", "save the sheet as .csv"},
    {".gz", "decompress it first (gzip -d)"},
    {".zst", "decompress it first (zstd -d)"},
    {".xz", "decompress it first (xz -d)"},
    {".bz2", "decompress it first (bzip2 -d)"},
    {".zip", "unpack it first"},
};

}  // namespace

const RowFormat* find_row_format(std::string_view extension) {
  for (const RowFormat* format : {&csv_format(), &tsv_format(), &npy_row_format()}) {
    if (extension == format->extension()) return format;
  }
  return nullptr;
}

const ColumnFormat* find_column_format(std::string_view extension) {
  for (const ColumnFormat* format : {&npy_column_format(), &arrow_column_format()}) {
    if (extension == format->extension()) return format;
  }
  return nullptr;
}

std::optional<Status> unsupported_row_format(std::string_view extension) {
  for (const UnsupportedFormat& format : kUnsupportedRowFormats) {
    if (extension != format.extension) continue;
    return unsupported("rows cannot be read from " + std::string(extension) + " files; " + format.way);
  }
  return std::nullopt;
}

}  // namespace stela::fsd

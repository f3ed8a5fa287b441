// Every input format has its line here.
#include <algorithm>
#include <array>

#include "fsd/ingest/arrow_column.h"
#include "fsd/ingest/arrow_rows.h"
#include "fsd/ingest/csv_ingest.h"
#include "fsd/ingest/ingest.h"
#include "fsd/ingest/jsonl_ingest.h"
#include "fsd/ingest/npy_ingest.h"
#include "fsd/ingest/npz_ingest.h"

namespace stela::fsd {
namespace {

struct UnsupportedFormat {
  std::string_view extension;
  const char* way;
};
constexpr UnsupportedFormat kUnsupportedRowFormats[] = {
    {".json", "write one object a line as .jsonl (pandas: df.to_json(path, orient='records', lines=True))"},
    {".parquet",
     "write .arrow (pyarrow: pyarrow.feather.write_feather(pyarrow.parquet.read_table('x.parquet'), 'x.arrow'))"},
    {".orc", "write .csv"},
    {".avro", "write .csv"},
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
  for (const RowFormat* format : {&csv_format(), &tsv_format(), &jsonl_format(), &ndjson_format(), &npy_row_format(),
                                  &arrow_row_format(), &feather_row_format(), &npz_format()}) {
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

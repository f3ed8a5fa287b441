// The text of .schema.json as the columns it states (docs/types.md, "Stating types").
#pragma once

#include <string_view>
#include <vector>

#include "engine/store/options.h"
#include "fsd/ingest/ingest.h"

namespace stela::fsd {

inline constexpr uint64_t kSchemaBytesMax = 64 << 20;

// {"columns": [{"name": "fare", "type": "float64", "nullable": true}, ...]}. "file" of a column, "version" and "rows"
// are allowed, as a dataset's own .schema.json has them, and mean nothing. kInvalid names the column by number and
// name, the key or the type; kUnsupported a type that is not supported.
Result<std::vector<Field>> parse_schema(std::string_view text);

// Reads and parses a whole file. kLimit over kSchemaBytesMax.
Result<std::vector<Field>> read_schema(ByteSource& source);

}  // namespace stela::fsd

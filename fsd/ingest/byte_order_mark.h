// The first bytes of a text file: a UTF-8 byte order mark is skipped, UTF-16 is refused with the way.
#pragma once

#include <optional>
#include <string>

#include "fsd/ingest/ingest.h"

namespace stela::fsd {

// Where the text begins (0 or 3) in a source that has `end` bytes so far; nullopt while that is not known yet.
// `final`: no more will come. kInvalid for UTF-16.
Result<std::optional<uint64_t>> find_text_begin(ByteSource& source, uint64_t end, bool final,
                                                const std::string& file_name);

}  // namespace stela::fsd

// Bounds of text and binary values, cut to kBoundBytes.
#pragma once

#include <string_view>

#include "engine/format/statistics.h"

namespace stela::format {

// Sets min and max from the least and greatest value. A longer minimum is cut (a lower bound still); a
// longer maximum is cut and raised to the next larger text of that length. Where `utf8`, bounds of valid
// UTF-8 stay valid UTF-8. Leaves `statistics` without bounds when there is nothing above the cut maximum.
void set_byte_bounds(bool utf8, std::string_view least, std::string_view greatest, Statistics& statistics);

}  // namespace stela::format

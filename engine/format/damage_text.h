// The sentence for damaged values, the same wherever they are met.
#pragma once

#include "engine/format/fragment.h"

namespace stela::format {

// kDamaged: file, column, page, rows, what is wrong, what to do.
Status damage_status(const std::string& file_name, const Damage& damage);

}  // namespace stela::format

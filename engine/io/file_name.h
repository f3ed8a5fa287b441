// Names of store files: relative paths whose components hold letters, digits, '.', '_' and '-' and do not
// begin with a dot. Nothing else reaches the operating system, so no name leaves the store's directory.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/status.h"

namespace stela {

// kInvalid, with the name in the sentence, when `name` cannot name a file of a store.
Status check_file_name(std::string_view name);
// The same for a folder; "" is the store's own directory.
Status check_folder_name(std::string_view name);

// "data/0" of "data/0/12.frag"; "" of "STELA".
std::string_view folder_of(std::string_view name);
// "12.frag" of "data/0/12.frag".
std::string_view last_component(std::string_view name);
// "data/0" + "12.frag"; the name alone beneath "".
std::string join_name(std::string_view folder, std::string_view name);

}  // namespace stela

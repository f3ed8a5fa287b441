// The errors that one daemon told, for the next: STORE/errors.ndjson between an orderly end and the next mount.
#pragma once

#include <string>

namespace stela::fsd {

// "" when there are none. Reads at most the file's last mebibyte, from the start of a line.
std::string load_errors(const std::string& store_directory);

// Replaces the file as a whole; what cannot be written is said in the daemon's log, where the errors stand as well.
void save_errors(const std::string& store_directory, const std::string& lines);

}  // namespace stela::fsd

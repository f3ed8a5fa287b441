// Files of a POSIX directory; used by posix_env.cc and posix_log.cc.
#pragma once

#include <memory>

#include "engine/io/env.h"
#include "engine/io/posix_directory.h"

namespace stela {

std::unique_ptr<Files> make_posix_files(std::shared_ptr<PosixDirectory> directory);

// The names in a folder as Files::list says; an absent folder is empty.
Result<std::vector<std::string>> list_folder(const PosixDirectory& directory, const std::string& folder);

// Removes one file; kNotFound when absent, kIsDirectory when it is a folder.
Status remove_file(const PosixDirectory& directory, const std::string& name);

}  // namespace stela

// FileWriter of a POSIX directory; used by posix_files.cc.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "engine/io/env.h"
#include "engine/io/posix_directory.h"

namespace stela {

Result<std::unique_ptr<FileWriter>> create_posix_writer(std::shared_ptr<PosixDirectory> directory,
                                                        const std::string& name);

// In this order: the bytes of all files, their names, their inodes, the folders. A crash before the end leaves
// no name of a file whose bytes are not there.
Status finish_posix_writers(PosixDirectory& directory, std::span<FileWriter* const> writers);

}  // namespace stela

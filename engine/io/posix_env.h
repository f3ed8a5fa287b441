// The Env of a directory on a local POSIX filesystem (Linux). Layout: engine/io/README.md.
// Durability is by fdatasync and fsync only; a failed sync is reported and never repeated into success.
#pragma once

#include <memory>
#include <string>

#include "engine/base/status.h"
#include "engine/io/env.h"
#include "engine/io/posix_directory.h"

namespace stela {

// Fails when the directory cannot be opened (or made, with create_directory).
Result<std::shared_ptr<Env>> open_posix_env(const std::string& directory, const PosixOptions& options = {});

// The same with default options; when the directory cannot be opened, every operation says why.
std::shared_ptr<Env> posix_env(std::string directory);

}  // namespace stela

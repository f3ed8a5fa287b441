// The store's LOCK file: an open-file-description lock, which belongs to the descriptor and not to the process,
// so that a second opening in the same process is refused too. Used by posix_env.cc.
#pragma once

#include <memory>
#include <string>

#include "engine/io/env.h"
#include "engine/io/posix_directory.h"

namespace stela {

// kBusy with the holder's text and the store's directory when another holds it.
Result<std::unique_ptr<Lease>> acquire_posix_lease(std::shared_ptr<PosixDirectory> directory, const std::string& text);

}  // namespace stela

// LogDevice of a POSIX directory: log/NUMBER, one file a segment, written with zeros before its first use,
// because fdatasync of blocks that were written before needs no metadata. Used by posix_env.cc.
#pragma once

#include <memory>

#include "engine/io/env.h"
#include "engine/io/posix_directory.h"

namespace stela {

Result<std::unique_ptr<LogDevice>> open_posix_log(std::shared_ptr<PosixDirectory> directory, uint64_t segment_bytes);

}  // namespace stela

// The tree's answers in libfuse's words. Every reply may be the last reference to its request: call these
// last, holding no lock.
#pragma once

#include "fsd/fuse/libfuse.h"
#include "fsd/tree/tree.h"

namespace stela::fsd::fuse {

struct stat to_stat(const Attributes& attributes);
fuse_entry_param to_entry(const EntryReply& entry);
// Seconds for libfuse; INT64_MAX is as long as the kernel can count.
double to_timeout(int64_t timeout_ns);
Caller to_caller(const fuse_ctx& context);
// FOPEN_ flags as fields of `info`, and the handle.
void fill_file_info(const OpenReply& open, bool noflush, fuse_file_info& info);

}  // namespace stela::fsd::fuse

// The bytes of a member of a zip file, as a source: stored ones in place, deflated ones inflated as they are read.
#pragma once

#include <memory>

#include "fsd/ingest/zip_directory.h"

namespace stela::fsd {

// Of a deflated member that is read in any order.
inline constexpr uint64_t kZipMemberInMemoryMax = 64 << 20;
// Memory of a deflated member being read, besides what one read asks for.
inline constexpr uint64_t kInflateBytes = 128 << 10;

class ZipMemberSource : public ByteSource {
 public:
  // Reads what was not read yet and compares length and CRC-32 with the directory: kInvalid.
  virtual Status verify() = 0;
};

// `in_order`: reads go forwards; a deflated member keeps what the read before asked for, and a read from before that
// begins at the member's start again. Otherwise a deflated member is held in memory: kLimit when it is over
// kZipMemberInMemoryMax. The source must outlive it. One thread at a time.
Result<std::unique_ptr<ZipMemberSource>> open_zip_member(ByteSource& source, const ZipMember& member, bool in_order);

}  // namespace stela::fsd

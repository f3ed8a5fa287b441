// The members of a zip file (PKWARE APPNOTE 6.3, with zip64), from bytes that nobody vouches for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fsd/ingest/ingest.h"

namespace stela::fsd {

struct ZipMember {
  std::string name;
  bool deflated = false;  // else stored
  uint64_t data_offset = 0;
  uint64_t packed_bytes = 0;
  uint64_t bytes = 0;
  uint32_t crc32 = 0;
};

inline constexpr uint64_t kZipDirectoryBytesMax = 64 << 20;

// In the directory's order. kInvalid with "incomplete" when the file has no end record (yet), for members that overlap
// each other or the directory, for sizes that cannot be; kUnsupported for encryption, several disks and methods other
// than stored and deflated; kLimit for a directory over kZipDirectoryBytesMax. Reads the directory and each member's
// own header. O(n log n).
Result<std::vector<ZipMember>> read_zip_directory(ByteSource& source);

}  // namespace stela::fsd

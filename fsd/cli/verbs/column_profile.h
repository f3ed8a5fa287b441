// For `stela profile`: what a column takes in each encoding, and how fast that is read.
#pragma once

#include <string>
#include <vector>

#include "engine/store/snapshot.h"
#include "fsd/daemon/verb.h"

namespace stela::fsd {

// Pages of one encoding. Plain bytes are values, and four for the length of a text.
struct EncodingProfile {
  std::string encoding;  // its name; "plain file", "tail" or "null" where there are no pages
  uint64_t pages = 0, rows = 0;
  uint64_t plain_bytes = 0, stored_bytes = 0;
  uint64_t decoded_bytes = 0;  // plain bytes that the seconds were measured of
  double decode_seconds = 0;

  void add(const EncodingProfile& other);
};

struct ColumnProfile {
  ColumnInfo column;
  uint64_t nulls = 0;
  std::vector<EncodingProfile> encodings;  // the one with the most plain bytes first
  EncodingProfile total() const;
};

// Reads, on this thread, the first 256 MiB of values of each encoding twice, of which the faster time counts, in steps
// of at most about 8 MiB or a row. kDamaged where values cannot be read; kDeadline when `progress` says stop.
Result<ColumnProfile> profile_column(const Snapshot& snapshot, const ColumnInfo& column,
                                     const ProgressFunction& progress);

}  // namespace stela::fsd

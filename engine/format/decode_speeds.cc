// Written by bench/encodings --speeds.
#include "engine/format/decode_speeds.h"

namespace stela::format {

double decode_speed(EncodingId id) {
  switch (static_cast<uint16_t>(id)) {
    case 1: return 43.5;  // plain
    case 2: return 57.6;  // constant
    case 3: return 25.7;  // packed
    case 4: return 13.3;  // delta
    case 5: return 4.3;   // runs
    case 6: return 9.2;   // dictionary
    case 7: return 19.0;  // narrow
    case 8: return 11.5;  // alp
    case 9: return 5.7;   // fsst
    case 10: return 3.3;  // byte_split
    case 11: return 1.4;  // zstd
    case 12: return 1.5;  // snappy
    case 13: return 2.7;  // alp_rd
    case 14: return 5.7;  // fsst_large
    case 15: return 25.7;  // packed_tight
    case 16: return 8.0;  // roaring
    case 17: return 2.4;  // rans
    case 18: return 8.0;  // roaring_indexed
    default: return 1.0;
  }
}

}  // namespace stela::format

// How fast each encoding decodes: what read factors are made of (encoding_choice.h).
#pragma once

#include "engine/format/encoding.h"

namespace stela::format {

// Gigabytes of plain values a second, one core, as measured by `bench/encodings --speeds engine/format/decode_speeds.cc`,
// which writes the table anew. Only their ratios count; they are of the encodings, not of the machine that runs this.
double decode_speed(EncodingId id);

}  // namespace stela::format

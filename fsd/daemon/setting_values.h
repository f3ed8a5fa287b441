// Values of settings as people write them: "64MiB", "200ms", "on", "6.1", and back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "fsd/fuse/init_exchange.h"

namespace stela::fsd {

// A whole number with an optional unit: B, K or KiB, M or MiB, G or GiB, T or TiB (powers of 1024). kInvalid
// says what is wrong with the text.
Result<uint64_t> parse_size(std::string_view text);
std::string format_size(uint64_t bytes);  // the largest unit that divides it: "64MiB", "1000B"
// A whole number with a unit: ns, us, ms, s, min, h, d.
Result<int64_t> parse_duration_ns(std::string_view text);
std::string format_duration_ns(int64_t ns);
Result<uint64_t> parse_count(std::string_view text);
// on, yes, true, 1 and an empty text; off, no, false, 0.
Result<bool> parse_switch(std::string_view text);
// "auto" (all zero) or "MAJOR.MINOR".
Result<fuse::KernelVersion> parse_kernel(std::string_view text);
std::string format_kernel(fuse::KernelVersion version);

}  // namespace stela::fsd

// Dates, times and durations as ISO 8601 text, for every int64 there is.
#pragma once

#include <cstdint>
#include <string>

#include "engine/types/data_type.h"

namespace stela::fsd {

// "2026-11-22"; years outside 0000..9999 have a sign and at least four digits ("-0001-12-31").
void append_date(int64_t days, std::string& out);
// "2026-11-22T10:00:00.123", then "Z" where `utc`. The fraction has as many groups of three digits as the
// value needs, none when it is zero.
void append_timestamp(int64_t value, TimeUnit unit, bool utc, std::string& out);
// "10:00:00.5" is "10:00:00.500"; hours may pass 23, a sign comes first.
void append_time_of_day(int64_t value, TimeUnit unit, std::string& out);
// "PT8H6M12.345S", "-PT1S", "PT0S".
void append_duration(int64_t value, TimeUnit unit, std::string& out);
// "2026-11-22T10:00:00.123456789Z": RFC 3339 with all nine digits.
std::string rfc3339_ns(int64_t utc_ns);

}  // namespace stela::fsd

// ISO 8601 dates, times of day and timestamps as they stand in text files.
//
// Pure functions of their arguments. No locale, no leap seconds, no time zone names.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/types/data_type.h"

namespace stela::fsd {

inline constexpr int64_t kSecondsPerDay = 86400;

// Days since 1970-01-01 in the proleptic Gregorian calendar (H. Hinnant, "chrono-compatible low-level
// date algorithms").
int64_t days_from_civil(int64_t year, unsigned month, unsigned day);

// "YYYY-MM-DD", a day that exists, nothing around it.
bool parse_iso_date(std::string_view text, int64_t* days);

struct IsoTimestamp {
  int64_t seconds = 0;       // since 1970-01-01T00:00:00, UTC where there is a zone
  uint32_t nanoseconds = 0;  // 0 .. 999,999,999 after `seconds`
  uint8_t digits = 0;        // of the fraction as written, 0 .. 9
  bool date_only = false;
  bool zoned = false;
};
// "YYYY-MM-DD", or that, T or a space, "HH:MM[:SS[.f]]" with one to nine digits of fraction, then nothing,
// Z, +hh:mm, +hhmm or +hh.
bool parse_iso_timestamp(std::string_view text, IsoTimestamp* out);

// "HH:MM[:SS[.f]]".
bool parse_iso_time_of_day(std::string_view text, int64_t* seconds, uint32_t* nanoseconds, uint8_t* digits);

// seconds and nanoseconds as one number of `unit`; false when a digit would be lost or it does not fit.
bool to_unit(int64_t seconds, uint32_t nanoseconds, TimeUnit unit, int64_t* out);

// "[-]P[nD][T[nH][nM][n[.f]S]]" with at least one part, as a count of `unit`; false when a digit would be
// lost or it does not fit.
bool parse_iso_duration(std::string_view text, TimeUnit unit, int64_t* count);

}  // namespace stela::fsd

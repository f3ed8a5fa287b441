#include "fsd/ingest/iso_time.h"

namespace stela::fsd {
namespace {

// Two digits at `p` as a number, or a number above 99.
inline unsigned two_digits(const char* p) {
  unsigned tens = static_cast<unsigned char>(p[0]) - unsigned{'0'};
  unsigned ones = static_cast<unsigned char>(p[1]) - unsigned{'0'};
  return tens > 9 || ones > 9 ? 100 : tens * 10 + ones;
}

inline unsigned days_in_month(unsigned year, unsigned month) {
  static constexpr uint8_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

// The ten characters at `p`.
bool date_at(const char* p, int64_t* days) {
  unsigned century = two_digits(p), year = two_digits(p + 2), month = two_digits(p + 5), day = two_digits(p + 8);
  if (century > 99 || year > 99 || p[4] != '-' || p[7] != '-' || month < 1 || month > 12) return false;
  year += century * 100;
  if (day < 1 || day > days_in_month(year, month)) return false;
  *days = days_from_civil(year, month, day);
  return true;
}

// Reads a time of day from the front of `text`; returns how many characters it took, 0 for none.
size_t time_at(std::string_view text, int64_t* seconds, uint32_t* nanoseconds, uint8_t* digits) {
  *nanoseconds = 0;
  *digits = 0;
  if (text.size() < 5 || text[2] != ':') return 0;
  unsigned hour = two_digits(text.data()), minute = two_digits(text.data() + 3);
  if (hour > 23 || minute > 59) return 0;
  *seconds = int64_t{hour} * 3600 + int64_t{minute} * 60;
  if (text.size() < 6 || text[5] != ':') return 5;
  if (text.size() < 8) return 0;
  unsigned second = two_digits(text.data() + 6);
  if (second > 59) return 0;
  *seconds += second;
  if (text.size() < 9 || text[8] != '.') return 8;
  size_t at = 9;
  uint32_t fraction = 0;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
    if (at == 18) return 0;
    fraction = fraction * 10 + static_cast<uint32_t>(text[at++] - '0');
  }
  if (at == 9) return 0;
  *digits = static_cast<uint8_t>(at - 9);
  for (size_t i = at - 9; i < 9; ++i) fraction *= 10;
  *nanoseconds = fraction;
  return at;
}

// "Z", "+hh:mm", "+hhmm", "+hh": seconds east of UTC.
bool parse_zone(std::string_view text, int64_t* east) {
  *east = 0;
  if (text == "Z") return true;
  if (text.size() < 3 || (text[0] != '+' && text[0] != '-')) return false;
  unsigned hours = two_digits(text.data() + 1), minutes = 0;
  if (text.size() == 6 && text[3] == ':') {
    minutes = two_digits(text.data() + 4);
  } else if (text.size() == 5) {
    minutes = two_digits(text.data() + 3);
  } else if (text.size() != 3) {
    return false;
  }
  if (hours > 23 || minutes > 59) return false;
  *east = (int64_t{hours} * 3600 + int64_t{minutes} * 60) * (text[0] == '-' ? -1 : 1);
  return true;
}

}  // namespace

int64_t days_from_civil(int64_t year, unsigned month, unsigned day) {
  year -= month <= 2;
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  auto year_of_era = static_cast<unsigned>(year - era * 400);
  unsigned day_of_year = (153 * (month + (month > 2 ? -3u : 9u)) + 2) / 5 + day - 1;
  unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + int64_t{day_of_era} - 719468;
}

bool parse_iso_date(std::string_view text, int64_t* days) { return text.size() == 10 && date_at(text.data(), days); }

bool parse_iso_time_of_day(std::string_view text, int64_t* seconds, uint32_t* nanoseconds, uint8_t* digits) {
  return !text.empty() && time_at(text, seconds, nanoseconds, digits) == text.size();
}

bool parse_iso_timestamp(std::string_view text, IsoTimestamp* out) {
  int64_t days = 0;
  if (text.size() < 10 || !date_at(text.data(), &days)) return false;
  *out = {};
  out->seconds = days * kSecondsPerDay;
  if (text.size() == 10) {
    out->date_only = true;
    return true;
  }
  if (text[10] != 'T' && text[10] != ' ') return false;
  std::string_view clock = text.substr(11);
  int64_t seconds = 0;
  size_t taken = time_at(clock, &seconds, &out->nanoseconds, &out->digits);
  if (taken == 0) return false;
  out->seconds += seconds;
  if (taken == clock.size()) return true;
  int64_t east = 0;
  if (!parse_zone(clock.substr(taken), &east)) return false;
  out->seconds -= east;
  out->zoned = true;
  return true;
}

bool to_unit(int64_t seconds, uint32_t nanoseconds, TimeUnit unit, int64_t* out) {
  int64_t per_second = units_per_second(unit);
  auto nanoseconds_each = static_cast<uint32_t>(1'000'000'000 / per_second);
  if (nanoseconds % nanoseconds_each != 0) return false;
  int64_t whole = 0;
  auto part = static_cast<int64_t>(nanoseconds / nanoseconds_each);
  // Before 1970 the seconds are below zero and the part counts upwards from them: add before multiplying
  // by shifting one second, so that the smallest values do not overflow half-way.
  if (seconds < 0 && part > 0) {
    seconds += 1;
    part -= per_second;
  }
  // The smallest number is NaT.
  return !__builtin_mul_overflow(seconds, per_second, &whole) && !__builtin_add_overflow(whole, part, out) &&
         *out != INT64_MIN;
}

bool parse_iso_duration(std::string_view text, TimeUnit unit, int64_t* count) {
  bool negative = !text.empty() && text[0] == '-';
  size_t at = negative ? 1 : 0;
  if (at == text.size() || text[at++] != 'P') return false;
  static constexpr struct {
    char letter;
    int64_t seconds;
    bool after_t;
  } kParts[] = {{'D', kSecondsPerDay, false}, {'H', 3600, true}, {'M', 60, true}, {'S', 1, true}};
  int64_t seconds = 0;
  uint32_t nanoseconds = 0;
  bool after_t = false, any = false;
  for (size_t part = 0; at < text.size();) {
    if (text[at] == 'T' && !after_t) {
      after_t = true;
      if (++at == text.size()) return false;
      continue;
    }
    size_t digits_begin = at;
    int64_t number = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
      if (__builtin_mul_overflow(number, 10, &number) || __builtin_add_overflow(number, text[at] - '0', &number))
        return false;
    }
    if (at == digits_begin || at == text.size()) return false;
    bool fraction = text[at] == '.';
    if (fraction) {
      size_t begin = ++at;
      for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
        if (at - begin == 9) return false;
        nanoseconds = nanoseconds * 10 + static_cast<uint32_t>(text[at] - '0');
      }
      if (at == begin || at == text.size()) return false;
      for (size_t i = at - begin; i < 9; ++i) nanoseconds *= 10;
    }
    while (part < 4 && kParts[part].letter != text[at]) ++part;
    if (part == 4 || kParts[part].after_t != after_t || (fraction && text[at] != 'S')) return false;
    if (__builtin_mul_overflow(number, kParts[part].seconds, &number)) return false;
    if (__builtin_add_overflow(seconds, number, &seconds)) return false;
    any = true;
    ++part;
    ++at;
  }
  if (!any) return false;
  // A negative fraction is written as a borrowed second, as to_unit expects.
  if (negative) {
    seconds = -seconds - (nanoseconds > 0 ? 1 : 0);
    if (nanoseconds > 0) nanoseconds = 1'000'000'000 - nanoseconds;
  }
  return to_unit(seconds, nanoseconds, unit, count);
}

}  // namespace stela::fsd

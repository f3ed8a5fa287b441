#include "fsd/views/time_text.h"

#include <charconv>

namespace stela::fsd {
namespace {

constexpr int64_t kSecondsPerDay = 86400;

struct FloorDivision {
  int64_t quotient;
  int64_t remainder;  // 0 <= remainder < divisor
};
FloorDivision floor_divide(int64_t value, int64_t divisor) {
  int64_t quotient = value / divisor;
  int64_t remainder = value % divisor;
  if (remainder < 0) return {quotient - 1, remainder + divisor};
  return {quotient, remainder};
}

void append_number(uint64_t value, std::string& out) {
  char text[24];
  auto end = std::to_chars(text, text + sizeof text, value).ptr;
  out.append(text, end);
}

void append_two(int64_t value, std::string& out) {
  out.push_back(static_cast<char>('0' + value / 10));
  out.push_back(static_cast<char>('0' + value % 10));
}

void append_padded(uint64_t value, size_t digits, std::string& out) {
  char text[24];
  auto end = std::to_chars(text, text + sizeof text, value).ptr;
  auto count = static_cast<size_t>(end - text);
  if (count < digits) out.append(digits - count, '0');
  out.append(text, end);
}

// `fraction` of a second in `unit`, as ".123", ".123456" or ".123456789"; nothing when it is zero.
void append_fraction(int64_t fraction, TimeUnit unit, std::string& out) {
  if (fraction == 0) return;
  auto digits = static_cast<size_t>(unit) * 3;
  while (fraction % 1000 == 0) {
    fraction /= 1000;
    digits -= 3;
  }
  out.push_back('.');
  append_padded(static_cast<uint64_t>(fraction), digits, out);
}

void append_clock(int64_t second_of_day, std::string& out) {
  append_two(second_of_day / 3600, out);
  out.push_back(':');
  append_two(second_of_day / 60 % 60, out);
  out.push_back(':');
  append_two(second_of_day % 60, out);
}

struct Magnitude {
  uint64_t seconds;
  int64_t fraction;
};
Magnitude magnitude_of(int64_t value, TimeUnit unit) {
  uint64_t units = value < 0 ? uint64_t{0} - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  auto per_second = static_cast<uint64_t>(units_per_second(unit));
  return {units / per_second, static_cast<int64_t>(units % per_second)};
}

}  // namespace

// Civil date from a day count: eras of 400 years of 146,097 days, years that begin in March. Method: Howard
// Hinnant, "chrono-Compatible Low-Level Date Algorithms".
void append_date(int64_t days, std::string& out) {
  auto [era_1970, day_1970] = floor_divide(days, 146097);
  auto [era_shift, day_of_era] = floor_divide(day_1970 + 719468, 146097);  // day 0 of era 0 is 0000-03-01
  int64_t era = era_1970 + era_shift;
  int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t month_from_march = (5 * day_of_year + 2) / 153;
  int64_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  int64_t year = era * 400 + year_of_era + (month <= 2 ? 1 : 0);
  if (year < 0 || year > 9999) out.push_back(year < 0 ? '-' : '+');
  append_padded(static_cast<uint64_t>(year < 0 ? -year : year), 4, out);
  out.push_back('-');
  append_two(month, out);
  out.push_back('-');
  append_two(day, out);
}

void append_timestamp(int64_t value, TimeUnit unit, bool utc, std::string& out) {
  auto [seconds, fraction] = floor_divide(value, units_per_second(unit));
  auto [days, second_of_day] = floor_divide(seconds, kSecondsPerDay);
  append_date(days, out);
  out.push_back('T');
  append_clock(second_of_day, out);
  append_fraction(fraction, unit, out);
  if (utc) out.push_back('Z');
}

void append_time_of_day(int64_t value, TimeUnit unit, std::string& out) {
  auto [seconds, fraction] = magnitude_of(value, unit);
  if (value < 0) out.push_back('-');
  append_padded(seconds / 3600, 2, out);
  out.push_back(':');
  append_two(static_cast<int64_t>(seconds / 60 % 60), out);
  out.push_back(':');
  append_two(static_cast<int64_t>(seconds % 60), out);
  append_fraction(fraction, unit, out);
}

void append_duration(int64_t value, TimeUnit unit, std::string& out) {
  auto [seconds, fraction] = magnitude_of(value, unit);
  if (value < 0) out.push_back('-');
  out.append("PT");
  uint64_t hours = seconds / 3600;
  uint64_t minutes = seconds / 60 % 60;
  uint64_t rest = seconds % 60;
  if (hours > 0) append_number(hours, out), out.push_back('H');
  if (minutes > 0) append_number(minutes, out), out.push_back('M');
  if (rest == 0 && fraction == 0 && seconds > 0) return;
  append_number(rest, out);
  append_fraction(fraction, unit, out);
  out.push_back('S');
}

std::string rfc3339_ns(int64_t utc_ns) {
  std::string out;
  auto [seconds, fraction] = floor_divide(utc_ns, 1'000'000'000);
  append_timestamp(seconds, TimeUnit::kSecond, false, out);
  out.push_back('.');
  append_padded(static_cast<uint64_t>(fraction), 9, out);
  out.push_back('Z');
  return out;
}

}  // namespace stela::fsd

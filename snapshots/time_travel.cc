#include "snapshots/time_travel.h"

#include <charconv>
#include <cstdio>
#include <limits>
#include <optional>

#include "snapshots/tags.h"

namespace stela {

namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;

// Days since 1970-01-01 of a date of the Gregorian calendar; Howard Hinnant, "chrono-Compatible Low-Level
// Date Algorithms".
int64_t days_from_civil(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2 ? 1 : 0;
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  int64_t year_of_era = year - era * 400;
  int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

void civil_from_days(int64_t days, int64_t* year, int64_t* month, int64_t* day) {
  days += 719468;
  int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  int64_t day_of_era = days - era * 146097;
  int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t shifted = (5 * day_of_year + 2) / 153;
  *day = day_of_year - (153 * shifted + 2) / 5 + 1;
  *month = shifted + (shifted < 10 ? 3 : -9);
  *year = year_of_era + era * 400 + (*month <= 2 ? 1 : 0);
}

// Walks fixed-width decimal fields.
class Fields {
 public:
  explicit Fields(std::string_view text) : rest_(text) {}
  bool digits(size_t count, int64_t* value) {
    if (rest_.size() < count) return false;
    *value = 0;
    for (char c : rest_.substr(0, count)) {
      if (c < '0' || c > '9') return false;
      *value = *value * 10 + (c - '0');
    }
    rest_.remove_prefix(count);
    return true;
  }
  bool one_of(std::string_view allowed, char* which = nullptr) {
    if (rest_.empty() || allowed.find(rest_.front()) == std::string_view::npos) return false;
    if (which != nullptr) *which = rest_.front();
    rest_.remove_prefix(1);
    return true;
  }
  bool at_end() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

bool valid_date(int64_t year, int64_t month, int64_t day) {
  if (month < 1 || month > 12 || day < 1 || day > 31) return false;
  int64_t y = 0;
  int64_t m = 0;
  int64_t d = 0;
  civil_from_days(days_from_civil(year, month, day), &y, &m, &d);
  return y == year && m == month && d == day;
}

std::optional<int64_t> parse_fraction(Fields& in) {
  int64_t ns = 0;
  int64_t scale = kNsPerSecond;
  int64_t digit = 0;
  size_t count = 0;
  while (in.digits(1, &digit)) {
    scale /= 10;
    ns += digit * scale;
    ++count;
  }
  if (count == 0 || count > 9) return std::nullopt;
  return ns;
}

std::optional<int64_t> parse_calendar(std::string_view text) {
  Fields in(text);
  int64_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ns = 0, offset_minutes = 0;
  if (!in.digits(4, &year) || !in.one_of("-") || !in.digits(2, &month) || !in.one_of("-") || !in.digits(2, &day) ||
      !valid_date(year, month, day)) {
    return std::nullopt;
  }
  if (!in.at_end()) {
    if (!in.one_of("Tt ") || !in.digits(2, &hour) || !in.one_of(":") || !in.digits(2, &minute) || !in.one_of(":") ||
        !in.digits(2, &second) || hour > 23 || minute > 59 || second > 60) {
      return std::nullopt;
    }
    if (in.one_of(".")) {
      auto fraction = parse_fraction(in);
      if (!fraction) return std::nullopt;
      ns = *fraction;
    }
    char sign = 0;
    if (in.one_of("+-", &sign)) {
      int64_t hours = 0;
      int64_t minutes = 0;
      if (!in.digits(2, &hours) || !in.one_of(":") || !in.digits(2, &minutes) || hours > 23 || minutes > 59)
        return std::nullopt;
      offset_minutes = (hours * 60 + minutes) * (sign == '-' ? -1 : 1);
    } else if (!in.one_of("Zz")) {
      return std::nullopt;
    }
    if (!in.at_end()) return std::nullopt;
  }
  int64_t seconds =
      days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset_minutes * 60;
  int64_t result = 0;
  if (__builtin_mul_overflow(seconds, kNsPerSecond, &result) || __builtin_add_overflow(result, ns, &result)) {
    return seconds < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
  }
  return result;
}

std::optional<int64_t> parse_epoch(std::string_view text) {
  bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  int64_t seconds = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  int64_t ns = 0;
  Fields in(text.substr(static_cast<size_t>(end - text.data())));
  if (in.one_of(".")) {
    auto fraction = parse_fraction(in);
    if (!fraction) return std::nullopt;
    ns = *fraction;
  }
  int64_t result = 0;
  if (!in.at_end() || __builtin_mul_overflow(seconds, kNsPerSecond, &result) ||
      __builtin_add_overflow(result, ns, &result)) {
    return std::nullopt;
  }
  return negative ? -result : result;
}

}  // namespace

Result<int64_t> parse_time(std::string_view text) {
  auto time = text.starts_with('@') ? parse_epoch(text.substr(1)) : parse_calendar(text);
  if (time) return *time;
  return invalid("'" + std::string(text) +
                 "' is no time; write 2026-11-22T10:00:00Z, a date such as 2026-11-22, or @ and seconds since 1970");
}

std::string format_time(int64_t utc_ns) {
  int64_t seconds = utc_ns / kNsPerSecond - (utc_ns % kNsPerSecond < 0 ? 1 : 0);
  int64_t ns = utc_ns - seconds * kNsPerSecond;
  int64_t days = seconds / 86400 - (seconds % 86400 < 0 ? 1 : 0);
  int64_t of_day = seconds - days * 86400;
  int64_t year = 0, month = 0, day = 0;
  civil_from_days(days, &year, &month, &day);
  char text[64];
  std::snprintf(text, sizeof(text), "%04lld-%02lld-%02lldT%02lld:%02lld:%02lld.%09lldZ", static_cast<long long>(year),
                static_cast<long long>(month), static_cast<long long>(day), static_cast<long long>(of_day / 3600),
                static_cast<long long>(of_day / 60 % 60), static_cast<long long>(of_day % 60),
                static_cast<long long>(ns));
  return text;
}

Result<VersionNumber> version_at(const Table& table, int64_t utc_ns) {
  STELA_ASSIGN(VersionNumber newest, table.latest());
  uint64_t low = 0;                  // committed at or before utc_ns (0: nothing is)
  uint64_t high = newest.value + 1;  // after it
  while (high - low > 1) {
    uint64_t middle = low + (high - low) / 2;
    STELA_ASSIGN(VersionInfo info, table.version(VersionNumber{middle}));
    (info.time_ns <= utc_ns ? low : high) = middle;
  }
  if (low == 0) return not_found("the dataset had no version at " + format_time(utc_ns));
  return VersionNumber{low};
}

Result<VersionNumber> version_named(const Store& store, const Table& table, std::string_view text) {
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) {
    STELA_ASSIGN(VersionInfo info, table.version(VersionNumber{number}));
    return info.number;
  }
  auto tag = find_tag(store, table.id(), text);
  if (tag.ok()) return tag->version;
  if (tag.status().code() != Code::kNotFound && tag.status().code() != Code::kInvalid) return tag.status();
  auto time = parse_time(text);
  if (time.ok()) return version_at(table, *time);
  return not_found("'" + std::string(text) + "' is neither a version's number nor a tag; a time is written as " +
                   "2026-11-22T10:00:00Z, as a date such as 2026-11-22, or as @ and seconds since 1970");
}

Result<std::vector<VersionInfo>> version_log(const Table& table, VersionNumber before, size_t limit) {
  std::vector<VersionInfo> log;
  STELA_ASSIGN(VersionNumber newest, table.latest());
  uint64_t next = before.value == 0 ? newest.value : std::min(newest.value, before.value - 1);
  for (; next > 0 && log.size() < limit; --next) {
    STELA_ASSIGN(VersionInfo info, table.version(VersionNumber{next}));
    log.push_back(std::move(info));
  }
  return log;
}

}  // namespace stela

#include "fsd/daemon/setting_values.h"

#include <charconv>
#include <limits>

namespace stela::fsd {
namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
};
constexpr Unit kSizeUnits[] = {
    {"TiB", 1ull << 40}, {"GiB", 1ull << 30}, {"MiB", 1ull << 20}, {"KiB", 1ull << 10}, {"B", 1},
    {"T", 1ull << 40},   {"G", 1ull << 30},   {"M", 1ull << 20},   {"K", 1ull << 10},   {"", 1}};
constexpr Unit kTimeUnits[] = {{"d", 86'400'000'000'000},
                               {"h", 3'600'000'000'000},
                               {"min", 60'000'000'000},
                               {"s", 1'000'000'000},
                               {"ms", 1'000'000},
                               {"us", 1'000},
                               {"ns", 1}};

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

template <size_t N>
Result<uint64_t> parse_with_unit(std::string_view text, const Unit (&units)[N], std::string_view expected) {
  uint64_t number = 0;
  auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return invalid(quoted(text) + " is not " + std::string(expected));
  std::string_view name(rest, static_cast<size_t>(text.data() + text.size() - rest));
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    if (number > std::numeric_limits<int64_t>::max() / unit.factor) return invalid(quoted(text) + " is too large");
    return number * unit.factor;
  }
  return invalid(quoted(text) + " is not " + std::string(expected));
}

// The first unit that divides `value` whole.
template <size_t N>
std::string format_with_unit(uint64_t value, const Unit (&units)[N], size_t considered, std::string_view base) {
  for (size_t i = 0; i < considered; ++i) {
    if (value != 0 && value % units[i].factor == 0) {
      return std::to_string(value / units[i].factor) + std::string(units[i].name);
    }
  }
  return std::to_string(value) + std::string(base);
}

}  // namespace

Result<uint64_t> parse_size(std::string_view text) {
  return parse_with_unit(text, kSizeUnits, "a size such as 64MiB or 4096");
}
std::string format_size(uint64_t bytes) { return format_with_unit(bytes, kSizeUnits, 5, "B"); }

Result<int64_t> parse_duration_ns(std::string_view text) {
  STELA_ASSIGN(uint64_t ns, parse_with_unit(text, kTimeUnits, "a time with its unit, such as 200ms or 60s"));
  return static_cast<int64_t>(ns);
}
std::string format_duration_ns(int64_t ns) { return format_with_unit(static_cast<uint64_t>(ns), kTimeUnits, 7, "s"); }

Result<uint64_t> parse_count(std::string_view text) {
  uint64_t number = 0;
  auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || rest != text.data() + text.size())
    return invalid(quoted(text) + " is not a whole number");
  return number;
}

Result<bool> parse_switch(std::string_view text) {
  if (text.empty() || text == "on" || text == "yes" || text == "true" || text == "1") return true;
  if (text == "off" || text == "no" || text == "false" || text == "0") return false;
  return invalid(quoted(text) + " is neither on nor off");
}

Result<fuse::KernelVersion> parse_kernel(std::string_view text) {
  if (text == "auto") return fuse::KernelVersion{};
  size_t dot = text.find('.');
  if (dot != std::string_view::npos) {
    Result<uint64_t> major = parse_count(text.substr(0, dot));
    Result<uint64_t> minor = parse_count(text.substr(dot + 1));
    if (major.ok() && minor.ok() && *major >= 1 && *major <= 1000 && *minor <= 1000) {
      return fuse::KernelVersion{static_cast<uint32_t>(*major), static_cast<uint32_t>(*minor)};
    }
  }
  return invalid(quoted(text) + " is neither auto nor a kernel's version such as 6.1");
}

std::string format_kernel(fuse::KernelVersion version) {
  if (version.major == 0) return "auto";
  return std::to_string(version.major) + "." + std::to_string(version.minor);
}

}  // namespace stela::fsd

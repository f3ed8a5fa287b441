#include "bench/support/report.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace stela::bench {

namespace {

std::string format(const char* pattern, double value) {
  std::array<char, 64> text{};
  int length = std::snprintf(text.data(), text.size(), pattern, value);
  return {text.data(), static_cast<size_t>(length)};
}

}  // namespace

Report::Report(std::string title) : title_(std::move(title)) {
  rows_.push_back({"what", "Stela", "plain", "ratio", "goal"});
}

Report::~Report() {
  std::vector<size_t> widths(rows_[0].size(), 3);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::printf("\n%s\n\n", title_.c_str());
  for (size_t at = 0; at < rows_.size(); ++at) {
    std::printf("|");
    for (size_t i = 0; i < widths.size(); ++i) {
      std::printf(" %-*s |", static_cast<int>(widths[i]), rows_[at][i].c_str());
    }
    std::printf("\n");
    if (at > 0) continue;
    std::printf("|");
    for (size_t width : widths) std::printf("%s|", std::string(width + 2, '-').c_str());
    std::printf("\n");
  }
  std::fflush(stdout);
}

void Report::add(std::string what, std::string figure, std::string plain, std::string ratio, std::string goal) {
  rows_.push_back({std::move(what), std::move(figure), std::move(plain), std::move(ratio), std::move(goal)});
}

void Report::add_time(std::string what, double seconds, double plain_seconds, std::string goal) {
  add(std::move(what), format_seconds(seconds), format_seconds(plain_seconds),
      plain_seconds > 0 ? format_ratio(seconds / plain_seconds) : std::string(), std::move(goal));
}

std::string format_seconds(double seconds) {
  if (seconds < 1e-3) return format("%.1f us", seconds * 1e6);
  if (seconds < 1) return format("%.2f ms", seconds * 1e3);
  return format("%.2f s", seconds);
}

std::string format_bytes(uint64_t bytes) {
  auto value = static_cast<double>(bytes);
  if (bytes < 1000) return format("%.0f B", value);
  if (bytes < 1'000'000) return format("%.1f kB", value / 1e3);
  if (bytes < 1'000'000'000) return format("%.1f MB", value / 1e6);
  return format("%.2f GB", value / 1e9);
}

std::string format_ratio(double ratio) { return format("%.2fx", ratio); }

std::string format_count(uint64_t count) {
  std::string digits = std::to_string(count);
  for (size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

}  // namespace stela::bench

// The table a benchmark prints: what was done, its figure, the same on a plain file, their ratio, the goal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stela::bench {

class Report {
 public:
  explicit Report(std::string title);
  // Prints what was added, columns aligned.
  ~Report();
  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;

  // `goal` is text: benchmarks judge nothing.
  void add(std::string what, std::string figure, std::string plain = {}, std::string ratio = {}, std::string goal = {});
  // figure / plain as the ratio, both durations in seconds.
  void add_time(std::string what, double seconds, double plain_seconds, std::string goal = {});

 private:
  std::string title_;
  std::vector<std::vector<std::string>> rows_;
};

std::string format_seconds(double seconds);  // "12.3 us", "4.56 ms", "7.89 s"
std::string format_bytes(uint64_t bytes);    // "812 B", "4.1 MB", powers of 1,000
std::string format_ratio(double ratio);      // "1.23x"
std::string format_count(uint64_t count);    // "10,000"

}  // namespace stela::bench

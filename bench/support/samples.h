// Durations of one thing done many times.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

namespace stela::bench {

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Seconds, in the order they were measured. Quantiles of no samples are 0.
class Samples {
 public:
  void add(double seconds) { seconds_.push_back(seconds); }
  // Times `work()` and adds what it took.
  template <typename Work>
  auto time(Work&& work) {
    struct AddAtEnd {
      Samples& samples;
      Stopwatch watch;
      ~AddAtEnd() { samples.add(watch.seconds()); }
    } timer{*this, {}};
    return work();
  }
  size_t size() const { return seconds_.size(); }
  double quantile(double q) const;
  double median() const { return quantile(0.5); }
  double sum() const;
  // [first, first + count) of them, cut at the end.
  Samples slice(size_t first, size_t count) const;
  Samples first(size_t count) const { return slice(0, count); }
  Samples last(size_t count) const { return slice(seconds_.size() - std::min(count, seconds_.size()), count); }

 private:
  std::vector<double> seconds_;
};

}  // namespace stela::bench

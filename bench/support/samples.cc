#include "bench/support/samples.h"

#include <numeric>

namespace stela::bench {

double Samples::quantile(double q) const {
  if (seconds_.empty()) return 0;
  std::vector<double> sorted = seconds_;
  auto at = static_cast<size_t>(q * static_cast<double>(sorted.size() - 1) + 0.5);
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(at), sorted.end());
  return sorted[at];
}

double Samples::sum() const { return std::accumulate(seconds_.begin(), seconds_.end(), 0.0); }

Samples Samples::slice(size_t first, size_t count) const {
  Samples part;
  size_t end = std::min(seconds_.size(), first + count);
  for (size_t i = first; i < end; ++i) part.add(seconds_[i]);
  return part;
}

}  // namespace stela::bench

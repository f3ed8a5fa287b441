// One line on a terminal that is drawn over: what, how much, how fast, how long still.
#pragma once

#include <cstdint>
#include <string>

#include "fsd/daemon/verb.h"

namespace stela::fsd {

// "importing day.csv   45%  120.3 MiB/s  0:12 left"; without a total "importing day.csv  1.2 GiB  120.3 MiB/s".
std::string format_progress(const VerbProgress& progress, int64_t elapsed_ns);

class ProgressLine {
 public:
  explicit ProgressLine(bool wanted) : wanted_(wanted) {}
  ~ProgressLine();  // clears the line
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  // False when the user interrupted (see catch_interrupts).
  bool show(const VerbProgress& progress);

 private:
  const bool wanted_;
  int64_t started_ns_ = 0;
  int64_t drawn_ns_ = 0;
  bool visible_ = false;
};

// From now on the first SIGINT or SIGTERM makes show() return false, so that what was begun is tidied up; the
// second ends the program.
void catch_interrupts();
bool is_interrupted();

}  // namespace stela::fsd

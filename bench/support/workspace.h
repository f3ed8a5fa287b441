// A folder of a benchmark's own, and what the process and the folder weigh.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/status.h"

namespace stela::bench {

// Made below `parent`, removed with everything in it at the end.
class Workspace {
 public:
  explicit Workspace(const std::string& parent);
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

struct FolderSize {
  uint64_t files = 0;
  uint64_t bytes = 0;
};
FolderSize measure_folder(const std::string& path);

// VmRSS and VmHWM of /proc/self/status. Page cache is not in them.
uint64_t resident_bytes();
uint64_t resident_bytes_peak();
// Lets the peak begin anew from what is resident now.
void reset_resident_peak();

// Prints the sentence and ends the program with status 1: a benchmark has no way on after an error.
void require(const Status& status);
template <typename T>
T require(Result<T> result) {
  require(result.status());
  return std::move(result).value();
}

}  // namespace stela::bench

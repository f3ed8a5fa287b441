#include "bench/support/workspace.h"

#include <stdlib.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace stela::bench {

namespace {

uint64_t status_field(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name)) return std::strtoull(line.c_str() + name.size(), nullptr, 10) * 1024;
  }
  return 0;
}

}  // namespace

Workspace::Workspace(const std::string& parent) : path_(parent + "/stela-bench-XXXXXX") {
  if (::mkdtemp(path_.data()) != nullptr) return;
  std::perror(("cannot make a folder in " + parent).c_str());
  std::exit(1);
}

Workspace::~Workspace() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

FolderSize measure_folder(const std::string& path) {
  FolderSize size;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path, error)) {
    if (!entry.is_regular_file(error)) continue;
    ++size.files;
    size.bytes += entry.file_size(error);
  }
  return size;
}

uint64_t resident_bytes() { return status_field("VmRSS:"); }
uint64_t resident_bytes_peak() { return status_field("VmHWM:"); }
void reset_resident_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

void require(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "benchmark failed: %s\n", status.message().c_str());
  std::exit(1);
}

}  // namespace stela::bench

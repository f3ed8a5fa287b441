#include "bench/support/plain_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "bench/support/samples.h"

namespace stela::bench {

namespace {

constexpr uint64_t kBlock = 4096;

void fail(const std::string& what) {
  std::perror(what.c_str());
  std::exit(1);
}

int open_or_fail(const std::string& path, int flags) {
  int file = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  if (file < 0) fail("cannot open " + path);
  return file;
}

}  // namespace

PreparedBlocks::PreparedBlocks(const std::string& path, uint64_t blocks)
    : file_(open_or_fail(path, O_RDWR | O_CREAT | O_TRUNC)), blocks_(blocks) {
  std::vector<char> zeros(kBlock, 0);
  for (uint64_t i = 0; i < blocks; ++i) {
    if (::pwrite(file_, zeros.data(), kBlock, static_cast<off_t>(i * kBlock)) != kBlock) fail("cannot write " + path);
  }
  if (::fsync(file_) != 0) fail("cannot sync " + path);
}

PreparedBlocks::~PreparedBlocks() { ::close(file_); }

void PreparedBlocks::write_next() {
  std::vector<char> block(kBlock, static_cast<char>(next_ + 1));
  if (::pwrite(file_, block.data(), kBlock, static_cast<off_t>(next_ % blocks_ * kBlock)) != kBlock) fail("pwrite");
  if (::fdatasync(file_) != 0) fail("fdatasync");
  ++next_;
}

double write_plain_file(const std::string& path, ByteSpan block, uint64_t bytes) {
  Stopwatch watch;
  int file = open_or_fail(path, O_WRONLY | O_CREAT | O_TRUNC);
  for (uint64_t done = 0; done < bytes;) {
    ssize_t count = ::write(file, block.data(), std::min<uint64_t>(block.size(), bytes - done));
    if (count <= 0) fail("cannot write " + path);
    done += static_cast<uint64_t>(count);
  }
  if (::fdatasync(file) != 0) fail("cannot sync " + path);
  double seconds = watch.seconds();
  ::close(file);
  return seconds;
}

double read_plain_file(const std::string& path) {
  std::vector<char> buffer(1 << 20);
  Stopwatch watch;
  int file = open_or_fail(path, O_RDONLY);
  while (::read(file, buffer.data(), buffer.size()) > 0) {
  }
  double seconds = watch.seconds();
  ::close(file);
  return seconds;
}

double open_and_read_plain_file(const std::string& path, uint64_t offset, uint64_t bytes) {
  std::vector<char> buffer(bytes);
  Stopwatch watch;
  int file = open_or_fail(path, O_RDONLY);
  if (::pread(file, buffer.data(), bytes, static_cast<off_t>(offset)) < 0) fail("cannot read " + path);
  ::close(file);
  return watch.seconds();
}

}  // namespace stela::bench

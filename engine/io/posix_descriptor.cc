#include "engine/io/posix_descriptor.h"

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <string>

namespace stela {

namespace {

constexpr size_t kVectorsMax = 64;
static_assert(kVectorsMax <= IOV_MAX);

// off_t is signed: what lies beyond cannot be a place in a file.
bool is_file_offset(uint64_t offset, size_t size) { return offset <= INT64_MAX && size <= INT64_MAX - offset; }

Status past_end(std::string_view what, uint64_t offset, uint64_t size, uint64_t file_size) {
  return damaged(std::string(what) + ": read of " + std::to_string(size) + " bytes at offset " +
                 std::to_string(offset) + " passes its end at " + std::to_string(file_size));
}

// One run of adjacent ranges; `vectors` is used up.
Status read_run(int fd, uint64_t offset, std::span<iovec> vectors, uint64_t file_size, std::string_view what) {
  while (!vectors.empty()) {
    ssize_t count = ::preadv(fd, vectors.data(), static_cast<int>(vectors.size()), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0)
      return status_from_errno(errno, "cannot read " + std::string(what) + " at " + std::to_string(offset));
    if (count == 0) return past_end(what, offset, vectors.front().iov_len, std::min(offset, file_size));
    offset += static_cast<uint64_t>(count);
    auto left = static_cast<size_t>(count);
    while (!vectors.empty() && left >= vectors.front().iov_len) {
      left -= vectors.front().iov_len;
      vectors = vectors.subspan(1);
    }
    if (left > 0) {
      vectors.front().iov_base = static_cast<char*>(vectors.front().iov_base) + left;
      vectors.front().iov_len -= left;
    }
  }
  return {};
}

}  // namespace

Status write_fully(int fd, uint64_t offset, ByteSpan bytes, std::string_view what) {
  if (!is_file_offset(offset, bytes.size())) return {Code::kLimit, std::string(what) + ": the offset is too large"};
  while (!bytes.empty()) {
    ssize_t count = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return status_from_errno(errno, "cannot write " + std::string(what));
    if (count == 0) return {Code::kIo, "cannot write " + std::string(what) + ": the system took no bytes"};
    bytes = bytes.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return {};
}

Result<size_t> read_up_to(int fd, uint64_t offset, MutableByteSpan into, std::string_view what) {
  size_t done = 0;
  if (!is_file_offset(offset, into.size())) return done;
  while (done < into.size()) {
    ssize_t count = ::pread(fd, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0)
      return status_from_errno(errno, "cannot read " + std::string(what) + " at " + std::to_string(offset));
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return done;
}

Status read_ranges(int fd, uint64_t file_size, std::span<const ReadRange> ranges, std::string_view what) {
  for (const ReadRange& range : ranges) {
    if (range.offset > file_size || range.into.size() > file_size - range.offset) {
      return past_end(what, range.offset, range.into.size(), file_size);
    }
  }
  std::array<iovec, kVectorsMax> vectors;
  size_t next = 0;
  while (next < ranges.size()) {
    uint64_t start = ranges[next].offset;
    uint64_t end = start;
    size_t count = 0;
    while (next < ranges.size() && count < kVectorsMax && ranges[next].offset == end) {
      const ReadRange& range = ranges[next++];
      if (range.into.empty()) continue;
      vectors[count++] = {range.into.data(), range.into.size()};
      end += range.into.size();
    }
    STELA_TRY(read_run(fd, start, {vectors.data(), count}, file_size, what));
  }
  return {};
}

}  // namespace stela

// Counts of reads, writes and syncs by kind of file, so that a test can say what an operation may cost.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace stela {

enum class FileKind : uint8_t { kLog, kFragment, kFlat, kRun, kManifest, kScratch, kOther };
inline constexpr size_t kFileKinds = 7;

// By the name: "log/7", "data/0/3.frag", "data/0/4.flat", "catalog/5.run", "catalog/6.manifest".
inline FileKind kind_of_file(std::string_view name) {
  if (name.starts_with("log/")) return FileKind::kLog;
  if (name.ends_with(".frag")) return FileKind::kFragment;
  if (name.ends_with(".flat")) return FileKind::kFlat;
  if (name.ends_with(".run")) return FileKind::kRun;
  if (name.ends_with(".manifest")) return FileKind::kManifest;
  return FileKind::kOther;
}

struct IoCount {
  uint64_t reads = 0;  // calls; a batch of ranges is one
  uint64_t read_bytes = 0;
  uint64_t writes = 0;  // calls
  uint64_t written_bytes = 0;
  uint64_t syncs = 0;  // calls of LogDevice::sync and files finished

  IoCount operator+(const IoCount& other) const {
    return {reads + other.reads, read_bytes + other.read_bytes, writes + other.writes,
            written_bytes + other.written_bytes, syncs + other.syncs};
  }
  IoCount operator-(const IoCount& other) const {
    return {reads - other.reads, read_bytes - other.read_bytes, writes - other.writes,
            written_bytes - other.written_bytes, syncs - other.syncs};
  }
  bool operator==(const IoCount&) const = default;
};

// Thread-safe. Numbers only grow; compare two snapshots to measure.
class IoCounters {
 public:
  void add_read(FileKind kind, uint64_t bytes) {
    at(kind).reads.fetch_add(1, std::memory_order_relaxed);
    at(kind).read_bytes.fetch_add(bytes, std::memory_order_relaxed);
  }
  void add_write(FileKind kind, uint64_t bytes) {
    at(kind).writes.fetch_add(1, std::memory_order_relaxed);
    at(kind).written_bytes.fetch_add(bytes, std::memory_order_relaxed);
  }
  void add_sync(FileKind kind) { at(kind).syncs.fetch_add(1, std::memory_order_relaxed); }

  IoCount of(FileKind kind) const {
    const Cell& cell = cells_[static_cast<size_t>(kind)];
    return {cell.reads.load(), cell.read_bytes.load(), cell.writes.load(), cell.written_bytes.load(),
            cell.syncs.load()};
  }
  IoCount total() const {
    IoCount sum;
    for (size_t i = 0; i < kFileKinds; ++i) sum = sum + of(static_cast<FileKind>(i));
    return sum;
  }

 private:
  struct Cell {
    std::atomic<uint64_t> reads{0}, read_bytes{0}, writes{0}, written_bytes{0}, syncs{0};
  };
  Cell& at(FileKind kind) { return cells_[static_cast<size_t>(kind)]; }
  std::array<Cell, kFileKinds> cells_;
};

}  // namespace stela

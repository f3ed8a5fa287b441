// Sizes and limits of a store, counters, and what a commit says of itself.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/base/ids.h"
#include "engine/types/data_type.h"

namespace stela {

struct StoreOptions {
  bool read_only = false;
  bool background = true;                   // a maintenance thread; false: the caller calls maintain()
  uint64_t log_segment_bytes = 4 << 20;     // fixed at creation
  uint32_t log_segments_ready = 3;          // kept zero-filled ahead
  uint64_t flush_log_bytes = 16 << 20;      // flush when the log since the manifest passes this,
  uint64_t flush_tail_bytes = 32 << 20;     //   or the tails this,
  int64_t flush_idle_ns = 60'000'000'000;   //   or after this without a commit
  uint64_t stall_bytes = 64 << 20;          // commits wait while log or tails are beyond this
  uint64_t inline_bytes_max = 1 << 20;      // rows up to this travel in the log
  uint64_t entries_inline_max = 256 << 10;  // catalogue entries of one commit beyond this go into a run file
  uint32_t merge_factor = 8;
  uint64_t merge_rows_max = 1 << 20;
  uint64_t merge_bytes_max = 256 << 20;
  // A column changed in place is written anew when it was left alone for this and its bytes divided by the rate.
  int64_t fold_idle_ns = 10'000'000'000;
  uint64_t fold_bytes_per_second = 16 << 20;
  uint64_t block_cache_bytes = 256 << 20;
  uint32_t descriptors_max = 512;
  uint64_t import_memory_bytes = 256 << 20;
  uint64_t page_bytes = 256 << 10;
  uint64_t flat_bytes_min = 1 << 20;
  uint64_t statistics_rows = 8192;
  uint32_t run_block_bytes = 8192;
  uint64_t reserve_bytes = 4 << 20;     // kept for drops and removals on a full disk
  uint64_t field_bytes_max = 64 << 20;  // one text or binary value
};

struct CommitInfo {
  std::string author;     // "name (uid)" or free text
  std::string operation;  // "append", "import", ...; empty: the engine's own word
  std::string message;
};

struct Field {
  std::string name;
  DataType type;
  bool nullable = true;
  bool operator==(const Field&) const = default;
};

enum class NodeKind : uint8_t { kEmpty = 1, kFolder = 2, kDataset = 3 };

struct NodeAttributes {
  uint32_t mode = 0755;  // permission bits
  uint32_t uid = 0;
  uint32_t gid = 0;
};

struct NodeInfo {
  NodeId id;
  NodeId parent;
  NodeKind kind = NodeKind::kEmpty;
  std::string name;
  NodeAttributes attributes;
  int64_t created_ns = 0;
  int64_t changed_ns = 0;  // newest version, rename, mkdir inside or change of attributes
};

struct VersionInfo {
  VersionNumber number;
  Sequence sequence;
  int64_t time_ns = 0;  // UTC; never decreases within a store
  uint64_t rows = 0;
  std::string author;
  std::string operation;
  std::string message;
  Sequence rows_changed;  // newest sequence <= this one that appended or deleted rows
  uint64_t row_ids = 0;   // given so far: `rows` and those deleted
  uint64_t rows_added = 0;
  uint64_t bytes_added = 0;       // stored bytes this commit wrote for values
  std::vector<ColumnId> columns;  // added, dropped, renamed or patched by it; empty for appends, the first too
};

struct ColumnInfo {
  ColumnId id;
  std::string name;
  DataType type;
  bool nullable = true;
  GroupId group;
  // Newest sequence that created, replaced or patched it, or changed the dataset's rows: with dataset, id
  // and form of view this is the identity of its content.
  Sequence change;
  // Cells changed in place lie over the values as they are stored: by patches born up to `patched` and after `folded`.
  Sequence patched;
  Sequence folded;
  int64_t nulls_added = 0;  // by all patches, folded or not
  int64_t bytes_added = 0;  // to the value bytes
  bool has_patches() const { return patched > folded; }
};

struct StoreCounters {
  uint64_t commits = 0, groups = 0, log_bytes = 0, log_syncs = 0;
  uint64_t flushes = 0, merges = 0, folds = 0, files_removed = 0;
  uint64_t tail_bytes = 0, tail_rows = 0, log_bytes_since_checkpoint = 0;
  uint64_t files_read_bytes = 0, files_written_bytes = 0, file_reads = 0;
  uint64_t cache_hits = 0, cache_misses = 0, cache_bytes = 0;
  uint64_t data_files = 0, data_bytes = 0, catalog_runs = 0;
  uint64_t commit_waits = 0;  // commits held back by stall_bytes
  uint64_t newest_sequence = 0;
};

struct CompactionOptions {
  // The smallest form, read more slowly; otherwise the one that new rows get.
  bool cold = false;
  // Of bytes that are rewritten; false stops it.
  std::function<bool(uint64_t done, uint64_t total)> progress;
};

// Stored bytes of a dataset: fragments with their flat files.
struct CompactionReport {
  uint64_t bytes_before = 0, bytes_after = 0;
};

// One damaged thing, located for a person. `dataset` is a path, "" for the store itself.
struct DamageReport {
  std::string dataset;
  VersionNumber first_version;  // oldest version that shows it; 0 = not known
  std::string column;
  uint64_t page = 0;
  uint64_t first_row = 0, rows = 0;
  std::string file;
  std::string reason;
};

}  // namespace stela

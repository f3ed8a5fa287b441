// The catalogue: all metadata of a store as one ordered multi-version map.
//
// Each entry has two stamps: birth, the sequence from which it is true, and install, the sequence at
// which the store learnt it. A reader holds Stamp (s, q) and sees, for each key, the entry with the
// greatest birth <= s whose newest install <= q is not an erasure. Entries are never changed.
//
// In memory an insert-only skip list (MemTable), below it immutable sorted runs on disk (RunReader).
// CatalogState is one consistent set of them; readers hold it by shared_ptr and take no lock.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/coding.h"
#include "engine/base/ids.h"
#include "engine/base/status.h"
#include "engine/io/env.h"

namespace stela::catalog {

struct Stamp {
  Sequence s = kSequenceMax;
  Sequence q = kSequenceMax;
};

// One entry as it is written to log and runs. `erased`: from (birth, install) on, a reader with
// q >= install sees nothing of that birth here and looks at the next older birth.
struct Entry {
  std::string key;
  Sequence birth;
  Sequence install;
  bool erased = false;
  std::string value;
  bool operator==(const Entry&) const = default;
};
void encode_entry(std::string& out, const Entry& entry);
bool decode_entry(Decoder& in, Entry* out);

// Order within tables and runs: key ascending, then birth descending, then install descending.
// Walks the entries of one source. Not thread-safe; valid while the source lives.
class EntryIterator {
 public:
  virtual ~EntryIterator() = default;
  // To the first entry whose key is >= `key` (with every birth and install).
  virtual void seek(std::string_view key) = 0;
  // To the first entry at or after (key, birth, install) in the order above. Going forward a short way is
  // cheap. The base class steps; every iterator of this folder jumps.
  virtual void seek_to(std::string_view key, Sequence birth, Sequence install);
  virtual bool valid() const = 0;
  virtual void next() = 0;
  // Valid until the next seek or next.
  virtual std::string_view key() const = 0;
  virtual Sequence birth() const = 0;
  virtual Sequence install() const = 0;
  virtual bool erased() const = 0;
  virtual std::string_view value() const = 0;
  // kDamaged when a block could not be read: then the iterator is not valid and the range after the last
  // key is unknown, never "absent".
  virtual Status status() const = 0;
};

// One entry found by a point lookup. `value` lives as long as the table or, for runs, as `pin`.
struct FoundEntry {
  Sequence birth;
  Sequence install;
  bool erased = false;
  std::string_view value;
  std::shared_ptr<const Buffer> pin;
};

// Insert-only skip list (Pugh 1990; one in four goes a level up). One writer at a time; readers need no lock. Memory is
// freed with the table.
class MemTable {
 public:
  MemTable();
  ~MemTable();
  MemTable(const MemTable&) = delete;
  MemTable& operator=(const MemTable&) = delete;
  // Inserting the same (key, birth, install) again changes nothing.
  // O(log n), about 1 us in a million entries.
  void insert(const Entry& entry);
  std::unique_ptr<EntryIterator> iterator() const;
  // The first entry of `key` in order with birth <= stamp.s and install <= stamp.q, erased or not.
  bool find(std::string_view key, Stamp stamp, FoundEntry* out) const;
  uint64_t memory_bytes() const;
  uint64_t entries() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A shared, sharded LRU cache of blocks, bounded in bytes; used by runs and fragments. Thread-safe.
class BlockCache {
 public:
  explicit BlockCache(uint64_t capacity_bytes);
  ~BlockCache();
  // `file` is unique a store opening; null when absent. Blocks larger than a shard (a sixteenth of a
  // capacity of 256 MiB and more, all of one under 32 MiB) are not kept.
  std::shared_ptr<const Buffer> find(uint64_t file, uint64_t offset);
  void insert(uint64_t file, uint64_t offset, std::shared_ptr<const Buffer> block);
  void erase_file(uint64_t file);
  struct Counters {
    uint64_t hits = 0, misses = 0, bytes = 0, blocks = 0, evictions = 0;
  };
  Counters counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Written into "catalog/NUMBER.run"; format in run_format.md. Each block has its own CRC32C, bound to
// the store and the file, and a second copy behind the first half of the file.
struct RunOptions {
  uint32_t block_bytes = 8192;
  uint64_t store_id = 0;
};
struct RunInfo {
  FileId file;
  uint64_t bytes = 0;
  uint64_t entries = 0;
  Sequence birth_min, birth_max, install_max;
};

class RunWriter {
 public:
  RunWriter(FileWriter& out, FileId file, RunOptions options);
  ~RunWriter();
  // `out` must be empty. kLimit for a value over 16 MiB or a key over 64 KiB.
  // In the order above; duplicates of one (key, birth, install) are refused as a programmer error.
  Status add(const Entry& entry);
  // Writes index, filter, second copy, trailer. The caller makes the file durable.
  Result<RunInfo> finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class RunReader {
 public:
  // Reads trailer and index; data blocks come through `cache` on demand. kDamaged when both copies of
  // a needed block are wrong; kUnsupported for a newer format, by name.
  static Result<std::shared_ptr<const RunReader>> open(std::shared_ptr<FileReader> file, FileId id, uint64_t store_id,
                                                       std::shared_ptr<BlockCache> cache);
  ~RunReader();
  const RunInfo& info() const;
  // False: certainly no entry of this key here (Bloom filter over whole keys).
  bool may_contain(std::string_view key) const;
  std::unique_ptr<EntryIterator> iterator() const { return iterator(Sequence{0}, kSequenceMax); }
  // The same, but blocks in which no birth lies in [from, to] may be left out, unread.
  std::unique_ptr<EntryIterator> iterator(Sequence from, Sequence to) const;
  // As MemTable::find; false also when the filter says so. kDamaged when it cannot be known.
  Result<bool> find(std::string_view key, Stamp stamp, FoundEntry* out) const;
  // Reads every block, both copies; a sentence for each that is damaged.
  Status verify(const std::function<void(const std::string&)>& damaged) const;

 private:
  struct Impl;
  explicit RunReader(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

// All sources in one order; equal (key, birth, install) appear once.
std::unique_ptr<EntryIterator> merge_iterators(std::vector<std::unique_ptr<EntryIterator>> sources);

// Newest table first. Immutable once published, except that the first table goes on growing with
// entries of installs above any reader's q.
struct CatalogState {
  std::vector<std::shared_ptr<const MemTable>> tables;
  std::vector<std::shared_ptr<const RunReader>> runs;

  // The visible value; kNotFound when there is none; kDamaged when it cannot be known.
  // `birth`, if given, gets the visible entry's birth.
  Status get(std::string_view key, Stamp stamp, std::string* value, Sequence* birth = nullptr) const;
  // Calls `visit` for each visible key in [from, to) ("" = no end) in order until it returns false.
  Status scan(std::string_view from, std::string_view to, Stamp stamp,
              const std::function<bool(std::string_view key, std::string_view value, Sequence birth)>& visit) const;
  // Is there an entry of `key` with birth > after (and not erased)? Runs whose births are all <= after are
  // skipped unread. Used to validate commits.
  Result<bool> born_after(std::string_view key, Sequence after) const;
  std::unique_ptr<EntryIterator> iterator() const { return iterator(Sequence{0}, kSequenceMax); }
  // The same, but entries whose birth does not lie in [from, to] may be left out.
  std::unique_ptr<EntryIterator> iterator(Sequence from, Sequence to) const;
};

}  // namespace stela::catalog

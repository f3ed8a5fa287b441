// Fragment files: rows of a column group as pages, with metadata that opens one column of 100,000 in
// constant time; and flat files: one fixed-width column that is exactly its .npy. Byte layout:
// fragment_format.md, flat_format.md.
//
// A file may hold several fragments, each a section [offset, offset + length) that ends in its own
// trailer. A file holds no absolute row ids, names or sequences.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/ids.h"
#include "engine/catalog/catalog.h"
#include "engine/format/encoding.h"
#include "engine/format/statistics.h"
#include "engine/io/env.h"
#include "engine/types/column.h"

namespace stela::format {

enum class FileKind : uint8_t { kFragment = 1, kFlat = 2 };
// "data/HIGH/ID.frag" or ".flat", HIGH = id / 1024.
std::string data_file_name(FileId id, FileKind kind);

struct ColumnSpec {
  ColumnId id;
  DataType type;
  // A large column saved as one array is mapped as a plain file, so it gets one even where pages would be smaller.
  bool keep_flat = false;
};

struct FragmentOptions {
  uint64_t store_id = 0;
  uint64_t page_bytes = 256 << 10;    // target bytes of a page's values
  uint64_t page_bytes_max = 8 << 20;  // never more, but for a single larger value
  uint64_t flat_bytes_min = 1 << 20;  // a fixed-width column of at least this much gets a flat file, unless
                                      // pages hold it in half the bytes
  uint64_t statistics_rows = 8192;    // rows of the finer statistics
  uint64_t memory_bytes = 64 << 20;   // for all columns' accumulators together; shrinks pages when short
  // Cold: a column becomes pages where they make it a tenth smaller, kept flat or not.
  EncodingMode mode = EncodingMode::kLight;
};

struct DataFile {
  FileId id;
  FileKind kind;
  uint64_t bytes = 0;
};

// One section as the catalogue will know it.
struct SectionInfo {
  uint64_t offset = 0;
  uint64_t length = 0;
  uint64_t rows = 0;
  std::vector<FileId> flats;  // flat files this section refers to
};

// Writes one fragment file and the flat files of its sections. Memory: options.memory_bytes, plus one
// page. Not thread-safe. Destroyed before finish(): every file is discarded.
class FragmentWriter {
 public:
  FragmentWriter(Files& files, std::function<FileId()> allocate, FragmentOptions options);
  ~FragmentWriter();
  Status begin_section(std::vector<ColumnSpec> columns);
  // One view a column of the section, in its order, all with the same number of rows.
  Status append(std::span<const ColumnView> columns);
  Result<SectionInfo> end_section();
  // Makes every file durable under its name. Afterwards file_id() and files() describe them.
  Status finish();
  FileId file_id() const;
  const std::vector<DataFile>& files() const;
  // The flat file of a fragment that has exactly one; null when it has none (yet).
  FileWriter* flat_file() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Opens data files by id through a table of bounded descriptors; implemented by the store.
class FileSource {
 public:
  virtual ~FileSource() = default;
  virtual Result<std::shared_ptr<FileReader>> open(FileId id, FileKind kind) = 0;
};

// Which 64 KiB extents of each flat file were checked since the store was opened. Thread-safe.
class VerifiedExtents {
 public:
  VerifiedExtents();
  ~VerifiedExtents();
  // A changed `fingerprint` clears the file's bits.
  bool is_verified(FileId file, const std::string& fingerprint, uint64_t extent);
  void set_verified(FileId file, const std::string& fingerprint, uint64_t extent);
  // Extents [0, extents): of a file whose writer has just sealed them.
  void set_all_verified(FileId file, const std::string& fingerprint, uint64_t extents);
  bool all_verified(FileId file, const std::string& fingerprint, uint64_t extents);
  void clear(FileId file);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};
inline constexpr uint64_t kFlatExtentBytes = 64 << 10;

// What readers of a store share.
struct FragmentContext {
  uint64_t store_id = 0;
  FileSource* source = nullptr;
  std::shared_ptr<catalog::BlockCache> cache;  // metadata blocks and decoded-once pages
  std::shared_ptr<VerifiedExtents> verified;
};

// A page, or a flat file's 64 KiB extent, whose bytes are wrong.
struct Damage {
  FileId file;
  ColumnId column;
  uint64_t page = 0;       // ordinal within the column, or extent of a flat file
  uint64_t first_row = 0;  // relative to the fragment
  uint64_t rows = 0;
  std::string reason;
};

struct EncodedPage;  // encoded_form.h

struct PageInfo {
  EncodingId encoding = EncodingId::kPlain;
  uint64_t offset = 0, bytes = 0, first_row = 0, rows = 0;
  Statistics statistics;
};

struct FlatInfo {
  FileId file;
  uint64_t header_bytes = 0;
  uint64_t file_bytes = 0;  // header and values: the size of the .npy
};

// One column of one fragment; immutable, thread-safe, keeps its reader alive.
class ColumnChunk {
 public:
  virtual ~ColumnChunk() = default;
  virtual const DataType& type() const = 0;
  virtual uint64_t rows() const = 0;
  virtual uint64_t nulls() const = 0;
  virtual uint64_t value_bytes() const = 0;
  // Each appends rows [first, first + count) (relative to the fragment) to `out`; only the pages that
  // hold them are read. kDamaged names file, column, page and rows. After an error, rows that were added
  // to `out` are not to be used.
  virtual Status read(uint64_t first, uint64_t count, ColumnData& out) const = 0;
  virtual Status read_rows(std::span<const uint64_t> ascending, ColumnData& out) const = 0;
  // Totals of a range: decodes validity or lengths of at most the two pages that the range cuts.
  virtual Result<uint64_t> nulls_in(uint64_t first, uint64_t count) const = 0;
  virtual Result<uint64_t> value_bytes_in(uint64_t first, uint64_t count) const = 0;
  // Statistics of the whole, of page `i`, of the i-th statistics_rows rows.
  virtual Result<Statistics> statistics() const = 0;
  virtual Result<std::vector<Statistics>> fine_statistics() const = 0;
  virtual Result<std::vector<PageInfo>> pages() const = 0;
  virtual std::optional<FlatInfo> flat() const = 0;
  // The page that holds a row as its encoding holds it; of a flat column only its validity. Reads and checks the whole.
  virtual Result<EncodedPage> encoded_page(uint64_t row) const = 0;
  // Checks the flat file's extents that are not verified yet until `deadline_ns` of `clock` passes; true
  // when every extent is verified. kDamaged at the first wrong extent.
  virtual Result<bool> verify_flat(Clock& clock, int64_t deadline_ns) const = 0;
  // Reads and checks every page or extent from the medium, verified or not.
  virtual Status verify(const std::function<void(const Damage&)>& damage) const = 0;
};

// One section, opened: its trailer and table index are read; immutable and thread-safe.
class FragmentReader {
 public:
  static Result<std::shared_ptr<const FragmentReader>> open(FragmentContext context, FileId file, uint64_t offset,
                                                            uint64_t length);
  virtual ~FragmentReader() = default;
  virtual uint64_t rows() const = 0;
  virtual uint64_t columns() const = 0;
  // kNotFound when the section has no such column. Reads one table block and one metadata block.
  virtual Result<std::shared_ptr<const ColumnChunk>> column(ColumnId id) const = 0;
  // Ids of all columns, ascending; O(columns).
  virtual Result<std::vector<ColumnId>> column_ids() const = 0;
};

// The header np.save writes for an array of `rows` values of `type` (version 1.0, 64-byte aligned,
// C order); `type` must be is_numpy().
std::string npy_header(const DataType& type, uint64_t rows);

}  // namespace stela::format

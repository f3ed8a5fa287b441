// Snapshot: one version of one dataset, read-only, for as long as anyone holds it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/format/fragment.h"
#include "engine/format/statistics.h"
#include "engine/io/env.h"
#include "engine/store/options.h"
#include "engine/types/column.h"

namespace stela {

class SnapshotImpl;

struct ColumnTotals {
  uint64_t rows = 0;
  uint64_t nulls = 0;
  uint64_t value_bytes = 0;  // of variable types: bytes of all values; of fixed ones rows * width
};

// A column that is one flat file from its first row to its last.
struct FlatColumn {
  std::shared_ptr<FileReader> file;  // the bytes of the .npy from offset 0
  uint64_t header_bytes = 0;
  uint64_t file_bytes = 0;
  uint64_t file_id = 0;  // unique within the store
};

// Walks rows in batches. One thread at a time; keeps its snapshot alive.
class Scanner {
 public:
  virtual ~Scanner() = default;
  // False at the end. `out` is replaced.
  virtual Result<bool> next(Batch* out) = 0;
};

// Copyable shared handle, a few pointers; all methods are const and thread-safe. Reads only what is
// asked for; every byte is checked; kDamaged names dataset, version, column, page and rows.
class Snapshot {
 public:
  Snapshot() = default;
  explicit Snapshot(std::shared_ptr<const SnapshotImpl> impl) : impl_(std::move(impl)) {}
  explicit operator bool() const { return impl_ != nullptr; }

  NodeId dataset() const;
  const VersionInfo& version() const;
  uint64_t rows() const;

  // One lookup, whatever the number of columns. kNotFound names the column.
  Result<ColumnInfo> column(std::string_view name) const;
  // The one with that id, whatever its name is; also when it is dropped.
  Result<ColumnInfo> column(ColumnId id) const;
  // In the order of their creation.
  Result<std::vector<ColumnInfo>> columns() const;
  Status for_each_column(const std::function<bool(const ColumnInfo&)>& visit) const;

  // O(fragments); decodes at most the validity or lengths of pages that the version's end cuts.
  Result<ColumnTotals> totals(const ColumnInfo& column) const;
  Result<format::Statistics> statistics(const ColumnInfo& column) const;

  // Rows [first, first + count), added to `out`; kInvalid beyond the end or when `out` is of another type.
  Result<ColumnData> read(std::string_view column, uint64_t first, uint64_t count) const;
  Status read(const ColumnInfo& column, uint64_t first, uint64_t count, ColumnData& out) const;
  // Ascending positions.
  Status read_rows(const ColumnInfo& column, std::span<const uint64_t> rows, ColumnData& out) const;
  // Bytes of a variable column's values in rows [first, first + count), without decoding values.
  Result<uint64_t> value_bytes(const ColumnInfo& column, uint64_t first, uint64_t count) const;
  // `columns` empty: all. Batches of `batch_rows`, all columns of a batch aligned.
  Result<std::unique_ptr<Scanner>> scan(const std::vector<std::string>& columns, uint64_t first, uint64_t count,
                                        uint64_t batch_rows = 65536) const;
  // Empty when the column is not exactly one flat file. The file is verified whole before it is handed
  // out; empty too when that is not done within `wait_ns` (it goes on in the background).
  Result<std::optional<FlatColumn>> flat(const ColumnInfo& column, int64_t wait_ns) const;
  // Bytes on disk that hold this column's values (for st_blocks).
  Result<uint64_t> stored_bytes(const ColumnInfo& column) const;
  // Where the column lies: fragments, pages, encodings. Rows count from the dataset's first, also over deleted ones.
  struct Piece {
    uint64_t first_row = 0, rows = 0;
    std::string where;  // "data/0/12.frag@0", "data/0/13.flat", "tail", "null"
    std::vector<format::PageInfo> pages;  // those with rows of the piece, which begins at row `offset` of them all
    uint64_t offset = 0;
    bool is_plain_file() const { return where.ends_with(".flat"); }
  };
  Result<std::vector<Piece>> pieces(const ColumnInfo& column) const;
  // Rows [first, first + count) of a piece as they are stored, added to `out`, and the bytes of their values: below
  // what was changed in place, and rows too that the version deleted. kInvalid beyond the piece.
  Status read_stored(const ColumnInfo& column, const Piece& piece, uint64_t first, uint64_t count,
                     ColumnData& out) const;
  // The page of a piece in a fragment that holds row `row` of the piece, as it is encoded; read from its file and checked.
  // kInvalid of a tail, and where the column has no bytes.
  Result<format::EncodedPage> stored_page(const ColumnInfo& column, const Piece& piece, uint64_t row) const;
  Result<uint64_t> stored_value_bytes(const ColumnInfo& column, const Piece& piece, uint64_t first,
                                      uint64_t count) const;
  // What is known of each 8,192 rows of the file that holds the piece, from `offset` rows before the piece's first on.
  // None of a tail, and where the column has no bytes; kDamaged where what is known cannot be read.
  Result<std::vector<format::Statistics>> stored_stretches(const ColumnInfo& column, const Piece& piece) const;
  // Reads all that the file has of the column from the medium and checks it. Rows of a damage are the dataset's.
  Status check_stored(const ColumnInfo& column, const Piece& piece,
                      const std::function<void(const format::Damage&)>& damage) const;

 private:
  std::shared_ptr<const SnapshotImpl> impl_;
};

}  // namespace stela

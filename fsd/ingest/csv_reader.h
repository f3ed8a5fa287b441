// Reads a CSV file from a ByteSource in blocks of whole records, in bounded memory.
#pragma once

#include <memory>
#include <string>

#include "fsd/ingest/csv_scanner.h"
#include "fsd/ingest/ingest.h"
#include "fsd/ingest/piece_buffer.h"
#include "fsd/ingest/rejections.h"

namespace stela::fsd {

// A place between two records.
struct CsvPosition {
  uint64_t offset = 0;
  uint64_t line = 1;                // of the next record, from 1
  bool after_unterminated = false;  // the record before ended with the file as it was then
};

struct CsvReaderOptions {
  CsvDialect dialect;
  size_t piece_bytes = 256 << 10;
  uint64_t record_bytes_max = 128 << 20;
  std::string file_name;  // begins every message
  // Records that cannot be cut or are no text go there; null: the first of them is an error.
  Rejections* rejections = nullptr;
};

// One thread at a time. The source must outlive it.
class CsvReader {
 public:
  // Reads [from.offset, end). `final`: the file ends at `end`.
  CsvReader(ByteSource& source, CsvReaderOptions options, CsvPosition from, uint64_t end, bool final);

  // The record at the present place, whatever its number of fields; rows = 0 when there is none that is
  // complete.
  Status read_header(CsvRecords* out);
  // Replaces `out` with the next records of `columns` fields; no rows at the end. An error belongs to the
  // first record that is not in any block before.
  Status next(size_t columns, CsvRecords* out);

  // After the records handed out so far.
  const CsvPosition& position() const { return position_; }
  // The line of row `row` of the block handed out last.
  uint64_t line_of(const CsvRecords& records, size_t row) const { return block_line_ + records.row_lines[row]; }
  // "file:line: ...".
  Status at_line(uint64_t line, const Status& status) const;

 private:
  Status skip_joining_newline();
  Status check_cut_record(const ScanEnd& end) const;
  Status reject_record();
  void advance(const ScanEnd& end);

  ByteSource& source_;
  CsvReaderOptions options_;
  CsvScanner scanner_;
  CsvPosition position_;
  uint64_t end_;
  bool final_;
  PieceBuffer piece_;  // from position_.offset on
  uint64_t block_line_ = 1;
  Status pending_;  // found behind the block handed out last
  Status reason_;   // the same without file and line
};

}  // namespace stela::fsd

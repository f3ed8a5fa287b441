// Cuts the bytes of a CSV or TSV file (RFC 4180) into records and fields.
//
// Works on a piece of the file in memory; a record that the piece's end cuts is left for the next piece.
// A field that does not begin with a quote may contain quotes. Line ends are LF or CR LF.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace stela::fsd {

// A field's text within its block, quotes removed.
struct FieldRef {
  static constexpr uint32_t kQuoted = 1u << 31;
  static constexpr uint32_t kEscaped = 1u << 30;  // holds doubled quotes; only until the scanner removed them
  static constexpr uint32_t kLengthMax = kEscaped - 1;
  uint32_t begin = 0;
  uint32_t length_and_flags = 0;
  uint32_t length() const { return length_and_flags & kLengthMax; }
  bool is_quoted() const { return (length_and_flags & kQuoted) != 0; }
};

struct CsvDialect {
  char delimiter = ',';
  uint64_t field_bytes_max = 64 << 20;
  uint64_t columns_max = 1'000'000;
  bool check_text = true;  // NUL and what is not UTF-8 is refused
};

// Records of equal length: field (row, column) is fields[row * columns + column].
struct CsvRecords {
  const char* data = nullptr;
  std::vector<FieldRef> fields;
  std::vector<uint32_t> row_lines;  // line of each row's first byte, less the piece's first line
  size_t rows = 0;
  size_t columns = 0;

  std::string_view text(const FieldRef& field) const { return {data + field.begin, field.length()}; }
  std::string_view text(size_t row, size_t column) const { return text(fields[row * columns + column]); }
};

struct ScanEnd {
  size_t consumed = 0;            // bytes of whole records (and skipped lines)
  uint64_t lines = 0;             // line ends in them
  bool unterminated = false;      // the last record ended with the file, not with a line end
  Status error;                   // why the record at `consumed` was refused; its line is `error_line`
  uint64_t error_line = 0;        // lines after the piece's first line
  uint64_t open_field_bytes = 0;  // of the field that the piece's end cut
};

class CsvScanner {
 public:
  explicit CsvScanner(const CsvDialect& dialect) : dialect_(dialect) {}

  static constexpr size_t kPadding = 64;  // readable bytes wanted behind `size`
  static constexpr size_t kPieceMax = FieldRef::kLengthMax;

  // Scans whole records in data[0, size), which may be changed (doubled quotes are removed in place) only
  // below ScanEnd::consumed. `columns` 0: exactly one record, however many fields it has. `at_end`: the file
  // ends here, so a last record without a line end counts. `out` is replaced.
  ScanEnd scan(char* data, size_t size, size_t columns, bool at_end, CsvRecords& out);

 private:
  enum class FieldEnd { kDelimiter, kLine, kFile, kCut, kError };
  FieldEnd scan_field(FieldRef* field);
  FieldEnd scan_quoted(FieldRef* field);
  FieldEnd scan_record(CsvRecords& out, size_t* count);
  size_t scan_plain_fields(CsvRecords& out);
  FieldEnd end_after_quote(size_t at);
  FieldEnd fail(std::string sentence);
  size_t next_structural();
  void seek(size_t position);
  void check_text(CsvRecords& out);
  static void remove_doubled_quotes(char* data, CsvRecords& out);

  CsvDialect dialect_;
  char* data_ = nullptr;
  size_t size_ = 0;
  size_t columns_ = 0;
  bool at_end_ = false;
  std::vector<uint64_t> masks_;  // of the whole piece, 64 bytes each
  size_t position_ = 0;          // where the next field begins
  size_t block_ = 0;             // the 64 bytes that mask_ is of
  uint64_t mask_ = 0;            // structural bytes in it not looked at yet
  uint64_t lines_ = 0;
  bool any_escaped_ = false;
  ScanEnd end_;
};

}  // namespace stela::fsd

// Reads a file of JSON lines from a ByteSource, one object a line, into blocks of text cells in bounded memory.
//
// The cells are those of csv_scanner.h, so that the parsers of CSV columns take them: a JSON string is a quoted
// field, null and an absent key are an empty field without quotes, any other value is its text as it stands.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "fsd/ingest/csv_reader.h"
#include "fsd/ingest/piece_buffer.h"

namespace stela::fsd {

class JsonLineParser;

// The keys of a file and the column each one stands for.
class JsonColumns {
 public:
  // Takes each new key as a column more.
  JsonColumns() = default;
  // Of a dataset: other keys are refused, or left out where `extra_ignore`.
  JsonColumns(std::vector<std::string> names, bool extra_ignore);

  static constexpr size_t kIgnored = SIZE_MAX;
  // The column of `key`, which is likely `guess`; kIgnored for one that is left out. kInvalid and kLimit name the key.
  Result<size_t> find(std::string_view key, size_t guess);
  // Forgets the columns from `size` on: keys of a line that was rejected.
  void shrink(size_t size);
  size_t size() const { return names_.size(); }
  const std::string& name(size_t column) const { return names_[column]; }

 private:
  Status add(std::string_view key);
  void index(size_t column) { by_name_.emplace(names_[column], column); }

  bool closed_ = false;
  bool extra_ignore_ = false;
  std::vector<std::string> names_;
  std::unordered_map<std::string, size_t> by_name_;
};

struct JsonlReaderOptions {
  size_t piece_bytes = 256 << 10;
  uint64_t line_bytes_max = 32 << 20;
  uint64_t field_bytes_max = 64 << 20;
  std::vector<std::string> null_texts;  // strings that are null
  std::string file_name;                // begins every message
  // Lines that are no objects of values go there; null: the first of them is an error.
  Rejections* rejections = nullptr;
};

// A value that a line holds; an absent key and null have none.
struct JsonCell {
  uint32_t row = 0;
  uint32_t column = 0;
  FieldRef text;
};

// One thread at a time. The source and the columns must outlive it.
class JsonlReader {
 public:
  // Reads [from.offset, end). `final`: the file ends at `end`, so that a last line without a line end counts.
  JsonlReader(ByteSource& source, const JsonlReaderOptions& options, JsonColumns& columns, const CsvPosition& from,
              uint64_t end, bool final);
  ~JsonlReader();

  // Replaces cells() with those of the next lines; rows() is 0 at the end. An error belongs to the first line that
  // is not in any block before; what the block before holds comes first.
  Status next();
  size_t rows() const { return row_lines_.size(); }
  const std::vector<JsonCell>& cells() const { return cells_; }
  // Some line so far had the key of that column, with a value or null.
  bool has_seen(size_t column) const;
  std::string_view text(const FieldRef& field) const { return {values_.data() + field.begin, field.length()}; }
  // The block as a table of all the columns so far.
  void fill(CsvRecords* out) const;

  // After the lines handed out so far.
  const CsvPosition& position() const { return position_; }
  uint64_t line_of(size_t row) const { return block_line_ + row_lines_[row]; }
  Status at_line(uint64_t line, const Status& status) const;

 private:
  void take_lines(bool at_end);
  Status line_too_long() const;
  Status take_line(char* line, size_t size, uint64_t line_number);

  ByteSource& source_;
  const JsonlReaderOptions& options_;
  JsonColumns& columns_;
  CsvPosition position_;
  uint64_t end_;
  bool final_;
  PieceBuffer piece_;  // from position_.offset on
  std::unique_ptr<JsonLineParser> parser_;
  uint64_t block_line_ = 1;
  std::vector<JsonCell> cells_;
  std::vector<uint32_t> row_lines_;
  std::string values_;  // text of the cells, then padding
  Status pending_;      // found behind the block handed out last
  Status reason_;       // the same without file and line
};

}  // namespace stela::fsd

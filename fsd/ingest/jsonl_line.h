// One line of a .jsonl file: a JSON object (RFC 8259) into cells. simdjson finds the tokens; what it leaves to its
// caller (numbers, words, arrays, doubled keys, sizes) is checked here.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/base/status.h"

namespace stela::fsd {

class JsonColumns;
struct JsonCell;
struct JsonlReaderOptions;

// One thread at a time.
class JsonLineParser {
 public:
  static constexpr size_t kPadding = 64;  // readable bytes wanted behind a line

  JsonLineParser(const JsonlReaderOptions& options, JsonColumns& columns);
  ~JsonLineParser();

  // Appends the values of the object to `cells` and their texts to `values`. After an error both hold parts of it.
  // Messages name the column, not the line. Memory: about five times the longest line.
  Status parse(char* line, size_t size, uint32_t row, std::vector<JsonCell>& cells, std::string& values);

  // Some line had the key of that column, with a value or null.
  bool has_seen(size_t column) const { return column < seen_.size() && seen_[column] != 0; }

 private:
  struct Engine;
  std::unique_ptr<Engine> engine_;
  const JsonlReaderOptions& options_;
  JsonColumns& columns_;
  std::vector<uint64_t> seen_;  // by column: the number of the last line that had it
  uint64_t lines_ = 0;
};

}  // namespace stela::fsd

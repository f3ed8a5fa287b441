// Columns of a block of CSV records into typed columns in memory.
//
// One parser a column; the type is dispatched once a block, not once a field. Columns are independent of
// each other, so different threads may parse different columns of the same records.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/types/column.h"
#include "fsd/ingest/csv_scanner.h"

namespace stela::fsd {

// Texts that stand, unquoted, for null. "NA" and "null" always do outside of text columns.
class NullTexts {
 public:
  NullTexts() = default;
  explicit NullTexts(std::vector<std::string> stated) : stated_(std::move(stated)) {}
  bool any() const { return !stated_.empty(); }
  bool is_stated(std::string_view text) const {
    for (const std::string& one : stated_) {
      if (text == one) return true;
    }
    return false;
  }
  static bool is_usual(std::string_view text) { return text == "NA" || text == "null"; }
  // Those that are not "usual": the ones that must be looked for before a value is parsed.
  NullTexts unusual() const;

 private:
  std::vector<std::string> stated_;
};

class CellParser {
 public:
  virtual ~CellParser() = default;
  // Appends the column's rows to `out`, whose type is the parser's. Returns the first row whose value does
  // not fit, or records.rows. After a row that does not fit the contents of `out` mean nothing.
  virtual size_t parse(const CsvRecords& records, size_t column, ColumnData& out) = 0;
  // What the values taken so far showed, where that matters for a wider type (csv_inference.h).
  uint16_t evidence() const { return evidence_; }

 protected:
  uint16_t evidence_ = 0;
};

// `inferred`: the type is a guess from other values (csv_inference.h), and a value that asks for another
// type does not fit even where it could be stored.
std::unique_ptr<CellParser> make_cell_parser(const DataType& type, const NullTexts& nulls, bool inferred);
// For a column that has shown no value yet: text, but any value does not fit.
std::unique_ptr<CellParser> make_valueless_parser(const NullTexts& nulls);

// For a null in a column that may not be null.
extern const char* const kMayNotBeNull;
// "'x' is not a float64 ..." for a value that does not fit `type`.
std::string why_misfit(const DataType& type, std::string_view text);

// The bytes of one value of the types that are rare in text files: decimals, base64 (binary and
// fixed-size binary), JSON arrays (vectors and tensors), float16, durations. False when it does not fit.
bool parse_rare_cell(const DataType& type, std::string_view text, std::string* bytes);

}  // namespace stela::fsd

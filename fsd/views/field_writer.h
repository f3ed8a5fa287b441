// FieldWriter: the values of one column as fields of .table.csv or members of .table.jsonl, many at a time.
//
// The text is that of text_format.h, made without an intermediate string for the common types.
#pragma once

#include <cstdint>
#include <string>

#include "engine/types/column.h"
#include "fsd/views/text_out.h"

namespace stela::fsd {

enum class FieldStyle : uint8_t {
  kCsv,   // append_csv_field()
  kJson,  // append_json_value()
};

// One thread at a time.
class FieldWriter {
 public:
  FieldWriter(const DataType& type, FieldStyle style);
  void write(const ColumnView& view, uint64_t row, TextOut& out) {
    if (view.is_valid(row)) {
      write_(*this, view, row, out);
    } else if (style_ == FieldStyle::kJson) {
      out.append("null");
    }
  }

 private:
  using Write = void (*)(FieldWriter&, const ColumnView&, uint64_t, TextOut&);
  struct Writers;

  const FieldStyle style_;
  Write write_;
  std::string scratch_;      // of types without a writer of their own
  int64_t date_ = 0;         // the last date written,
  char date_text_[10] = {};  //   and its text, if it has this length
  bool has_date_ = false;
};

}  // namespace stela::fsd

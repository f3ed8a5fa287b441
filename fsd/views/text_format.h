// One value as text: the rules of docs/views.md, used by .txt, .csv and .table.csv and in JSON.
#pragma once

#include <string>
#include <string_view>

#include "engine/types/column.h"

namespace stela::fsd {

// The plain text of a value, before any quoting: numbers, ISO 8601, true/false, base64 of binary, JSON of
// vectors and tensors, text as it is.
void append_value_text(const DataType& type, ByteSpan value, std::string& out);

// A field of CSV after RFC 4180: nothing for a null, "" for empty text, quotes where the text needs them.
void append_csv_field(const ColumnView& view, uint64_t row, std::string& out);
// Text as a CSV field: quoted when it is empty or has a comma, a quote or a line end.
void append_csv_text(std::string_view text, std::string& out);

// A line of .txt without its end: \N for a null; in text, C escapes for backslash and control bytes.
void append_txt_value(const ColumnView& view, uint64_t row, std::string& out);

// RFC 4648 with padding.
void append_base64(ByteSpan bytes, std::string& out);

}  // namespace stela::fsd

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

// Text as a JSON string, quotes included; bytes from 0x80 on stay as they are.
void append_json_text(std::string_view text, std::string& out);
// A JSON value: null, true and false, numbers in full, nested arrays of vectors; everything else as a string of its
// text, NaN and infinities too.
void append_json_value(const ColumnView& view, uint64_t row, std::string& out);

// RFC 4648 with padding.
void append_base64(ByteSpan bytes, std::string& out);

}  // namespace stela::fsd

// Cells of JSON lines into typed columns: the parsers of CSV columns, behind a check that a value is of the JSON
// kind (string, number, true or false, array) in which its type is written.
#pragma once

#include <memory>

#include "fsd/ingest/csv_cells.h"

namespace stela::fsd {

// Floats are numbers, or strings like "NaN"; decimals are strings or numbers; texts, times and bytes are strings.
bool is_json_kind_of(const DataType& type, std::string_view text, bool is_string);

// `inferred` as for make_cell_parser.
std::unique_ptr<CellParser> make_json_parser(const DataType& type, bool inferred);
// For a column of text that has shown only strings like "NaN", and would be one of floats with a number among them:
// anything else does not fit.
std::unique_ptr<CellParser> make_json_words_parser();

// "'x' does not fit int64: ..." for a value that a parser refused.
std::string why_json_misfit(const DataType& type, std::string_view text, bool is_string);

}  // namespace stela::fsd

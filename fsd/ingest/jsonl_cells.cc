#include "fsd/ingest/jsonl_cells.h"

#include <algorithm>

#include "fsd/ingest/text_value.h"
#include "fsd/ingest/utf8_text.h"

namespace stela::fsd {
namespace {

class JsonCellParser final : public CellParser {
 public:
  JsonCellParser(const DataType& type, bool words_only, std::unique_ptr<CellParser> values)
      : type_(type), words_only_(words_only), values_(std::move(values)) {}

  size_t parse(const CsvRecords& records, size_t column, ColumnData& out) override {
    size_t misfit = first_of_other_kind(records, column);
    size_t unfit = values_->parse(records, column, out);
    evidence_ = values_->evidence();
    return std::min(misfit, unfit);
  }

 private:
  size_t first_of_other_kind(const CsvRecords& records, size_t column) const {
    for (size_t row = 0; row < records.rows; ++row) {
      const FieldRef& field = records.fields[row * records.columns + column];
      std::string_view text = records.text(field);
      if (text.empty() && !field.is_quoted()) continue;
      if (words_only_) {
        double word = 0;
        if (!field.is_quoted() || !parse_float_word(text, &word)) return row;
      } else if (!is_json_kind_of(type_, text, field.is_quoted())) {
        return row;
      }
    }
    return records.rows;
  }

  DataType type_;
  bool words_only_;
  std::unique_ptr<CellParser> values_;
};

const char* json_form_of(const DataType& type) {
  if (type.is_tensor()) return "an array of numbers is wanted";
  if (type.is_float()) return "a number is wanted, or \"NaN\", \"Infinity\" or \"-Infinity\" as a string";
  if (type.is_integer()) return "a number is wanted, not a string";
  switch (type.kind) {
    case TypeKind::kBool: return "true or false is wanted, without quotes";
    case TypeKind::kDecimal128: return "a decimal in quotes is wanted";
    case TypeKind::kBinary:
    case TypeKind::kFixedBinary: return "base64 in a string is wanted";
    default: return "a string is wanted";
  }
}

}  // namespace

bool is_json_kind_of(const DataType& type, std::string_view text, bool is_string) {
  double word = 0;
  bool is_array = !is_string && text.front() == '[';
  bool is_bool = !is_string && (text.front() == 't' || text.front() == 'f');
  if (type.is_tensor()) return is_array;
  if (is_array) return false;
  if (type.is_float()) return is_string ? parse_float_word(text, &word) : !is_bool;
  if (type.is_integer()) return !is_string && !is_bool;
  if (type.kind == TypeKind::kBool) return is_bool;
  if (type.kind == TypeKind::kDecimal128) return !is_bool;
  return is_string;
}

std::unique_ptr<CellParser> make_json_parser(const DataType& type, bool inferred) {
  return std::make_unique<JsonCellParser>(type, false, make_cell_parser(type, {}, inferred));
}

std::unique_ptr<CellParser> make_json_words_parser() {
  DataType text = DataType::of(TypeKind::kUtf8);
  return std::make_unique<JsonCellParser>(text, true, make_cell_parser(text, {}, true));
}

std::string why_json_misfit(const DataType& type, std::string_view text, bool is_string) {
  if (is_json_kind_of(type, text, is_string)) return why_misfit(type, text);
  std::string shown = quoted_for_message(text);
  if (is_string) shown = "the string " + shown;
  return shown + " does not fit " + type.name() + ": " + json_form_of(type);
}

}  // namespace stela::fsd

#include <algorithm>

#include "fsd/ingest/npy_header.h"
#include "fsd/ingest/text_value.h"
#include "fsd/ingest/utf8_text.h"

namespace stela::fsd {
namespace {

// Walks the literal. Every method returns false when the text is something else.
class Literal {
 public:
  explicit Literal(std::string_view text) : rest_(text) {}

  bool take(char c) {
    skip_spaces();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool next_is(char c) {
    skip_spaces();
    return !rest_.empty() && rest_[0] == c;
  }
  bool at_end() {
    skip_spaces();
    return rest_.empty();
  }
  // Without escapes: no name or type that numpy writes has any.
  bool text(std::string* out) {
    skip_spaces();
    if (rest_.empty() || (rest_[0] != '\'' && rest_[0] != '"')) return false;
    size_t end = rest_.find(rest_[0], 1);
    if (end == std::string_view::npos) return false;
    *out = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return out->find('\\') == std::string::npos;
  }
  bool truth(bool* out) {
    skip_spaces();
    *out = rest_.starts_with("True");
    if (!*out && !rest_.starts_with("False")) return false;
    rest_.remove_prefix(*out ? 4 : 5);
    return true;
  }
  // A trailing L is how Python 2 wrote long integers.
  bool number(uint64_t* out) {
    skip_spaces();
    size_t digits = 0;
    while (digits < rest_.size() && is_digit(rest_[digits])) ++digits;
    if (!parse_magnitude(rest_.data(), digits, out)) return false;
    rest_.remove_prefix(digits);
    if (!rest_.empty() && rest_[0] == 'L') rest_.remove_prefix(1);
    return true;
  }
  bool shape(std::vector<uint64_t>* out) {
    if (!take('(')) return false;
    while (!take(')')) {
      uint64_t extent = 0;
      if (out->size() == kNpyDimensionsMax || !number(&extent)) return false;
      out->push_back(extent);
      bool comma = take(',');
      // (3) is a number in parentheses, not a tuple.
      if (!comma && (out->size() == 1 || !next_is(')'))) return false;
    }
    return true;
  }

 private:
  void skip_spaces() {
    size_t at = 0;
    while (at < rest_.size() && (rest_[at] == ' ' || rest_[at] == '\n' || rest_[at] == '\t' || rest_[at] == '\r')) ++at;
    rest_.remove_prefix(at);
  }
  std::string_view rest_;
};

}  // namespace

Result<NpyDict> parse_npy_dict(std::string_view text) {
  Status broken = invalid("the .npy header is not the dictionary that numpy writes: " + quoted_for_message(text));
  Literal in(text);
  NpyDict dict;
  unsigned seen = 0;
  if (!in.take('{')) return broken;
  while (!in.take('}')) {
    std::string key;
    if (!in.text(&key) || !in.take(':')) return broken;
    unsigned bit = key == "descr" ? 1 : key == "fortran_order" ? 2 : key == "shape" ? 4 : 0;
    if (bit == 0 || (seen & bit) != 0) return broken;
    seen |= bit;
    if (bit == 1 && in.next_is('[')) {
      return unsupported("a structured dtype is not supported in .npy; save each field as a file of its own");
    }
    bool read = bit == 1 ? in.text(&dict.descr) : bit == 2 ? in.truth(&dict.fortran_order) : in.shape(&dict.shape);
    if (!read || (!in.take(',') && !in.next_is('}'))) return broken;
  }
  if (seen != 7 || !in.at_end()) return broken;
  return dict;
}

}  // namespace stela::fsd

#include "fsd/ingest/json_values.h"

#include "fsd/ingest/csv_inference.h"
#include "fsd/ingest/text_value.h"
#include "fsd/ingest/utf8_text.h"

namespace stela::fsd {
namespace {

constexpr size_t kArrayDepthMax = 31;
constexpr uint16_t kTimeBits = kSeenDate | kSeenLocalTime | kSeenZonedTime | kSeenNanoseconds | kSeenOutsideNanoseconds;

bool take_digits(std::string_view text, size_t* at) {
  size_t begin = *at;
  while (*at < text.size() && is_digit(text[*at])) ++*at;
  return *at > begin;
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

Status not_a_vector(std::string_view array, const char* why) {
  return unsupported(
      quoted_for_message(array) + " " + why +
      "; a column holds vectors or tensors of numbers of one shape, lists and objects are not supported");
}

// Walks an array; `counts_` has one number an open bracket.
class ArrayWalk {
 public:
  ArrayWalk(std::string_view text, bool judge, JsonArray& out) : text_(text), judge_(judge), out_(out) {}

  Status run() {
    out_ = {};
    STELA_TRY(open());
    STELA_TRY(after_value());
    while (!counts_.empty()) {
      skip_spaces();
      if (at_ == text_.size()) return broken();
      STELA_TRY(text_[at_] == '[' ? open() : element());
      STELA_TRY(after_value());
    }
    skip_spaces();
    return at_ == text_.size() ? Status() : broken();
  }

 private:
  Status broken() const { return invalid(quoted_for_message(text_) + " is not a JSON array"); }
  void skip_spaces() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  bool next_is(char c) {
    skip_spaces();
    return at_ < text_.size() && text_[at_] == c;
  }

  // One '[' and those that follow it.
  Status open() {
    do {
      ++at_;
      if (counts_.size() == kArrayDepthMax) return not_a_vector(text_, "is nested more than 31 deep");
      counts_.push_back(0);
      if (leaf_depth_ != 0 && counts_.size() > leaf_depth_) return not_a_vector(text_, "mixes numbers and arrays");
    } while (next_is('['));
    if (next_is(']')) return not_a_vector(text_, "is or holds an empty array");
    return element();
  }

  Status element() {
    if (leaf_depth_ == 0) {
      leaf_depth_ = counts_.size();
      out_.shape.assign(leaf_depth_, 0);
    }
    if (counts_.size() != leaf_depth_) return not_a_vector(text_, "mixes numbers and arrays");
    skip_spaces();
    size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != ']' && !is_space(text_[at_])) ++at_;
    std::string_view token = text_.substr(begin, at_ - begin);
    if (token.size() > 2 && token.front() == '"' && token.back() == '"') {
      double word = 0;
      if (!parse_float_word(token.substr(1, token.size() - 2), &word)) return not_a_vector(text_, "holds text");
      out_.evidence |= kSeenFraction;
      return {};
    }
    if (token == "null") return invalid(quoted_for_message(text_) + " holds null; a vector is null as a whole");
    if (token == "true" || token == "false") {
      out_.evidence |= kSeenBool;
      return {};
    }
    if (!token.empty() && (token.front() == '{' || token.front() == '"')) {
      return not_a_vector(text_, token.front() == '{' ? "holds objects" : "holds text");
    }
    if (!is_json_number(token)) return broken();
    if (judge_) out_.evidence |= evidence_of(token);
    return {};
  }

  // Behind a value: closing brackets, then a comma unless all are closed.
  Status after_value() {
    while (true) {
      if (++counts_.back() == UINT32_MAX) return not_a_vector(text_, "is too long");
      if (!next_is(']')) break;
      ++at_;
      uint32_t& extent = out_.shape[counts_.size() - 1];
      if (extent != 0 && extent != counts_.back()) return not_a_vector(text_, "holds arrays of different lengths");
      extent = counts_.back();
      counts_.pop_back();
      if (counts_.empty()) return {};
    }
    if (!next_is(',')) return broken();
    ++at_;
    return {};
  }

  std::string_view text_;
  bool judge_;
  JsonArray& out_;
  size_t at_ = 0;
  size_t leaf_depth_ = 0;  // 0: no element seen yet
  std::vector<uint32_t> counts_;
};

std::string shape_text(const std::vector<uint32_t>& shape) {
  std::string out;
  for (uint32_t extent : shape) out += (out.empty() ? "" : " x ") + std::to_string(extent);
  return out;
}

}  // namespace

bool is_json_number(std::string_view text) {
  size_t at = !text.empty() && text[0] == '-' ? 1 : 0;
  size_t whole = at;
  if (!take_digits(text, &at) || (text[whole] == '0' && at - whole > 1)) return false;
  if (at < text.size() && text[at] == '.' && !take_digits(text, &++at)) return false;
  if (at < text.size() && (text[at] | 0x20) == 'e') {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (!take_digits(text, &at)) return false;
  }
  return at == text.size();
}

Status read_json_array(std::string_view text, bool judge, JsonArray* out) { return ArrayWalk(text, judge, *out).run(); }

uint16_t JsonEvidence::bits_of(std::string_view text, bool is_string, Kind* kind) const {
  double word = 0;
  if (is_string) {
    *kind = parse_float_word(text, &word) ? kWord : kString;
    if (*kind == kWord) return 0;
    uint16_t bits = evidence_of(text);
    return (bits & ~kTimeBits) == 0 ? bits : uint16_t{kSeenText};
  }
  *kind = text.front() == 't' || text.front() == 'f' ? kBool : kNumber;
  return evidence_of(text);
}

Status JsonEvidence::add_array(std::string_view text) {
  JsonArray array;
  STELA_TRY(read_json_array(text, true, &array));
  if ((kinds_ & kArray) != 0 && array.shape != shape_) {
    return unsupported(quoted_for_message(text) + " has the shape " + shape_text(array.shape) + " where others have " +
                       shape_text(shape_) + "; vectors of one column have one shape, lists are not supported");
  }
  shape_ = std::move(array.shape);
  kinds_ |= kArray;
  bits_ |= array.evidence;
  return check(text);
}

Status JsonEvidence::add(std::string_view text, bool is_string) {
  if (!is_string && text.front() == '[') return add_array(text);
  Kind kind = kNumber;
  uint16_t bits = bits_of(text, is_string, &kind);
  if ((kinds_ & kind) != 0 && (bits_ | bits) == bits_) return {};
  kinds_ |= kind;
  bits_ |= bits;
  return check(text);
}

// Texts and numbers in one column would come out as texts: what they were would be lost.
Status JsonEvidence::check(std::string_view text) const {
  bool number = (kinds_ & kNumber) != 0, word = (kinds_ & kWord) != 0;
  int families = ((kinds_ & kBool) != 0) + number + ((kinds_ & kString) != 0) + ((kinds_ & kArray) != 0) +
                 (word && (kinds_ & (kBool | kArray)) != 0);
  if (families > 1) {
    return invalid(
        quoted_for_message(text) +
        " is of another kind than the column's earlier values (a string, a number, true or false, an array); "
        "write all of them as one kind, or null");
  }
  if (!number && (kinds_ & kArray) == 0) return {};
  DataType found = type();
  if (found.kind == TypeKind::kUtf8) {
    return invalid(quoted_for_message(text) +
                   " does not fit a number type that holds it and the column's earlier numbers exactly; write all of "
                   "them as strings, or state the type in .schema.json");
  }
  return found.validate();
}

DataType JsonEvidence::type() const {
  bool word = (kinds_ & kWord) != 0;
  if ((kinds_ & kNumber) != 0) return type_for_evidence(static_cast<uint16_t>(bits_ | (word ? kSeenFraction : 0)));
  if ((kinds_ & kArray) != 0) {
    DataType element = type_for_evidence(bits_);
    bool fits = element.kind == TypeKind::kBool || element.is_integer() || element.is_float();
    return fits ? DataType::tensor(element.kind, shape_) : DataType::of(TypeKind::kUtf8);
  }
  if (word) return DataType::of(TypeKind::kUtf8);
  return type_for_evidence(bits_);
}

}  // namespace stela::fsd

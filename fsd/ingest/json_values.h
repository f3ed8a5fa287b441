// Values of JSON lines as text: numbers and arrays whose grammar (RFC 8259) is checked here, and which type a
// column of a first file gets from them (docs/jsonl.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/types/data_type.h"

namespace stela::fsd {

// A number as RFC 8259 writes it, nothing around it.
bool is_json_number(std::string_view text);

// A JSON array of numbers, true and false, and "NaN", "Infinity" and the like in quotes; nested to a regular shape.
struct JsonArray {
  std::vector<uint32_t> shape;  // outermost first
  uint16_t evidence = 0;        // of its elements, joined (csv_inference.h)
};
// Checks `text`, which begins with '['. kUnsupported for what is not a vector or tensor (empty, ragged, text or
// objects within), kInvalid for what is not JSON. Takes no recursion; `out.evidence` only when `judge`.
Status read_json_array(std::string_view text, bool judge, JsonArray* out);

// What the values of one column showed so far. Only grows, so that the type does not depend on their order.
class JsonEvidence {
 public:
  // One value that is not null: the text of a string, or a token as it stands. Not ok when no type fits it and the
  // column's earlier values; the sentence names neither column nor line.
  Status add(std::string_view text, bool is_string);
  // Bits that a typed parser of the column collected.
  void add_bits(uint16_t bits) { bits_ |= bits; }
  bool any() const { return kinds_ != 0; }
  // Only strings like "NaN": text, unless numbers follow.
  bool words_only() const { return kinds_ == kWord; }
  DataType type() const;

 private:
  enum Kind : uint8_t { kBool = 1, kNumber = 2, kWord = 4, kString = 8, kArray = 16 };
  uint16_t bits_of(std::string_view text, bool is_string, Kind* kind) const;
  Status add_array(std::string_view text);
  Status check(std::string_view text) const;

  uint8_t kinds_ = 0;
  uint16_t bits_ = 0;
  std::vector<uint32_t> shape_;
};

}  // namespace stela::fsd

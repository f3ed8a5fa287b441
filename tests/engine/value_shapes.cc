#include "tests/engine/value_shapes.h"

#include <cstdlib>

namespace stela::format {
namespace {

class Numbers {
 public:
  Numbers(Shape shape, std::mt19937_64& random) : shape_(shape), random_(random) {}
  uint64_t next() {
    switch (shape_) {
      case Shape::kRandom: return random_();
      case Shape::kConstant: return 77;
      case Shape::kSmall: return random_() % 1000 - 200;
      case Shape::kOutlier: return random_() % 200 == 0 ? random_() : random_() % 5000;
      case Shape::kAscending: return number_ += 900 + random_() % 100;
      case Shape::kRuns: return number_ = random_() % 50 == 0 ? random_() % 1000 : number_;
      case Shape::kFewDistinct: return random_() % 20 * 0x123456789abcdef;
      case Shape::kDecimal: return random_() % 100 == 0 ? random_() : random_() % 1000000;
      case Shape::kWords:
      case Shape::kEchoes: return random_();
    }
    return 0;
  }

 private:
  Shape shape_;
  std::mt19937_64& random_;
  uint64_t number_ = 0;
};

std::string words(uint64_t number) {
  static const char* const kWords[] = {"carefully ", "final",     " deposits", "sleep ",
                                       "the quick ", "furiously", " ",         "x"};
  std::string text;
  for (uint64_t left = number % 12; left > 0; --left, number /= 8) text += kWords[number % 8];
  return text;
}

void write_decimal(const DataType& type, uint64_t number, std::string& value) {
  const double decimal = static_cast<double>(number) / 100;
  const auto single = static_cast<float>(decimal);
  if (type.is_tensor()) return;
  if (type.kind == TypeKind::kFloat64) std::memcpy(value.data(), &decimal, sizeof(decimal));
  if (type.kind == TypeKind::kFloat32) std::memcpy(value.data(), &single, sizeof(single));
}

}  // namespace

bool is_case_taken(std::mt19937_64& random) {
  const char* percent = std::getenv("STELA_TEST_SCALE");
  return percent == nullptr || random() % 100 < std::strtoull(percent, nullptr, 10);
}

ColumnData shaped_column(const DataType& type, uint64_t rows, Shape shape, std::mt19937_64& random) {
  ColumnData column(type);
  Numbers numbers(shape, random);
  std::string value;
  for (uint64_t row = 0; row < rows; ++row) {
    const uint64_t number = numbers.next();
    if (type.is_variable() && shape == Shape::kEchoes) {
      value = value.empty() ? value : value.substr(value.size() - 200);
      for (int i = 0; i < 200; ++i) value += static_cast<char>(random());
      column.append_text(value);
      continue;
    }
    if (type.is_variable()) {
      if (shape == Shape::kWords) {
        value = words(number);
        column.append_text(value);
        continue;
      }
      value = number % 9 == 0 ? "" : "value " + std::to_string(number) + std::string(number % 5, 'x');
    } else {
      value.assign(type.value_width(), static_cast<char>(static_cast<int64_t>(number) < 0 ? -1 : 0));
      for (size_t at = 0; at < value.size(); at += shape == Shape::kRandom ? 8 : 16) {
        const uint64_t bits = at == 0 ? number : numbers.next();
        std::memcpy(value.data() + at, &bits, std::min<size_t>(8, value.size() - at));
      }
      if (shape == Shape::kDecimal && number < 1000000) write_decimal(type, number, value);
      if (type.kind == TypeKind::kBool) {
        for (char& byte : value) byte = static_cast<char>(byte & 1);
      }
    }
    column.append_text(value);
  }
  return column;
}

}  // namespace stela::format

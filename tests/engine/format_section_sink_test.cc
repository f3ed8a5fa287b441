#include <gtest/gtest.h>

#include <random>
#include <string>

#include "engine/format/section_sink.h"

namespace stela::format {
namespace {

class TextFile final : public FileWriter {
 public:
  Status append(ByteSpan bytes) override {
    text.append(as_text(bytes));
    return {};
  }
  Status fill_head(ByteSpan bytes) override {
    text.replace(0, bytes.size(), as_text(bytes));
    return {};
  }
  uint64_t size() const override { return text.size(); }
  std::string text;
};

TEST(SectionSink, KeepsTheOrderOfSmallAndLargeAppends) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    TextFile file;
    SectionSink sink(file, {});
    std::string expected;
    for (int i = 0; i < 40; ++i) {
      size_t bytes = random() % 2 == 0 ? random() % 300 : random() % (400 << 10);
      std::string piece(bytes, static_cast<char>('a' + i % 26));
      auto offset = sink.append(as_bytes(piece));
      ASSERT_TRUE(offset.ok());
      EXPECT_EQ(*offset, expected.size());
      expected += piece;
      ASSERT_EQ(sink.section_bytes(), expected.size());
    }
    ASSERT_TRUE(sink.flush().ok());
    ASSERT_TRUE(file.text == expected) << "seed " << seed;
  }
}

}  // namespace
}  // namespace stela::format

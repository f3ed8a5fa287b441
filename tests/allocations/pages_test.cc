// Pages are decoded in memory of the pool: once it is warm, a scan asks the allocator for as much whether it reads a
// few pages or many.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "engine/format/encoding.h"
#include "engine/io/memory_env.h"
#include "engine/store/store.h"
#include "tests/allocations/failing_allocations.h"
#include "tests/engine/value_shapes.h"

namespace stela {
namespace {

using format::Shape;

// A sanitizer's build keeps nothing in the pool; any other that does not fails here.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kPoolKeepsMemory = false;
#else
constexpr bool kPoolKeepsMemory = true;
#endif
#elif defined(__SANITIZE_ADDRESS__)
constexpr bool kPoolKeepsMemory = false;
#else
constexpr bool kPoolKeepsMemory = true;
#endif

TEST(PagesOfAScan, AreDecodedWithoutAllocations) {
  if (!kPoolKeepsMemory) GTEST_SKIP() << "the pool keeps nothing in this build";
  std::mt19937_64 random(5);
  for (const char* name : {"int64", "float64", "utf8", "bool", "timestamp[ms]"}) {
    const DataType type = *DataType::parse(name);
    for (Shape shape : format::kShapes) {
      const ColumnData values = format::shaped_column(type, 5000, shape, random);
      for (const format::Encoding* encoding : format::all_encodings()) {
        Buffer bytes;
        if (!encoding->supports(type)) continue;
        if (!encoding->encode(values.view(), format::EncodingMode::kCold, bytes).ok()) continue;
        ColumnData out(type);
        uint64_t allocated = 0;
        for (int i = 0; i < 3; ++i) {
          out.clear();
          allocated = allocations_so_far();
          ASSERT_TRUE(encoding->decode_range(bytes.span(), type, 5000, 0, 5000, out).ok());
          allocated = allocations_so_far() - allocated;
        }
        EXPECT_EQ(allocated, 0u) << encoding->name() << " " << name << ", shape " << static_cast<int>(shape);
      }
    }
  }
}

// Allocations of reading `rows` rows a second time.
uint64_t allocations_of_reading(const Snapshot& snapshot, const ColumnInfo& column, uint64_t rows) {
  ColumnData out(column.type);
  uint64_t allocated = 0;
  for (int i = 0; i < 3; ++i) {
    out.clear();
    allocated = allocations_so_far();
    EXPECT_TRUE(snapshot.read(column, 0, rows, out).ok());
    allocated = allocations_so_far() - allocated;
  }
  return allocated;
}

TEST(PagesOfAScan, TakeNothingFromTheAllocatorHoweverManyThereAre) {
  if (!kPoolKeepsMemory) GTEST_SKIP() << "the pool keeps nothing in this build";
  StoreOptions options;
  options.background = false;
  const std::shared_ptr<Env> env = memory_env();
  auto store = Store::create(env, options).value();
  std::mt19937_64 random(6);
  constexpr uint64_t kRows = 600'000;
  Batch batch;
  batch.add("small", format::shaped_column(*DataType::parse("int64"), kRows, Shape::kSmall, random));
  batch.add("few", format::shaped_column(*DataType::parse("utf8"), kRows, Shape::kFewDistinct, random));
  batch.add("price", format::shaped_column(*DataType::parse("float64"), kRows, Shape::kDecimal, random));
  ASSERT_TRUE(store->create_table("/t")->append(batch, {}).ok());
  ASSERT_TRUE(store->close().ok());
  store = Store::open(env, options).value();
  const Snapshot head = store->table("/t")->head().value();
  for (const char* name : {"small", "few", "price"}) {
    const ColumnInfo column = head.column(name).value();
    ASSERT_GT(head.pieces(column)->front().pages.size(), 8u) << name;
    const uint64_t of_few = allocations_of_reading(head, column, 70'000);
    EXPECT_EQ(allocations_of_reading(head, column, kRows), of_few) << name;
    EXPECT_LT(of_few, 100u) << name;
  }
}

}  // namespace
}  // namespace stela

// Short reads, short writes and interrupted calls of a real filesystem are no errors: every operation takes place, and
// the store shows what it should, also after it is opened again. STELA_SHORT_CALL_RUNS sets how many stores are filled.
#include "tests/short_calls/short_calls.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "engine/io/posix_env.h"
#include "tests/crash/restore_operation.h"
#include "tests/crash/store_model.h"

namespace stela {
namespace {

uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class ShortCallsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "/stela-short-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr) << "no folder can be made as " << name;
    folder_ = name;
  }
  void TearDown() override {
    stop_shortening_calls();
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }

  std::filesystem::path folder_;
};

TEST_F(ShortCallsTest, EveryOperationTakesPlace) {
  uint64_t runs = from_environment("STELA_SHORT_CALL_RUNS",
                                   std::max<uint64_t>(1, 8 * from_environment("STELA_TEST_SCALE", 100) / 100));
  uint64_t seed = from_environment("STELA_CRASH_SEED", 1);
  ShortCalls all;
  for (uint64_t run = 0; run < runs; ++run, ++seed) {
    SCOPED_TRACE("STELA_CRASH_SEED=" + std::to_string(seed));
    SeededRandom random(seed);
    auto env = posix_env(folder_ / std::to_string(run));
    shorten_calls(seed);
    auto store = Store::create(env, model::small_options());
    ASSERT_TRUE(store.ok()) << store.status().message();
    model::Model now;
    for (int i = 0; i < 60; ++i) {
      model::Operation operation = model::any_operation(now, random);
      Status status = operation.run(**store);
      ASSERT_TRUE(status.ok()) << i << ", " << operation.name << ": " << status.message();
      now = operation.after;
      ASSERT_EQ(model::difference(**store, now), "") << i << ", " << operation.name;
    }
    store = Status(Code::kIo, "closed");
    store = Store::open(env, model::small_options());
    ASSERT_TRUE(store.ok()) << store.status().message();
    EXPECT_EQ(model::difference(**store, now), "");
    EXPECT_TRUE(
        (*store)->check([](const DamageReport& report) { ADD_FAILURE() << report.file << report.reason; }).ok());
    ShortCalls some = stop_shortening_calls();
    all.short_reads += some.short_reads;
    all.short_writes += some.short_writes;
    all.interrupted += some.interrupted;
  }
  std::printf("short reads: %lu, short writes: %lu, interrupted calls: %lu\n",
              static_cast<unsigned long>(all.short_reads), static_cast<unsigned long>(all.short_writes),
              static_cast<unsigned long>(all.interrupted));
  EXPECT_GT(all.short_reads, runs);
  EXPECT_GT(all.short_writes, runs);
}

}  // namespace
}  // namespace stela

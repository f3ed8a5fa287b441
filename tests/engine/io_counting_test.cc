#include <gtest/gtest.h>

#include "engine/io/counting_env.h"
#include "engine/io/memory_env.h"
#include "tests/engine/io_env_cases.h"

namespace stela {
namespace {

TEST(CountingEnvTest, CountsByKindAndPassesEverythingOn) {
  CountingEnv env(memory_env());
  auto writer = env.files().create("data/0/1.flat").value();
  ASSERT_TRUE(writer->append(pattern_bytes(1'000, 1).span()).ok());
  ASSERT_TRUE(writer->fill_head(pattern_bytes(128, 2).span()).ok());
  FileWriter* one = writer.get();
  ASSERT_TRUE(env.files().finish({&one, 1}).ok());
  auto reader = env.files().open("data/0/1.flat").value();
  Buffer a(10);
  Buffer b(20);
  ReadRange ranges[] = {{0, a.span()}, {500, b.span()}};
  ASSERT_TRUE(reader->read(ranges).ok());
  EXPECT_EQ(env.counters().of(FileKind::kFlat),
            (IoCount{.reads = 1, .read_bytes = 30, .writes = 2, .written_bytes = 1'128, .syncs = 1}));
  ASSERT_TRUE(env.files().put_if_absent("catalog/1.manifest", as_bytes("m")).ok());
  EXPECT_EQ(env.counters().of(FileKind::kManifest), (IoCount{.writes = 1, .written_bytes = 1, .syncs = 1}));
  auto scratch = env.files().scratch().value();
  ASSERT_TRUE(scratch->write(0, as_bytes("abc")).ok());
  EXPECT_EQ(env.counters().of(FileKind::kScratch), (IoCount{.writes = 1, .written_bytes = 3}));
  EXPECT_EQ(env.counters().total().written_bytes, 1'128u + 1 + 3);
}

TEST(CountingEnvTest, LogSyncsAreCounted) {
  CountingEnv env(memory_env());
  auto log = env.open_log(kLogBlock).value();
  ASSERT_TRUE(log->prepare(0).ok());
  ASSERT_TRUE(log->append(0, pattern_bytes(kLogBlock, 1).span()).ok());
  ASSERT_TRUE(log->sync().ok());
  EXPECT_EQ(env.counters().of(FileKind::kLog), (IoCount{.writes = 1, .written_bytes = kLogBlock, .syncs = 1}));
}

TEST(CountingEnvTest, KindsComeFromNames) {
  EXPECT_EQ(kind_of_file("log/7"), FileKind::kLog);
  EXPECT_EQ(kind_of_file("data/0/3.frag"), FileKind::kFragment);
  EXPECT_EQ(kind_of_file("data/0/3.flat"), FileKind::kFlat);
  EXPECT_EQ(kind_of_file("catalog/3.run"), FileKind::kRun);
  EXPECT_EQ(kind_of_file("catalog/3.manifest"), FileKind::kManifest);
  EXPECT_EQ(kind_of_file("STELA"), FileKind::kOther);
}

}  // namespace
}  // namespace stela

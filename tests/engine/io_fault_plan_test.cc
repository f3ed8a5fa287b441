// Planned faults, full disks, damage, lying disks and counters of the fault layer.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include "tests/engine/io_fault_files.h"

namespace stela {
namespace {

using Names = std::vector<std::string>;

TEST(FaultPlanTest, FaultsFireOnceOrForEverAndOnlyWhereTheyCan) {
  auto env = fault_env();
  env->fail_at(0, FaultKind::kShortWrite);  // a create cannot be short
  env->fail_at(1, FaultKind::kIoError);
  EXPECT_FALSE(write_file(*env, "data/0/1.frag", as_bytes("abc")).ok());
  EXPECT_EQ(env->faults_fired(), 1u);
  EXPECT_TRUE(write_file(*env, "data/0/1.frag", as_bytes("abc")).ok());
  env->fail_at(env->operation_count(), FaultKind::kTooManyFiles, true);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(env->files().open("data/0/1.frag").status().code(), Code::kTooManyFiles);
  env->clear_faults();
  EXPECT_TRUE(env->files().open("data/0/1.frag").ok());
  env->fail_at(env->operation_count(), FaultKind::kNoSpace);
  EXPECT_EQ(env->files().create("data/0/2.frag").status().code(), Code::kNoSpace);
}

TEST(FaultPlanTest, ShortWriteOfTheLogAppliesAPrefix) {
  Buffer group = pattern_bytes(2 * kLogBlock, 1);
  std::set<size_t> lengths;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    auto env = fault_env(seed);
    auto log = env->open_log(kFaultSegment).value();
    ASSERT_TRUE(log->prepare(0).ok());
    env->fail_at(env->operation_count(), FaultKind::kShortWrite);
    EXPECT_EQ(log->append(0, group.span()).code(), Code::kIo);
    Buffer after = env->file_bytes("log/0").value();
    size_t same = 0;
    while (same < group.size() && after.data()[same] == group.data()[same]) ++same;
    EXPECT_LT(same, group.size());
    EXPECT_EQ(std::count(after.data() + same, after.data() + kFaultSegment, std::byte{0}),
              static_cast<long>(kFaultSegment - same));
    lengths.insert(same);
  }
  EXPECT_GT(lengths.size(), 5u);
}

TEST(FaultPlanTest, ShortReadBringsAPrefixAndSaysSo) {
  Buffer bytes = pattern_bytes(kLogBlock, 1);
  std::set<size_t> lengths;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    auto env = fault_env(seed);
    ASSERT_TRUE(write_file(*env, "data/0/1.frag", bytes.span()).ok());
    auto reader = env->files().open("data/0/1.frag").value();
    std::vector<std::byte> into(kLogBlock, std::byte{0});
    env->fail_at(env->operation_count(), FaultKind::kShortRead);
    EXPECT_EQ(reader->read_at(0, into).code(), Code::kDamaged);
    auto ends = std::find_if(into.rbegin(), into.rend(), [](std::byte each) { return each != std::byte{0}; });
    EXPECT_TRUE(std::equal(ends, into.rend(), bytes.span().rbegin() + (ends - into.rbegin())));
    lengths.insert(static_cast<size_t>(into.rend() - ends));
    EXPECT_TRUE(reader->read_at(0, into).ok());
    EXPECT_TRUE(std::equal(into.begin(), into.end(), bytes.data()));
  }
  EXPECT_GT(lengths.size(), 5u);
}

TEST(FaultPlanTest, WriterThatFailedOnceFinishesNever) {
  auto env = fault_env();
  auto writer = env->files().create("data/0/1.frag").value();
  env->fail_at(env->operation_count(), FaultKind::kShortWrite);
  EXPECT_FALSE(writer->append(as_bytes("abc")).ok());
  EXPECT_FALSE(writer->append(as_bytes("def")).ok());
  FileWriter* one = writer.get();
  EXPECT_FALSE(env->files().finish({&one, 1}).ok());
  EXPECT_EQ(env->file_names(), Names{});
}

TEST(FaultPlanTest, RandomFaultsComeAtTheAskedRate) {
  auto env = fault_env();
  ASSERT_TRUE(env->files().put_if_absent("data/0/1.frag", as_bytes("x")).ok());
  env->fail_randomly(8, FaultKind::kIoError, 42);
  int failed = 0;
  for (int i = 0; i < 8'000; ++i) failed += env->files().open("data/0/1.frag").ok() ? 0 : 1;
  EXPECT_NEAR(failed, 1'000, 150);
  EXPECT_EQ(env->faults_fired(), static_cast<uint64_t>(failed));
}

TEST(FaultPlanTest, FullDiskRefusesWhatDoesNotFit) {
  auto env = fault_env();
  env->set_capacity(10'000);
  ASSERT_TRUE(write_file(*env, "data/0/1.frag", pattern_bytes(6'000, 1).span()).ok());
  EXPECT_EQ(env->files().free_space().value(), 4'000u);
  EXPECT_EQ(write_file(*env, "data/0/2.frag", pattern_bytes(6'000, 1).span()).code(), Code::kNoSpace);
  EXPECT_EQ(env->files().free_space().value(), 4'000u) << "a discarded file gives its space back";
  ASSERT_TRUE(env->files().remove("data/0/1.frag").ok());
  ASSERT_TRUE(write_file(*env, "data/0/2.frag", pattern_bytes(6'000, 1).span()).ok());
  auto scratch = env->files().scratch().value();
  EXPECT_EQ(scratch->write(0, pattern_bytes(5'000, 1).span()).code(), Code::kNoSpace);
  auto log = env->open_log(kFaultSegment).value();
  EXPECT_EQ(log->prepare(0).code(), Code::kNoSpace);
  env->set_capacity(100'000);
  EXPECT_TRUE(log->prepare(0).ok());
  Buffer block(kLogBlock);
  env->set_capacity(1);
  EXPECT_TRUE(log->append(0, block.span()).ok()) << "written blocks need no space";
}

TEST(FaultPlanTest, DamageIsSeenByReadersAndStays) {
  auto env = fault_env();
  ASSERT_TRUE(env->files().put_if_absent("data/0/1.frag", as_bytes("abcdef")).ok());
  uint64_t before = env->image_hash();
  ASSERT_TRUE(env->flip_bit("data/0/1.frag", 1, 0).ok());
  EXPECT_EQ(text_of(*env, "data/0/1.frag"), "accdef");
  EXPECT_NE(env->image_hash(), before);
  ASSERT_TRUE(env->flip_bit("data/0/1.frag", 1, 0).ok());
  EXPECT_EQ(env->image_hash(), before) << "equal images have equal hashes";
  ASSERT_TRUE(env->truncate_file("data/0/1.frag", 4).ok());
  EXPECT_EQ(text_of(*env->reboot(CrashStyle::kLoseUnsynced, 1), "data/0/1.frag"), "abcd");
  ASSERT_TRUE(env->replace_file("data/0/1.frag", as_bytes("other")).ok());
  EXPECT_EQ(text_of(*env->reboot(CrashStyle::kLoseUnsynced, 1), "data/0/1.frag"), "other");
  EXPECT_EQ(env->flip_bit("absent", 0, 0).code(), Code::kNotFound);
  EXPECT_EQ(env->flip_bit("data/0/1.frag", 5, 0).code(), Code::kInvalid);
  EXPECT_EQ(env->truncate_file("data/0/1.frag", 6).code(), Code::kInvalid);
}

TEST(FaultPlanTest, SameSeedAndPlanGiveTheSameImage) {
  auto run = [](uint64_t seed) {
    auto env = fault_env(seed);
    auto log = env->open_log(kFaultSegment).value();
    for (uint64_t n : {0, 1}) EXPECT_TRUE(log->prepare(n).ok());
    env->crash_at(40);
    for (uint64_t i = 0; !env->crashed(); ++i) {
      Buffer block = pattern_bytes(kLogBlock, env->random().next());
      if (!log->append((i % 8) * kLogBlock, block.span()).ok()) break;
      if (i % 3 == 2 && !log->sync().ok()) break;
    }
    return env;
  };
  std::set<uint64_t> images;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    uint64_t image = run(9)->reboot(CrashStyle::kRandomSubset, seed)->image_hash();
    EXPECT_EQ(run(9)->reboot(CrashStyle::kRandomSubset, seed)->image_hash(), image);
    images.insert(image);
  }
  EXPECT_GT(images.size(), 5u);
  EXPECT_EQ(run(9)->trace(), run(9)->trace());
}

TEST(FaultPlanTest, ObserverMayTakeAnImageBeforeEachOperation) {
  auto env = fault_env();
  std::vector<size_t> files_when_cut;
  env->set_observer([&](uint64_t operation, std::string_view name) {
    EXPECT_EQ(operation, files_when_cut.size());
    EXPECT_FALSE(name.empty());
    files_when_cut.push_back(env->reboot(CrashStyle::kLoseUnsynced, operation)->file_names().size());
  });
  ASSERT_TRUE(env->files().put_if_absent("a", as_bytes("x")).ok());
  ASSERT_TRUE(env->files().put_if_absent("b", as_bytes("x")).ok());
  env->crash_point("done");
  EXPECT_EQ(files_when_cut, (std::vector<size_t>{0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2}));
}

TEST(FaultPlanTest, CrashPointIsAnOperation) {
  auto env = fault_env();
  env->crash_at(1);
  env->crash_point("flush.begin");
  EXPECT_FALSE(env->crashed());
  env->crash_point("flush.run_written");
  EXPECT_TRUE(env->crashed());
  EXPECT_EQ(env->trace(), (Names{"0 crash_point flush.begin", "1 crash_point flush.run_written"}));
}

TEST(FaultPlanTest, DiskThatLiesLosesWhatItConfirmed) {
  for (int which = 0; which < 3; ++which) {
    auto env = fault_env();
    auto log = env->open_log(kFaultSegment).value();
    ASSERT_TRUE(log->prepare(0).ok());
    ASSERT_TRUE(write_file(*env, "data/0/0.frag", as_bytes("0")).ok());
    env->ignore_syncs({.files = which == 0, .folders = which == 1, .log = which == 2});
    ASSERT_TRUE(write_file(*env, "data/0/1.frag", as_bytes("abc")).ok());
    ASSERT_TRUE(log->append(0, pattern_bytes(kLogBlock, 1).span()).ok());
    ASSERT_TRUE(log->sync().ok());
    auto after = env->reboot(CrashStyle::kLoseUnsynced, 1);
    EXPECT_EQ(text_of(*after, "data/0/1.frag") == "abc", which == 2) << which;
    EXPECT_EQ(after->file_bytes("log/0").value().data()[0] != std::byte{0}, which != 2) << which;
  }
}

TEST(FaultPlanTest, CountersTellKindsApart) {
  auto env = fault_env();
  ASSERT_TRUE(write_file(*env, "data/0/1.frag", pattern_bytes(1'000, 1).span()).ok());
  auto log = env->open_log(kFaultSegment).value();
  ASSERT_TRUE(log->prepare(0).ok());
  IoCount before = env->counters().of(FileKind::kLog);
  ASSERT_TRUE(log->append(0, pattern_bytes(kLogBlock, 1).span()).ok());
  ASSERT_TRUE(log->sync().ok());
  EXPECT_EQ(env->counters().of(FileKind::kLog) - before,
            (IoCount{.writes = 1, .written_bytes = kLogBlock, .syncs = 1}));
  Buffer into(100);
  ASSERT_TRUE(env->files().open("data/0/1.frag").value()->read_at(5, into.span()).ok());
  EXPECT_EQ(env->counters().of(FileKind::kFragment),
            (IoCount{.reads = 1, .read_bytes = 100, .writes = 1, .written_bytes = 1'000, .syncs = 1}));
  EXPECT_EQ(env->counters().of(FileKind::kManifest), IoCount{});
}

TEST(FaultPlanTest, SeveralThreadsMayUseIt) {
  auto env = fault_env();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&env, t] {
      for (int i = 0; i < 50; ++i) {
        std::string name = "data/" + std::to_string(t) + "/" + std::to_string(i) + ".frag";
        EXPECT_TRUE(write_file(*env, name, as_bytes(name)).ok());
        EXPECT_GE(env->reboot(CrashStyle::kRandomSubset, 1)->file_names().size(), 1u);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(env->reboot(CrashStyle::kLoseUnsynced, 1)->file_names().size(), 200u);
}

}  // namespace
}  // namespace stela

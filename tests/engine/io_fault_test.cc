// The fault layer itself: what survives a crash and what does not, and when planned faults fire.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include "engine/io/fault_env.h"
#include "tests/engine/io_env_cases.h"

namespace stela {
namespace {

using Names = std::vector<std::string>;
constexpr uint64_t kSegment = 4 * kLogBlock;
constexpr size_t kSector = 512;

Status write_file(Env& env, const std::string& name, ByteSpan bytes) {
  STELA_ASSIGN(auto writer, env.files().create(name));
  STELA_TRY(writer->append(bytes));
  FileWriter* one = writer.get();
  return env.files().finish({&one, 1});
}

std::string text_of(FaultEnv& env, const std::string& name) {
  auto bytes = env.file_bytes(name);
  return bytes.ok() ? std::string(as_text(bytes->span())) : "(" + bytes.status().message() + ")";
}

uint64_t index_of(const FaultEnv& env, const std::string& label) {
  for (const std::string& each : env.trace()) {
    if (each.ends_with(" " + label)) return std::stoull(each);
  }
  ADD_FAILURE() << "no operation " << label;
  return 0;
}

TEST(FaultEnvTest, FinishedFilesSurviveEveryCrash) {
  auto env = fault_env();
  Buffer bytes = pattern_bytes(10'000, 3);
  ASSERT_TRUE(write_file(*env, "data/0/1.frag", bytes.span()).ok());
  ASSERT_TRUE(env->files().put_if_absent("catalog/1.manifest", as_bytes("m")).ok());
  for (CrashStyle style : kCrashStyles) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      auto after = env->reboot(style, seed);
      EXPECT_EQ(after->file_names(), (Names{"catalog/1.manifest", "data/0/1.frag"}));
      EXPECT_TRUE(same_bytes(after->file_bytes("data/0/1.frag").value().span(), bytes.span()));
    }
  }
}

TEST(FaultEnvTest, UnfinishedFilesNeverSurvive) {
  auto env = fault_env();
  auto writer = env->files().create("data/0/1.frag").value();
  ASSERT_TRUE(writer->append(as_bytes("abc")).ok());
  for (CrashStyle style : kCrashStyles) EXPECT_EQ(env->reboot(style, 1)->file_names(), Names{});
}

TEST(FaultEnvTest, FinishTakesItsStepsInTheOrderOfThePosixOne) {
  auto env = fault_env();
  ASSERT_TRUE(write_file(*env, "data/0/1.frag", as_bytes("abc")).ok());
  EXPECT_EQ(env->trace(),
            (Names{"0 create data/0/1.frag", "1 write data/0/1.frag", "2 sync_file data/0/1.frag",
                   "3 link data/0/1.frag", "4 sync_folder data/0", "5 sync_folder data", "6 sync_folder "}));
  ASSERT_TRUE(write_file(*env, "data/0/2.frag", as_bytes("abc")).ok());
  EXPECT_EQ(env->trace().back(), "11 sync_folder data/0") << "the folders above are durable by now";
}

// At every operation of a finish: the file is whole, or not there.
TEST(FaultEnvTest, CrashInsideFinishLeavesTheWholeFileOrNone) {
  std::set<size_t> counts;
  for (uint64_t at = 0; at < 7; ++at) {
    for (CrashStyle style : kCrashStyles) {
      for (uint64_t seed = 0; seed < 10; ++seed) {
        auto env = fault_env();
        env->crash_at(at);
        Buffer bytes = pattern_bytes(3'000, 1);
        Status finished = write_file(*env, "data/0/1.frag", bytes.span());
        EXPECT_EQ(finished.code(), Code::kIo);
        EXPECT_EQ(finished.message(), "simulated crash");
        EXPECT_TRUE(env->crashed());
        auto after = env->reboot(style, seed);
        counts.insert(after->file_names().size());
        if (style == CrashStyle::kLoseUnsynced) {
          EXPECT_EQ(after->file_names(), Names{});
        }
        if (after->file_names().empty()) continue;
        EXPECT_TRUE(same_bytes(after->file_bytes("data/0/1.frag").value().span(), bytes.span()));
      }
    }
  }
  EXPECT_EQ(counts, (std::set<size_t>{0, 1})) << "both happen";
}

TEST(FaultEnvTest, AfterTheCrashNothingChangesAndAllFails) {
  auto env = fault_env();
  ASSERT_TRUE(write_file(*env, "data/0/1.frag", as_bytes("abc")).ok());
  auto reader = env->files().open("data/0/1.frag").value();
  auto log = env->open_log(kSegment).value();
  env->crash_now();
  uint64_t operations = env->operation_count();
  Buffer into(kLogBlock);
  EXPECT_EQ(reader->read_at(0, into.span().first(1)).message(), "simulated crash");
  EXPECT_FALSE(env->files().remove("data/0/1.frag").ok());
  EXPECT_FALSE(env->files().list("data").ok());
  EXPECT_FALSE(env->files().create("x").ok());
  EXPECT_FALSE(env->files().scratch().ok());
  EXPECT_FALSE(log->prepare(0).ok());
  EXPECT_FALSE(env->open_log(kSegment).ok());
  EXPECT_FALSE(env->acquire_lease("x").ok());
  env->crash_point("late");
  EXPECT_EQ(env->operation_count(), operations);
  EXPECT_EQ(env->file_names(), Names{"data/0/1.frag"});
}

TEST(FaultEnvTest, RemovalIsDurableAfterTheFoldersNextSync) {
  auto env = fault_env();
  ASSERT_TRUE(write_file(*env, "data/0/1.frag", as_bytes("abc")).ok());
  ASSERT_TRUE(env->files().remove("data/0/1.frag").ok());
  EXPECT_EQ(env->reboot(CrashStyle::kKeepAll, 1)->file_names(), Names{});
  auto back = env->reboot(CrashStyle::kLoseUnsynced, 1);
  EXPECT_EQ(text_of(*back, "data/0/1.frag"), "abc");
  ASSERT_TRUE(write_file(*env, "data/0/2.frag", as_bytes("x")).ok());
  EXPECT_EQ(env->reboot(CrashStyle::kLoseUnsynced, 1)->file_names(), Names{"data/0/2.frag"});
}

TEST(FaultEnvTest, EntriesOfOneFolderSurviveIndependently) {
  auto env = fault_env();
  Names before;
  for (int i = 0; i < 4; ++i) {
    before.push_back("data/0/" + std::to_string(i) + ".frag");
    ASSERT_TRUE(write_file(*env, before.back(), as_bytes("x")).ok());
  }
  for (const std::string& name : before) ASSERT_TRUE(env->files().remove(name).ok());
  std::set<Names> seen;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    seen.insert(env->reboot(CrashStyle::kRandomSubset, seed)->file_names());
  }
  EXPECT_EQ(seen.size(), 16u) << "every subset of four removals";
}

TEST(FaultEnvTest, LostFolderTakesItsFilesAlong) {
  auto env = fault_env();
  env->crash_at(6);  // the root folder's sync: "data" itself is not durable yet
  EXPECT_FALSE(write_file(*env, "data/0/1.frag", as_bytes("abc")).ok());
  auto after = env->reboot(CrashStyle::kLoseUnsynced, 1);
  EXPECT_EQ(after->file_names(), Names{});
  EXPECT_EQ(after->files().list("").value(), Names{});
}

TEST(FaultEnvTest, UnsyncedLogBlocksAreLostKeptOrTorn) {
  auto env = fault_env();
  auto log = env->open_log(kSegment).value();
  ASSERT_TRUE(log->prepare(0).ok());
  Buffer synced = pattern_bytes(kLogBlock, 1);
  Buffer written = pattern_bytes(2 * kLogBlock, 2);
  ASSERT_TRUE(log->append(0, synced.span()).ok());
  ASSERT_TRUE(log->sync().ok());
  ASSERT_TRUE(log->append(kLogBlock, written.span()).ok());
  auto bytes_after = [&](CrashStyle style, uint64_t seed) {
    return env->reboot(style, seed)->file_bytes("log/0").value();
  };
  Buffer lost = bytes_after(CrashStyle::kLoseUnsynced, 1);
  EXPECT_TRUE(same_bytes(lost.span(0, kLogBlock), synced.span()));
  EXPECT_EQ(std::count(lost.data() + kLogBlock, lost.data() + kSegment, std::byte{0}),
            3 * static_cast<long>(kLogBlock));
  Buffer kept = bytes_after(CrashStyle::kKeepAll, 1);
  EXPECT_TRUE(same_bytes(kept.span(kLogBlock, 2 * kLogBlock), written.span()));

  Buffer zeros;
  zeros.append_zeros(kSector);
  for (CrashStyle style : {CrashStyle::kTorn, CrashStyle::kRandomSubset}) {
    std::set<std::string> images;
    for (uint64_t seed = 0; seed < 200; ++seed) {
      Buffer after = bytes_after(style, seed);
      ASSERT_TRUE(same_bytes(after.span(0, kLogBlock), synced.span())) << "what was synced stays";
      size_t old_sectors = 0;
      for (size_t at = 0; at < written.size(); at += kSector) {
        ByteSpan sector = after.span(kLogBlock + at, kSector);
        bool is_new = same_bytes(sector, written.span(at, kSector));
        ASSERT_TRUE(is_new || same_bytes(sector, zeros.span())) << "a sector is old or new";
        if (!is_new) ++old_sectors;
      }
      if (style == CrashStyle::kTorn) {
        ASSERT_GT(old_sectors, 0u) << "a torn write is never whole";
      }
      images.insert(std::string(as_text(after.span())));
    }
    EXPECT_GT(images.size(), 50u);
  }
}

TEST(FaultEnvTest, OnlyTheLastWriteIsTorn) {
  auto env = fault_env();
  auto log = env->open_log(kSegment).value();
  ASSERT_TRUE(log->prepare(0).ok());
  Buffer first = pattern_bytes(kLogBlock, 1);
  Buffer second = pattern_bytes(kLogBlock, 2);
  ASSERT_TRUE(log->append(0, first.span()).ok());
  ASSERT_TRUE(log->append(kLogBlock, second.span()).ok());
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Buffer after = env->reboot(CrashStyle::kTorn, seed)->file_bytes("log/0").value();
    EXPECT_TRUE(same_bytes(after.span(0, kLogBlock), first.span()));
    EXPECT_FALSE(same_bytes(after.span(kLogBlock, kLogBlock), second.span()));
  }
}

TEST(FaultEnvTest, TornWriteInARecycledSegmentShowsItsOldBytes) {
  auto env = fault_env();
  auto log = env->open_log(kSegment).value();
  ASSERT_TRUE(log->prepare(0).ok());
  ASSERT_TRUE(log->prepare(1).ok());
  Buffer old = pattern_bytes(kSegment, 1);
  ASSERT_TRUE(log->append(0, old.span()).ok());
  ASSERT_TRUE(log->sync().ok());
  ASSERT_TRUE(log->release(kSegment, 1).ok());
  ASSERT_TRUE(log->prepare(2).ok());
  Buffer fresh = pattern_bytes(kLogBlock, 2);
  ASSERT_TRUE(log->append(2 * kSegment, fresh.span()).ok());
  Buffer after = env->reboot(CrashStyle::kTorn, 5)->file_bytes("log/2").value();
  EXPECT_TRUE(same_bytes(after.span(kLogBlock, 3 * kLogBlock), old.span(kLogBlock, 3 * kLogBlock)));
  size_t old_sectors = 0;
  for (size_t at = 0; at < kLogBlock; at += kSector) {
    if (same_bytes(after.span(at, kSector), old.span(at, kSector))) ++old_sectors;
  }
  EXPECT_GT(old_sectors, 0u);
}

TEST(FaultEnvTest, SegmentBeingRecycledReappearsUnderTheOldOrTheNewNumber) {
  auto prepared = [](FaultEnv& env) {
    auto log = env.open_log(kSegment).value();
    EXPECT_TRUE(log->prepare(0).ok());
    EXPECT_TRUE(log->prepare(1).ok());
    EXPECT_TRUE(log->release(kSegment, 1).ok());
    return log;
  };
  auto probe = fault_env();
  ASSERT_TRUE(prepared(*probe)->prepare(2).ok());
  uint64_t rename_at = index_of(*probe, "rename log/0 log/2");
  std::set<Names> seen;
  for (uint64_t at : {rename_at, rename_at + 1}) {
    for (CrashStyle style : kCrashStyles) {
      for (uint64_t seed = 0; seed < 10; ++seed) {
        auto env = fault_env();
        auto log = prepared(*env);
        env->crash_at(at);
        EXPECT_FALSE(log->prepare(2).ok());
        seen.insert(env->reboot(style, seed)->file_names());
      }
    }
  }
  EXPECT_EQ(seen, (std::set<Names>{{"log/0", "log/1"}, {"log/1", "log/2"}}));
}

TEST(FaultEnvTest, FailedSyncOfTheLogIsNeverMadeGood) {
  auto env = fault_env();
  auto log = env->open_log(kSegment).value();
  ASSERT_TRUE(log->prepare(0).ok());
  Buffer block = pattern_bytes(kLogBlock, 1);
  ASSERT_TRUE(log->append(0, block.span()).ok());
  env->fail_at(env->operation_count(), FaultKind::kFailedSync);
  EXPECT_EQ(log->sync().code(), Code::kIo);
  EXPECT_EQ(env->faults_fired(), 1u);
  // A second attempt reports success, as Linux does, and proves nothing.
  ASSERT_TRUE(log->append(kLogBlock, block.span()).ok());
  ASSERT_TRUE(log->sync().ok());
  Buffer into(kLogBlock);
  ASSERT_TRUE(log->read(0, into.span()).ok());
  EXPECT_TRUE(same_bytes(into.span(), block.span())) << "the page cache still shows it";
  Buffer after = env->reboot(CrashStyle::kLoseUnsynced, 1)->file_bytes("log/0").value();
  EXPECT_FALSE(same_bytes(after.span(0, kLogBlock), block.span()));
  EXPECT_TRUE(same_bytes(after.span(kLogBlock, kLogBlock), block.span()));
  // Writing the block again is a fresh start.
  ASSERT_TRUE(log->append(0, block.span()).ok());
  ASSERT_TRUE(log->sync().ok());
  after = env->reboot(CrashStyle::kLoseUnsynced, 1)->file_bytes("log/0").value();
  EXPECT_TRUE(same_bytes(after.span(0, kLogBlock), block.span()));
}

TEST(FaultEnvTest, FailedFolderSyncLeavesTheEntryToChance) {
  auto env = fault_env();
  ASSERT_TRUE(write_file(*env, "data/0/1.frag", as_bytes("abc")).ok());
  env->fail_at(env->operation_count() + 4, FaultKind::kFailedSync);
  EXPECT_EQ(write_file(*env, "data/0/2.frag", as_bytes("def")).code(), Code::kIo);
  ASSERT_TRUE(write_file(*env, "data/0/3.frag", as_bytes("ghi")).ok());
  EXPECT_EQ(env->reboot(CrashStyle::kLoseUnsynced, 1)->file_names(), (Names{"data/0/1.frag", "data/0/3.frag"}));
  std::set<size_t> counts;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    counts.insert(env->reboot(CrashStyle::kRandomSubset, seed)->file_names().size());
  }
  EXPECT_EQ(counts, (std::set<size_t>{2, 3}));
}

TEST(FaultEnvTest, KilledProcessLeavesAllVisibleAndNothingMoreDurable) {
  auto env = fault_env();
  Buffer block = pattern_bytes(kLogBlock, 1);
  {
    auto log = env->open_log(kSegment).value();
    ASSERT_TRUE(log->prepare(0).ok());
    ASSERT_TRUE(log->append(0, block.span()).ok());
  }
  auto killed = env->reboot(CrashStyle::kProcessKilled, 1);
  EXPECT_TRUE(same_bytes(killed->file_bytes("log/0").value().span(0, kLogBlock), block.span()));
  EXPECT_FALSE(same_bytes(killed->reboot(CrashStyle::kLoseUnsynced, 1)->file_bytes("log/0").value().span(0, kLogBlock),
                          block.span()));
  // What the next process reads it relies on: its first sync makes that durable.
  auto log = killed->open_log(kSegment).value();
  Buffer into(kLogBlock);
  ASSERT_TRUE(log->read(0, into.span()).ok());
  ASSERT_TRUE(log->sync().ok());
  EXPECT_TRUE(same_bytes(killed->reboot(CrashStyle::kLoseUnsynced, 1)->file_bytes("log/0").value().span(0, kLogBlock),
                         block.span()));
  EXPECT_FALSE(same_bytes(env->reboot(CrashStyle::kLoseUnsynced, 1)->file_bytes("log/0").value().span(0, kLogBlock),
                          block.span()))
      << "copies do not share what they do";
}

TEST(FaultEnvTest, FaultsFireOnceOrForEverAndOnlyWhereTheyCan) {
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

TEST(FaultEnvTest, ShortWriteOfTheLogAppliesAPrefix) {
  Buffer group = pattern_bytes(2 * kLogBlock, 1);
  std::set<size_t> lengths;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    auto env = fault_env(seed);
    auto log = env->open_log(kSegment).value();
    ASSERT_TRUE(log->prepare(0).ok());
    env->fail_at(env->operation_count(), FaultKind::kShortWrite);
    EXPECT_EQ(log->append(0, group.span()).code(), Code::kIo);
    Buffer after = env->file_bytes("log/0").value();
    size_t same = 0;
    while (same < group.size() && after.data()[same] == group.data()[same]) ++same;
    EXPECT_LT(same, group.size());
    EXPECT_EQ(std::count(after.data() + same, after.data() + kSegment, std::byte{0}),
              static_cast<long>(kSegment - same));
    lengths.insert(same);
  }
  EXPECT_GT(lengths.size(), 5u);
}

TEST(FaultEnvTest, WriterThatFailedOnceFinishesNever) {
  auto env = fault_env();
  auto writer = env->files().create("data/0/1.frag").value();
  env->fail_at(env->operation_count(), FaultKind::kShortWrite);
  EXPECT_FALSE(writer->append(as_bytes("abc")).ok());
  EXPECT_FALSE(writer->append(as_bytes("def")).ok());
  FileWriter* one = writer.get();
  EXPECT_FALSE(env->files().finish({&one, 1}).ok());
  EXPECT_EQ(env->file_names(), Names{});
}

TEST(FaultEnvTest, RandomFaultsComeAtTheAskedRate) {
  auto env = fault_env();
  ASSERT_TRUE(env->files().put_if_absent("data/0/1.frag", as_bytes("x")).ok());
  env->fail_randomly(8, FaultKind::kIoError, 42);
  int failed = 0;
  for (int i = 0; i < 8'000; ++i) failed += env->files().open("data/0/1.frag").ok() ? 0 : 1;
  EXPECT_NEAR(failed, 1'000, 150);
  EXPECT_EQ(env->faults_fired(), static_cast<uint64_t>(failed));
}

TEST(FaultEnvTest, FullDiskRefusesWhatDoesNotFit) {
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
  auto log = env->open_log(kSegment).value();
  EXPECT_EQ(log->prepare(0).code(), Code::kNoSpace);
  env->set_capacity(100'000);
  EXPECT_TRUE(log->prepare(0).ok());
  Buffer block(kLogBlock);
  env->set_capacity(1);
  EXPECT_TRUE(log->append(0, block.span()).ok()) << "written blocks need no space";
}

TEST(FaultEnvTest, DamageIsSeenByReadersAndStays) {
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

TEST(FaultEnvTest, SameSeedAndPlanGiveTheSameImage) {
  auto run = [](uint64_t seed) {
    auto env = fault_env(seed);
    auto log = env->open_log(kSegment).value();
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

TEST(FaultEnvTest, ObserverMayTakeAnImageBeforeEachOperation) {
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

TEST(FaultEnvTest, CrashPointIsAnOperation) {
  auto env = fault_env();
  env->crash_at(1);
  env->crash_point("flush.begin");
  EXPECT_FALSE(env->crashed());
  env->crash_point("flush.run_written");
  EXPECT_TRUE(env->crashed());
  EXPECT_EQ(env->trace(), (Names{"0 crash_point flush.begin", "1 crash_point flush.run_written"}));
}

TEST(FaultEnvTest, DiskThatLiesLosesWhatItConfirmed) {
  for (int which = 0; which < 3; ++which) {
    auto env = fault_env();
    auto log = env->open_log(kSegment).value();
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

TEST(FaultEnvTest, CountersTellKindsApart) {
  auto env = fault_env();
  ASSERT_TRUE(write_file(*env, "data/0/1.frag", pattern_bytes(1'000, 1).span()).ok());
  auto log = env->open_log(kSegment).value();
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

TEST(FaultEnvTest, SeveralThreadsMayUseIt) {
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

// The fault layer itself: what survives a crash and what does not.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/engine/io_fault_files.h"

namespace stela {
namespace {

using Names = std::vector<std::string>;
constexpr size_t kSector = 512;

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
  auto log = env->open_log(kFaultSegment).value();
  env->crash_now();
  uint64_t operations = env->operation_count();
  Buffer into(kLogBlock);
  EXPECT_EQ(reader->read_at(0, into.span().first(1)).message(), "simulated crash");
  EXPECT_FALSE(env->files().remove("data/0/1.frag").ok());
  EXPECT_FALSE(env->files().list("data").ok());
  EXPECT_FALSE(env->files().create("x").ok());
  EXPECT_FALSE(env->files().scratch().ok());
  EXPECT_FALSE(log->prepare(0).ok());
  EXPECT_FALSE(env->open_log(kFaultSegment).ok());
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
  auto log = env->open_log(kFaultSegment).value();
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
  EXPECT_EQ(std::count(lost.data() + kLogBlock, lost.data() + kFaultSegment, std::byte{0}),
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
  auto log = env->open_log(kFaultSegment).value();
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
  auto log = env->open_log(kFaultSegment).value();
  ASSERT_TRUE(log->prepare(0).ok());
  ASSERT_TRUE(log->prepare(1).ok());
  Buffer old = pattern_bytes(kFaultSegment, 1);
  ASSERT_TRUE(log->append(0, old.span()).ok());
  ASSERT_TRUE(log->sync().ok());
  ASSERT_TRUE(log->release(kFaultSegment, 1).ok());
  ASSERT_TRUE(log->prepare(2).ok());
  Buffer fresh = pattern_bytes(kLogBlock, 2);
  ASSERT_TRUE(log->append(2 * kFaultSegment, fresh.span()).ok());
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
    auto log = env.open_log(kFaultSegment).value();
    EXPECT_TRUE(log->prepare(0).ok());
    EXPECT_TRUE(log->prepare(1).ok());
    EXPECT_TRUE(log->release(kFaultSegment, 1).ok());
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
  auto log = env->open_log(kFaultSegment).value();
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
    auto log = env->open_log(kFaultSegment).value();
    ASSERT_TRUE(log->prepare(0).ok());
    ASSERT_TRUE(log->append(0, block.span()).ok());
  }
  auto killed = env->reboot(CrashStyle::kProcessKilled, 1);
  EXPECT_TRUE(same_bytes(killed->file_bytes("log/0").value().span(0, kLogBlock), block.span()));
  EXPECT_FALSE(same_bytes(killed->reboot(CrashStyle::kLoseUnsynced, 1)->file_bytes("log/0").value().span(0, kLogBlock),
                          block.span()));
  // What the next process reads it relies on: its first sync makes that durable.
  auto log = killed->open_log(kFaultSegment).value();
  Buffer into(kLogBlock);
  ASSERT_TRUE(log->read(0, into.span()).ok());
  ASSERT_TRUE(log->sync().ok());
  EXPECT_TRUE(same_bytes(killed->reboot(CrashStyle::kLoseUnsynced, 1)->file_bytes("log/0").value().span(0, kLogBlock),
                         block.span()));
  EXPECT_FALSE(same_bytes(env->reboot(CrashStyle::kLoseUnsynced, 1)->file_bytes("log/0").value().span(0, kLogBlock),
                          block.span()))
      << "copies do not share what they do";
}

}  // namespace
}  // namespace stela

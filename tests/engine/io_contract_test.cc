// What every Env promises (engine/io/env.h), run against each implementation.
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "engine/io/env.h"
#include "engine/io/manual_clock.h"
#include "tests/engine/io_env_cases.h"

namespace stela {
namespace {

using Names = std::vector<std::string>;

class EnvContract : public testing::TestWithParam<EnvCase> {
 protected:
  void SetUp() override { under_test_ = GetParam().make(); }

  Env& env() { return *under_test_.env; }
  Files& files() { return env().files(); }
  Status write_file(const std::string& name, ByteSpan bytes) {
    STELA_ASSIGN(auto writer, files().create(name));
    STELA_TRY(writer->append(bytes));
    FileWriter* one = writer.get();
    return files().finish({&one, 1});
  }
  Result<Buffer> read_file(const std::string& name) {
    STELA_ASSIGN(auto reader, files().open(name));
    Buffer bytes(reader->size());
    STELA_TRY(reader->read_at(0, bytes.span()));
    return bytes;
  }

  EnvUnderTest under_test_;
};

TEST_P(EnvContract, FileIsInvisibleUntilFinished) {
  auto writer = files().create("data/0/1.frag");
  ASSERT_TRUE(writer.ok()) << writer.status().message();
  ASSERT_TRUE((*writer)->append(as_bytes("abc")).ok());
  EXPECT_EQ(files().open("data/0/1.frag").status().code(), Code::kNotFound);
  EXPECT_EQ(files().list("data/0").value(), Names{});
  FileWriter* one = writer->get();
  ASSERT_TRUE(files().finish({&one, 1}).ok());
  EXPECT_EQ(files().list("data/0").value(), Names{"1.frag"});
  EXPECT_EQ(as_text(read_file("data/0/1.frag").value().span()), "abc");
}

TEST_P(EnvContract, UnfinishedFileLeavesNothing) {
  {
    auto writer = files().create("data/0/1.frag");
    ASSERT_TRUE((*writer)->append(as_bytes("abc")).ok());
  }
  EXPECT_EQ(files().open("data/0/1.frag").status().code(), Code::kNotFound);
  EXPECT_EQ(files().list("data/0").value(), Names{});
  EXPECT_TRUE(write_file("data/0/1.frag", as_bytes("def")).ok());
}

TEST_P(EnvContract, AppendsOfManySizesAreJoined) {
  SeededRandom random(3);
  Buffer expected;
  auto writer = files().create("data/0/2.frag");
  ASSERT_TRUE(writer.ok());
  for (int i = 0; i < 40; ++i) {
    size_t size = random.below(4) == 0 ? random.below(600'000) : random.below(5'000);
    Buffer piece = pattern_bytes(size, static_cast<uint64_t>(i));
    ASSERT_TRUE((*writer)->append(piece.span()).ok());
    expected.append(piece.span());
    ASSERT_EQ((*writer)->size(), expected.size());
  }
  FileWriter* one = writer->get();
  ASSERT_TRUE(files().finish({&one, 1}).ok());
  EXPECT_TRUE(same_bytes(read_file("data/0/2.frag").value().span(), expected.span()));
}

TEST_P(EnvContract, HeadIsFilledBeforeFinish) {
  for (size_t total : {size_t{128}, size_t{1000}, size_t{700'000}}) {
    std::string name = "data/0/" + std::to_string(total) + ".flat";
    auto writer = files().create(name);
    ASSERT_TRUE(writer.ok());
    Buffer bytes = pattern_bytes(total, 5);
    ASSERT_TRUE((*writer)->append(bytes.span(0, 64)).ok());
    ASSERT_TRUE((*writer)->append(bytes.span(64, total - 64)).ok());
    Buffer head = pattern_bytes(128, 99);
    ASSERT_TRUE((*writer)->fill_head(head.span()).ok());
    EXPECT_EQ((*writer)->fill_head(head.span()).code(), Code::kInvalid);
    FileWriter* one = writer->get();
    ASSERT_TRUE(files().finish({&one, 1}).ok());
    std::memcpy(bytes.data(), head.data(), head.size());
    EXPECT_TRUE(same_bytes(read_file(name).value().span(), bytes.span())) << total;
  }
}

TEST_P(EnvContract, HeadLongerThanTheFileIsRefused) {
  auto writer = files().create("data/0/1.flat");
  ASSERT_TRUE((*writer)->append(as_bytes("abc")).ok());
  EXPECT_EQ((*writer)->fill_head(as_bytes("abcd")).code(), Code::kInvalid);
}

TEST_P(EnvContract, SeveralWritersFinishTogether) {
  std::vector<std::unique_ptr<FileWriter>> writers;
  std::vector<FileWriter*> pointers;
  for (const char* name : {"data/0/1.frag", "data/1/1025.frag", "catalog/3.run", "data/0/2.frag"}) {
    auto writer = files().create(name);
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->append(as_bytes(name)).ok());
    writers.push_back(std::move(writer).value());
    pointers.push_back(writers.back().get());
  }
  ASSERT_TRUE(files().finish(pointers).ok());
  EXPECT_EQ(files().list("data/0").value(), (Names{"1.frag", "2.frag"}));
  EXPECT_EQ(files().list("data").value(), (Names{"0/", "1/"}));
  EXPECT_EQ(as_text(read_file("catalog/3.run").value().span()), "catalog/3.run");
  EXPECT_FALSE(files().finish(pointers).ok()) << "a writer finishes once";
}

TEST_P(EnvContract, TakenNameIsRefused) {
  ASSERT_TRUE(write_file("data/0/1.frag", as_bytes("first")).ok());
  EXPECT_EQ(files().create("data/0/1.frag").status().code(), Code::kExists);
  EXPECT_EQ(files().put_if_absent("data/0/1.frag", as_bytes("second")).code(), Code::kExists);
  EXPECT_EQ(as_text(read_file("data/0/1.frag").value().span()), "first");
}

TEST_P(EnvContract, SecondOfTwoWritersOfOneNameLoses) {
  auto first = files().create("data/0/1.frag");
  auto second = files().create("data/0/1.frag");
  ASSERT_TRUE(first.ok() && second.ok());
  ASSERT_TRUE((*first)->append(as_bytes("first")).ok());
  ASSERT_TRUE((*second)->append(as_bytes("second")).ok());
  FileWriter* pointer = second->get();
  ASSERT_TRUE(files().finish({&pointer, 1}).ok());
  pointer = first->get();
  EXPECT_EQ(files().finish({&pointer, 1}).code(), Code::kExists);
  EXPECT_EQ(as_text(read_file("data/0/1.frag").value().span()), "second");
}

TEST_P(EnvContract, PutIsWholeAndOnce) {
  Buffer bytes = pattern_bytes(300'000, 1);
  ASSERT_TRUE(files().put_if_absent("catalog/1.manifest", bytes.span()).ok());
  EXPECT_TRUE(same_bytes(read_file("catalog/1.manifest").value().span(), bytes.span()));
  ASSERT_TRUE(files().put_if_absent("STELA", {}).ok());
  EXPECT_EQ(files().open("STELA").value()->size(), 0u);
}

TEST_P(EnvContract, ReadingPastTheEndIsDamage) {
  ASSERT_TRUE(write_file("data/0/1.frag", as_bytes("0123456789")).ok());
  auto reader = files().open("data/0/1.frag").value();
  Buffer into(4);
  EXPECT_TRUE(reader->read_at(6, into.span()).ok());
  EXPECT_EQ(as_text(into.span()), "6789");
  Status past = reader->read_at(7, into.span());
  EXPECT_EQ(past.code(), Code::kDamaged);
  EXPECT_NE(past.message().find("data/0/1.frag"), std::string::npos) << past.message();
  EXPECT_NE(past.message().find("offset 7"), std::string::npos) << past.message();
  EXPECT_EQ(reader->read_at(UINT64_MAX - 1, into.span()).code(), Code::kDamaged);
  EXPECT_TRUE(reader->read_at(10, {}).ok());
  EXPECT_EQ(reader->read_at(11, {}).code(), Code::kDamaged);
}

TEST_P(EnvContract, BatchOfRangesInAnyOrder) {
  Buffer bytes = pattern_bytes(200'000, 12);
  ASSERT_TRUE(write_file("data/0/1.frag", bytes.span()).ok());
  auto reader = files().open("data/0/1.frag").value();
  SeededRandom random(5);
  std::vector<Buffer> targets;
  std::vector<uint64_t> offsets;
  uint64_t next = 0;
  for (int i = 0; i < 300; ++i) {
    uint64_t offset = random.coin() ? next : random.below(bytes.size());  // many follow on the one before
    size_t size = random.below(std::min<uint64_t>(2'000, bytes.size() - offset) + 1);
    offsets.push_back(offset);
    targets.emplace_back(size);
    next = offset + size;
  }
  std::vector<ReadRange> ranges;
  for (size_t i = 0; i < targets.size(); ++i) ranges.push_back({offsets[i], targets[i].span()});
  ASSERT_TRUE(reader->read(ranges).ok());
  for (size_t i = 0; i < targets.size(); ++i) {
    ASSERT_TRUE(same_bytes(targets[i].span(), bytes.span(offsets[i], targets[i].size()))) << i;
  }
}

TEST_P(EnvContract, RemovedFileIsGoneButOpenReadersKeepIt) {
  ASSERT_TRUE(write_file("data/0/1.frag", as_bytes("abc")).ok());
  auto reader = files().open("data/0/1.frag").value();
  ASSERT_TRUE(files().remove("data/0/1.frag").ok());
  EXPECT_EQ(files().remove("data/0/1.frag").code(), Code::kNotFound);
  EXPECT_EQ(files().open("data/0/1.frag").status().code(), Code::kNotFound);
  Buffer into(3);
  EXPECT_TRUE(reader->read_at(0, into.span()).ok());
  EXPECT_EQ(as_text(into.span()), "abc");
}

TEST_P(EnvContract, ListIsSortedAndAnAbsentFolderIsEmpty) {
  for (const char* name : {"data/0/9.frag", "data/0/10.frag", "data/0/a/x", "data/00", "data/1/1.flat"}) {
    ASSERT_TRUE(files().put_if_absent(name, as_bytes("x")).ok()) << name;
  }
  EXPECT_EQ(files().list("data/0").value(), (Names{"10.frag", "9.frag", "a/"}));
  EXPECT_EQ(files().list("data").value(), (Names{"0/", "00", "1/"}));
  EXPECT_EQ(files().list("view").value(), Names{});
  EXPECT_EQ(files().list("data/00").status().code(), Code::kNotDirectory);
}

TEST_P(EnvContract, NamesThatCouldLeaveTheStoreAreRefused) {
  for (const char* name :
       {"", "/etc/passwd", "../x", "data/../../x", "a//b", "a/", ".hidden", "a/./b", "a b", "\xff", "a\n"}) {
    EXPECT_EQ(files().create(name).status().code(), Code::kInvalid) << name;
    EXPECT_EQ(files().open(name).status().code(), Code::kInvalid) << name;
    EXPECT_EQ(files().remove(name).code(), Code::kInvalid) << name;
    EXPECT_EQ(files().put_if_absent(name, {}).code(), Code::kInvalid) << name;
  }
  EXPECT_EQ(files().list("../").status().code(), Code::kInvalid);
}

TEST_P(EnvContract, FoldersAreNotFiles) {
  ASSERT_TRUE(files().put_if_absent("data/0/1.frag", as_bytes("x")).ok());
  EXPECT_EQ(files().open("data/0").status().code(), Code::kIsDirectory);
  EXPECT_EQ(files().create("data/0").status().code(), Code::kExists);
  EXPECT_FALSE(files().remove("data/0").ok());
  EXPECT_EQ(files().create("data/0/1.frag/2").status().code(), Code::kNotDirectory);
}

TEST_P(EnvContract, FilesAreThereAfterReopening) {
  ASSERT_TRUE(write_file("data/0/1.frag", as_bytes("abc")).ok());
  under_test_.env = under_test_.reopen();
  EXPECT_EQ(as_text(read_file("data/0/1.frag").value().span()), "abc");
}

TEST_P(EnvContract, ScratchActsLikeASparseFile) {
  auto scratch = files().scratch();
  ASSERT_TRUE(scratch.ok()) << scratch.status().message();
  ScratchFile& file = **scratch;
  SeededRandom random(11);
  std::vector<std::byte> oracle;
  for (int i = 0; i < 200; ++i) {
    uint64_t offset = random.below(50'000);
    Buffer piece = pattern_bytes(random.below(3'000), static_cast<uint64_t>(i));
    if (random.below(8) == 0) {
      ASSERT_TRUE(file.truncate(offset).ok());
      oracle.resize(offset);
    } else {
      ASSERT_TRUE(file.write(offset, piece.span()).ok());
      if (!piece.empty() && oracle.size() < offset + piece.size()) oracle.resize(offset + piece.size());
      std::copy(piece.span().begin(), piece.span().end(), oracle.begin() + static_cast<ptrdiff_t>(offset));
    }
    ASSERT_EQ(file.size(), oracle.size());
    Buffer into(4'000);
    uint64_t from = random.below(60'000);
    ASSERT_TRUE(file.read(from, into.span()).ok());
    for (size_t j = 0; j < into.size(); ++j) {
      std::byte expected = from + j < oracle.size() ? oracle[from + j] : std::byte{0};
      ASSERT_EQ(into.data()[j], expected) << "at " << from + j;
    }
  }
}

TEST_P(EnvContract, FreeSpaceIsPositive) { EXPECT_GT(files().free_space().value(), 0u); }

constexpr uint64_t kSegment = 4 * kLogBlock;

TEST_P(EnvContract, PreparedSegmentIsZeroAndTakesGroups) {
  auto log = env().open_log(kSegment).value();
  EXPECT_EQ(log->segment_bytes(), kSegment);
  EXPECT_EQ(log->segments().value(), std::vector<uint64_t>{});
  Buffer block = pattern_bytes(kLogBlock, 1);
  EXPECT_EQ(log->append(0, block.span()).code(), Code::kNotFound);
  EXPECT_EQ(log->read(0, block.span()).code(), Code::kNotFound);
  ASSERT_TRUE(log->prepare(0).ok());
  ASSERT_TRUE(log->prepare(0).ok());
  ASSERT_TRUE(log->prepare(1).ok());
  Buffer into(2 * kSegment);
  ASSERT_TRUE(log->read(0, into.span()).ok());
  for (std::byte b : into.span()) ASSERT_EQ(b, std::byte{0});
  Buffer group = pattern_bytes(2 * kLogBlock, 2);
  ASSERT_TRUE(log->append(kLogBlock, group.span()).ok());
  ASSERT_TRUE(log->append(kSegment, block.span()).ok());
  ASSERT_TRUE(log->sync().ok());
  ASSERT_TRUE(log->read(0, into.span()).ok());
  EXPECT_TRUE(same_bytes(into.span(kLogBlock, 2 * kLogBlock), group.span()));
  EXPECT_TRUE(same_bytes(into.span(kSegment, kLogBlock), block.span()));
}

TEST_P(EnvContract, LogRangesAreWholeBlocksWithinASegment) {
  auto log = env().open_log(kSegment).value();
  ASSERT_TRUE(log->prepare(0).ok());
  ASSERT_TRUE(log->prepare(1).ok());
  Buffer bytes(2 * kLogBlock);
  EXPECT_EQ(log->append(1, bytes.span()).code(), Code::kInvalid);
  EXPECT_EQ(log->append(0, bytes.span(0, 100)).code(), Code::kInvalid);
  EXPECT_EQ(log->append(kSegment - kLogBlock, bytes.span()).code(), Code::kInvalid);
  EXPECT_EQ(log->append(UINT64_MAX - kLogBlock + 1, bytes.span()).code(), Code::kInvalid);
  EXPECT_EQ(log->read(5, bytes.span()).code(), Code::kInvalid);
  EXPECT_EQ(log->prepare(UINT64_MAX).code(), Code::kInvalid);
  EXPECT_EQ(env().open_log(0).status().code(), Code::kInvalid);
  EXPECT_EQ(env().open_log(kLogBlock + 1).status().code(), Code::kInvalid);
}

TEST_P(EnvContract, ReleasedSegmentIsRecycledWithItsOldBytes) {
  auto log = env().open_log(kSegment).value();
  for (uint64_t n : {0, 1, 2}) ASSERT_TRUE(log->prepare(n).ok());
  Buffer old = pattern_bytes(kSegment, 4);
  ASSERT_TRUE(log->append(0, old.span()).ok());
  ASSERT_TRUE(log->sync().ok());
  ASSERT_TRUE(log->release(kSegment + kLogBlock, 2).ok());
  EXPECT_EQ(log->segments().value(), (std::vector<uint64_t>{0, 1, 2})) << "segment 1 is still in use, 0 waits";
  EXPECT_EQ(log->append(0, old.span()).code(), Code::kInvalid);
  ASSERT_TRUE(log->prepare(3).ok());
  EXPECT_EQ(log->segments().value(), (std::vector<uint64_t>{1, 2, 3}));
  Buffer into(kSegment);
  ASSERT_TRUE(log->read(3 * kSegment, into.span()).ok());
  EXPECT_TRUE(same_bytes(into.span(), old.span()));
  EXPECT_EQ(log->read(0, into.span()).code(), Code::kNotFound);
  ASSERT_TRUE(log->append(3 * kSegment, old.span(0, kLogBlock)).ok());
  ASSERT_TRUE(log->sync().ok());
}

TEST_P(EnvContract, ReleaseKeepsNoMoreThanAsked) {
  auto log = env().open_log(kSegment).value();
  for (uint64_t n = 0; n < 8; ++n) ASSERT_TRUE(log->prepare(n).ok());
  ASSERT_TRUE(log->release(6 * kSegment, 2).ok());
  EXPECT_EQ(log->segments().value().size(), 4u);
  ASSERT_TRUE(log->release(7 * kSegment, 0).ok());
  EXPECT_EQ(log->segments().value(), std::vector<uint64_t>{7});
}

TEST_P(EnvContract, LogIsThereAfterReopening) {
  Buffer block = pattern_bytes(kLogBlock, 1);
  {
    auto log = env().open_log(kSegment).value();
    for (uint64_t n : {9, 10, 11}) ASSERT_TRUE(log->prepare(n).ok());
    ASSERT_TRUE(log->append(10 * kSegment + kLogBlock, block.span()).ok());
    ASSERT_TRUE(log->sync().ok());
  }
  under_test_.env = under_test_.reopen();
  auto log = env().open_log(kSegment).value();
  EXPECT_EQ(log->segments().value(), (std::vector<uint64_t>{9, 10, 11}));
  Buffer into(kLogBlock);
  ASSERT_TRUE(log->read(10 * kSegment + kLogBlock, into.span()).ok());
  EXPECT_TRUE(same_bytes(into.span(), block.span()));
  ASSERT_TRUE(log->append(10 * kSegment + 2 * kLogBlock, block.span()).ok());
  ASSERT_TRUE(log->sync().ok());
}

TEST_P(EnvContract, AppendsGoOnWhileSegmentsArePreparedAndReleased) {
  auto log = env().open_log(kSegment).value();
  ASSERT_TRUE(log->prepare(0).ok());
  std::atomic<uint64_t> prepared{0};
  std::atomic<bool> failed{false};
  constexpr uint64_t kSegments = 30;
  std::atomic<uint64_t> written{0};
  std::thread background([&] {
    for (uint64_t n = 1; n < kSegments; ++n) {
      if (!log->prepare(n).ok() || !log->release(written.load(), 2).ok()) failed = true;
      prepared.store(n);
      prepared.notify_one();
    }
  });
  for (uint64_t at = 0; at < kSegments * kSegment; at += kLogBlock) {
    for (uint64_t seen = prepared.load(); seen < at / kSegment; seen = prepared.load()) prepared.wait(seen);
    Buffer block = pattern_bytes(kLogBlock, at);
    if (!log->append(at, block.span()).ok() || !log->sync().ok()) failed = true;
    Buffer into(kLogBlock);
    if (!log->read(at, into.span()).ok() || !same_bytes(into.span(), block.span())) failed = true;
    written.store(at);
  }
  background.join();
  EXPECT_FALSE(failed);
  EXPECT_LE(log->segments().value().size(), kSegments);
}

TEST_P(EnvContract, LeaseIsHeldOnceAndNamesItsHolder) {
  auto first = env().acquire_lease("pid 42 on host atlas");
  ASSERT_TRUE(first.ok()) << first.status().message();
  auto again = under_test_.beside();
  auto second = again->acquire_lease("pid 43");
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), Code::kBusy);
  EXPECT_NE(second.status().message().find("pid 42 on host atlas"), std::string::npos) << second.status().message();
  *first = nullptr;
  EXPECT_TRUE(again->acquire_lease("pid 43").ok());
  EXPECT_TRUE(env().acquire_lease("pid 44").ok());
}

TEST_P(EnvContract, ClockAndRandomMove) {
  int64_t before = env().clock().monotonic_ns();
  EXPECT_GE(env().clock().monotonic_ns(), before);
  EXPECT_GT(env().clock().utc_ns(), 1'600'000'000'000'000'000);
  std::set<uint64_t> seen;
  for (int i = 0; i < 100; ++i) seen.insert(env().random().next());
  EXPECT_EQ(seen.size(), 100u);
  env().crash_point("contract.nothing_happens");
}

INSTANTIATE_TEST_SUITE_P(Io, EnvContract, testing::ValuesIn(env_cases()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace stela

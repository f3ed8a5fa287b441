// Large files being written: where their bytes lie meanwhile, and that nothing of it shows.
#include <random>

#include "engine/io/counting_env.h"
#include "fsd/tree/spool.h"
#include "tests/fsd/tree_fixture.h"

namespace stela::fsd {
namespace {

std::string large_npy(double first) {
  std::vector<double> values(600'000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = first + static_cast<double>(i);
  return npy_bytes<double>("<f8", values);
}

class TreeStreamsTest : public TreeTest {
 protected:
  void SetUp() override {
    counting_ = std::make_shared<CountingEnv>(env_);
    auto store = Store::create(counting_, {.background = false});
    ASSERT_TRUE(store.ok()) << store.status().message();
    store_ = std::move(*store);
    start();
    ASSERT_TRUE(mkdir("/d").ok());
  }
  uint64_t written(FileKind kind) const { return counting_->counters().of(kind).written_bytes; }
  void write_pieces(uint64_t handle, const std::string& bytes, size_t from, size_t to, size_t piece) {
    for (size_t at = from; at < to; at += piece) {
      EXPECT_OK(write_at(handle, at, std::string_view(bytes).substr(at, std::min(piece, to - at))));
    }
  }

  std::shared_ptr<CountingEnv> counting_;
  const std::string large_ = large_npy(0);
};

TEST_F(TreeStreamsTest, ALargeArrayThatComesInOrderIsWrittenOnce) {
  for (size_t piece : {size_t{131'072}, size_t{4'097}}) {
    std::string name = "/d/v" + std::to_string(piece) + ".npy";
    uint64_t before = written(FileKind::kFlat);
    uint64_t handle = *open(name, O_WRONLY | O_CREAT | O_TRUNC);
    write_pieces(handle, large_, 0, large_.size(), piece);
    EXPECT_EQ(stat(name)->size, large_.size());
    EXPECT_OK(close(handle));
    EXPECT_EQ(written(FileKind::kScratch), 0u);
    EXPECT_LE(written(FileKind::kFlat) - before, large_.size() + 1'000);
    EXPECT_TRUE(*cat(name) == large_);
  }
}

TEST_F(TreeStreamsTest, ItCanBeReadWhileItIsWritten) {
  uint64_t handle = *open("/d/v.npy", O_RDWR | O_CREAT | O_TRUNC);
  size_t half = large_.size() / 2 + 3;
  write_pieces(handle, large_, 0, half, 100'000);
  EXPECT_TRUE(*read_all(handle) == large_.substr(0, half));
  write_pieces(handle, large_, half, large_.size(), 100'000);
  EXPECT_TRUE(*read_all(handle) == large_);
  EXPECT_OK(tree_->flush(handle, me_));
  EXPECT_TRUE(*read_all(handle) == large_);
  EXPECT_EQ(written(FileKind::kScratch), 0u);
  tree_->release(handle);
}

TEST_F(TreeStreamsTest, WhatIsChangedBeforeTheCloseIsCommittedAsChanged) {
  std::string other = large_npy(7);
  uint64_t handle = *open("/d/v.npy", O_WRONLY | O_CREAT | O_TRUNC);
  write_pieces(handle, large_, 0, large_.size() / 2, 100'000);
  write_pieces(handle, other, 0, other.size(), 300'000);  // from the front again
  EXPECT_OK(close(handle));
  EXPECT_TRUE(*cat("/d/v.npy") == other);
}

TEST_F(TreeStreamsTest, WhatIsChangedAfterACommitIsCommittedAgain) {
  std::string changed = large_;
  changed.replace(3'000'000, 5, "hello");
  uint64_t handle = *open("/d/v.npy", O_WRONLY | O_CREAT | O_TRUNC);
  write_pieces(handle, large_, 0, large_.size(), 1'000'000);
  EXPECT_OK(tree_->flush(handle, me_));
  EXPECT_TRUE(*cat("/d/v.npy") == large_);
  EXPECT_OK(write_at(handle, 3'000'000, "hello"));
  EXPECT_OK(close(handle));
  EXPECT_TRUE(*cat("/d/v.npy") == changed);
  EXPECT_TRUE(*cat("/d/.versions/1/v.npy") == large_);
}

TEST_F(TreeStreamsTest, AnIncompleteArrayIsRefusedAndMayGoOn) {
  uint64_t handle = *open("/d/v.npy", O_WRONLY | O_CREAT | O_TRUNC);
  write_pieces(handle, large_, 0, 3'000'000, 100'000);
  Status status = tree_->flush(handle, me_);
  EXPECT_CODE(Code::kInvalid, status);
  EXPECT_NE(status.message().find("incomplete"), std::string::npos) << status.message();
  EXPECT_EQ(latest("/d"), 0u);
  write_pieces(handle, large_, 3'000'000, large_.size(), 100'000);
  EXPECT_OK(close(handle));
  EXPECT_TRUE(*cat("/d/v.npy") == large_);
}

TEST_F(TreeStreamsTest, TooManyBytesAreRefused) {
  EXPECT_CODE(Code::kInvalid, put("/d/v.npy", large_ + "x"));
  EXPECT_EQ(latest("/d"), 0u);
}

TEST_F(TreeStreamsTest, AnEmptiedFileBeginsAnew) {
  std::string small = npy_bytes<int32_t>("<i4", {1, 2, 3});
  uint64_t handle = *open("/d/v.npy", O_WRONLY | O_CREAT | O_TRUNC);
  write_pieces(handle, large_, 0, 3'000'000, 100'000);
  SetAttributes set;
  set.size = 0;
  EXPECT_OK(tree_->set_attributes(last_node_, handle, set, me_).status());
  EXPECT_OK(write_at(handle, 0, small));
  EXPECT_OK(close(handle));
  EXPECT_EQ(*cat("/d/v.npy"), small);
}

TEST_F(TreeStreamsTest, TheFirstCommitterWinsOverAStream) {
  uint64_t slow = *open("/d/v.npy", O_WRONLY | O_CREAT | O_TRUNC);
  write_pieces(slow, large_, 0, 3'000'000, 1'000'000);
  uint64_t fast = *open("/d/v.npy", O_WRONLY | O_CREAT | O_TRUNC);
  std::string other = large_npy(9);
  write_pieces(fast, other, 0, other.size(), 1'000'000);
  EXPECT_OK(close(fast));
  write_pieces(slow, large_, 3'000'000, large_.size(), 1'000'000);
  EXPECT_CODE(Code::kConflict, close(slow));
  EXPECT_TRUE(*cat("/d/v.npy") == other);
}

TEST(SpoolTest, RandomWritesAndCutsGiveWhatAStringGives) {
  auto env = memory_env(3);
  for (unsigned seed = 0; seed < 30; ++seed) {
    std::mt19937 random(seed);
    DraftBudget budget("drafts", "limit", 1 << 30, 4);
    auto spool = Spool::create(env->files(), budget).value();
    std::string expected;
    size_t reach = seed % 2 == 0 ? Spool::kMemoryBytesMax / 2 : Spool::kMemoryBytesMax * 2;
    for (int step = 0; step < 60; ++step) {
      size_t at = random() % reach;
      std::string bytes(random() % 5'000, static_cast<char>('a' + step % 26));
      if (random() % 8 == 0) {
        ASSERT_TRUE(spool->truncate(at).ok());
        expected.resize(at);
      } else if (!bytes.empty()) {
        ASSERT_TRUE(spool->write(at, as_bytes(bytes)).ok());
        expected.resize(std::max(expected.size(), at + bytes.size()));
        expected.replace(at, bytes.size(), bytes);
      }
      ASSERT_EQ(spool->size(), expected.size());
      ASSERT_EQ(budget.bytes(), expected.size());
      std::string got(expected.size() + 10, 'x');
      ASSERT_TRUE(spool->read(0, std::as_writable_bytes(std::span(got))).ok());
      ASSERT_TRUE(got == expected + std::string(10, '\0')) << "seed " << seed << ", step " << step;
    }
    spool.reset();
    EXPECT_EQ(budget.bytes(), 0u);
    EXPECT_EQ(budget.files(), 0u);
  }
}

}  // namespace
}  // namespace stela::fsd

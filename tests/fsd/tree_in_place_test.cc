// Columns and their nulls changed in place, without O_TRUNC: what is committed when, conflicts, refusals.
#include "tests/fsd/tree_fixture.h"

namespace stela::fsd {
namespace {

std::string truths(const std::vector<uint8_t>& values) { return npy_bytes<uint8_t>("|b1", values); }
std::string integers(const std::vector<int64_t>& values) { return npy_bytes<int64_t>("<i8", values); }
std::string cell(int64_t value) { return {reinterpret_cast<const char*>(&value), sizeof value}; }
constexpr uint64_t kHeader = 128;
constexpr uint64_t at(uint64_t row) { return kHeader + row * sizeof(int64_t); }

class TreeInPlaceTest : public TreeTest {
 protected:
  void SetUp() override {
    TreeTest::SetUp();
    EXPECT_OK(mkdir("/d"));
    processes_->say_creates_exclusively(false);
    EXPECT_OK(put("/d/x.npy", integers({0, 1, 2, 3})));
  }
  std::string text(std::string_view path) {
    auto bytes = cat(path);
    return bytes.ok() ? *bytes : bytes.status().message();
  }
  // pwrite into the file, then close.
  Status change(std::string_view path, uint64_t offset, std::string_view bytes) {
    STELA_ASSIGN(uint64_t handle, open(path, O_RDWR));
    Status status = write_at(handle, offset, bytes);
    Status closed = close(handle);
    return status.ok() ? closed : status;
  }
};

TEST_F(TreeInPlaceTest, AWrittenCellIsCommittedAtClose) {
  uint64_t old = *open("/d/x.npy", O_RDONLY);
  uint64_t handle = *open("/d/x.npy", O_RDWR);
  EXPECT_OK(write_at(handle, at(2), cell(20)));
  EXPECT_EQ(integers({0, 1, 20, 3}), *read_all(handle));
  EXPECT_EQ(integers({0, 1, 2, 3}), text("/d/x.npy"));
  EXPECT_EQ(1u, latest("/d"));
  EXPECT_OK(close(handle));
  EXPECT_EQ(2u, latest("/d"));
  EXPECT_EQ(integers({0, 1, 20, 3}), text("/d/x.npy"));
  EXPECT_EQ(integers({0, 1, 2, 3}), text("/d/.versions/1/x.npy"));
  EXPECT_EQ(integers({0, 1, 2, 3}), *read_all(old));
  EXPECT_NE(stat("/d/x.npy")->inode, stat("/d/.versions/1/x.npy")->inode);
  EXPECT_NE(std::string::npos, text("/d/.commit.json").find("\"update\""));
  tree_->release(old);
}

TEST_F(TreeInPlaceTest, EachSyncCommitsAndTheHandleGoesOn) {
  uint64_t handle = *open("/d/x.npy", O_RDWR);
  EXPECT_OK(write_at(handle, at(0), cell(10)));
  EXPECT_OK(tree_->fsync(handle, me_));
  EXPECT_EQ(2u, latest("/d"));
  EXPECT_OK(tree_->fsync(handle, me_));
  EXPECT_EQ(2u, latest("/d"));
  EXPECT_OK(write_at(handle, at(0), cell(11)));
  EXPECT_OK(write_at(handle, at(3), cell(33)));
  EXPECT_OK(close(handle));
  EXPECT_EQ(3u, latest("/d"));
  EXPECT_EQ(integers({11, 1, 2, 33}), text("/d/x.npy"));
  EXPECT_EQ(integers({10, 1, 2, 3}), text("/d/.versions/2/x.npy"));
}

TEST_F(TreeInPlaceTest, NothingIsCommittedWhenNothingDiffers) {
  EXPECT_OK(change("/d/x.npy", 0, integers({0, 1, 2, 3})));
  uint64_t handle = *open("/d/x.npy", O_WRONLY);
  EXPECT_OK(close(handle));
  EXPECT_EQ(1u, latest("/d"));
}

TEST_F(TreeInPlaceTest, TwoWritersOfOneCellConflictAndOfOthersDoNot) {
  uint64_t first = *open("/d/x.npy", O_RDWR);
  uint64_t second = *open("/d/x.npy", O_RDWR);
  uint64_t third = *open("/d/x.npy", O_RDWR);
  EXPECT_OK(write_at(first, at(1), cell(10)));
  EXPECT_OK(write_at(second, at(1), cell(11)));
  EXPECT_OK(write_at(third, at(2), cell(22)));
  EXPECT_OK(close(first));
  EXPECT_CODE(Code::kConflict, close(second));
  EXPECT_NE(std::string::npos, error_at("/d/x.npy").find("row 1 of column 'x' was changed by version 2"))
      << error_at("/d/x.npy");
  EXPECT_OK(close(third));
  EXPECT_EQ(integers({0, 10, 22, 3}), text("/d/x.npy"));
  EXPECT_EQ(3u, latest("/d"));
}

// A page written back by the kernel carries cells that others have changed since: they are not this writer's.
TEST_F(TreeInPlaceTest, CellsThatOthersChangedMeanwhileAreNotPutBack) {
  uint64_t mine = *open("/d/x.npy", O_RDWR);
  EXPECT_OK(write_at(mine, kHeader, cell(0) + cell(1) + cell(2) + cell(30)));
  EXPECT_OK(change("/d/x.npy", at(0), cell(100)));
  EXPECT_OK(tree_->fsync(mine, me_));
  EXPECT_EQ(integers({100, 1, 2, 30}), text("/d/x.npy"));
  EXPECT_OK(write_at(mine, kHeader, cell(0) + cell(1) + cell(2) + cell(31)));  // row 0 as this handle knows it
  EXPECT_OK(tree_->fsync(mine, me_));
  EXPECT_EQ(integers({100, 1, 2, 31}), text("/d/x.npy"));
  EXPECT_OK(write_at(mine, at(0), cell(5)));  // never having seen the other's
  EXPECT_CODE(Code::kConflict, close(mine));
  EXPECT_EQ(integers({100, 1, 2, 31}), text("/d/x.npy"));
}

TEST_F(TreeInPlaceTest, AnAppendMeanwhileIsNoConflictAndAReplacementIs) {
  uint64_t handle = *open("/d/x.npy", O_RDWR);
  EXPECT_OK(write_at(handle, at(3), cell(33)));
  EXPECT_OK(put("/d/.append/a.csv", "x\n4\n"));
  EXPECT_OK(tree_->fsync(handle, me_));
  EXPECT_EQ(integers({0, 1, 2, 33, 4}), text("/d/x.npy"));
  EXPECT_OK(write_at(handle, at(3), cell(34)));
  EXPECT_OK(tree_->fsync(handle, me_));
  EXPECT_OK(put("/d/x.npy", integers({5, 5, 5, 5, 5})));
  EXPECT_OK(write_at(handle, at(3), cell(35)));
  EXPECT_CODE(Code::kConflict, close(handle));
  EXPECT_EQ(integers({5, 5, 5, 5, 5}), text("/d/x.npy"));
}

TEST_F(TreeInPlaceTest, AReplacementBegunBeforeAChangeLoses) {
  uint64_t whole = *open("/d/x.npy", O_WRONLY | O_TRUNC);
  EXPECT_OK(write_at(whole, 0, integers({7, 7, 7, 7})));
  EXPECT_OK(change("/d/x.npy", at(0), cell(-1)));
  EXPECT_CODE(Code::kConflict, close(whole));
  EXPECT_EQ(integers({-1, 1, 2, 3}), text("/d/x.npy"));
}

TEST_F(TreeInPlaceTest, NullsAreSetAndClearedInPlace) {
  EXPECT_OK(change("/d/x.valid.npy", kHeader + 1, std::string(2, '\0')));
  EXPECT_EQ("0\n\\N\n\\N\n3\n", text("/d/x.txt"));
  EXPECT_EQ((std::vector<std::string>{"x.npy", "x.valid.npy"}), *list("/d"));
  EXPECT_OK(change("/d/x.valid.npy", kHeader + 2, "\1"));
  EXPECT_EQ("0\n\\N\n0\n3\n", text("/d/x.txt"));
  EXPECT_OK(change("/d/x.npy", at(1), cell(11)));  // a value written to a null row makes it valid
  EXPECT_EQ("0\n11\n0\n3\n", text("/d/x.txt"));
  EXPECT_EQ(truths({1, 1, 1, 1}), text("/d/x.valid.npy"));
  EXPECT_EQ(4u, latest("/d"));
  EXPECT_EQ(truths({1, 0, 0, 1}), text("/d/.versions/2/x.valid.npy"));
}

TEST_F(TreeInPlaceTest, NotATimeIsNull) {
  EXPECT_OK(put("/d/t.npy", npy_bytes<int64_t>("<M8[us]", {5, 6, 7, 8})));
  EXPECT_OK(change("/d/t.npy", at(1), cell(INT64_MIN)));
  EXPECT_EQ(truths({1, 0, 1, 1}), text("/d/t.valid.npy"));
  EXPECT_CODE(Code::kInvalid, change("/d/t.valid.npy", kHeader + 1, "\1"));
  EXPECT_NE(std::string::npos, error_at("/d/t.valid.npy").find("NaT"));
}

TEST_F(TreeInPlaceTest, WhatCannotBeChangedInPlaceSaysSo) {
  EXPECT_CODE(Code::kInvalid, change("/d/x.npy", at(4), cell(4)));
  EXPECT_NE(std::string::npos, error_at("/d/x.npy").find(".append/"));
  EXPECT_CODE(Code::kInvalid, change("/d/x.npy", at(3) + 1, cell(4)));
  EXPECT_CODE(Code::kInvalid, change("/d/x.npy", 60, "x"));
  EXPECT_NE(std::string::npos, error_at("/d/x.npy").find("header"));
  uint64_t handle = *open("/d/x.npy", O_RDWR);
  SetAttributes set;
  set.size = 8;
  EXPECT_CODE(Code::kInvalid, tree_->set_attributes(last_node_, handle, set, me_));
  set.size = integers({0, 1, 2, 3}).size();
  EXPECT_OK(tree_->set_attributes(last_node_, handle, set, me_));
  EXPECT_OK(close(handle));
  EXPECT_CODE(Code::kReadOnly, open("/d/.versions/1/x.npy", O_RDWR));
  EXPECT_CODE(Code::kUnsupported, open("/d/x.arrow", O_RDWR));
  EXPECT_CODE(Code::kInvalid, open("/d/x.csv", O_RDWR));
  EXPECT_EQ(1u, latest("/d"));
}

TEST_F(TreeInPlaceTest, AKilledWriterCommitsNothing) {
  uint64_t handle = *open("/d/x.npy", O_RDWR);
  EXPECT_OK(write_at(handle, at(0), cell(9)));
  processes_->kill(me_.pid, 9);
  EXPECT_CODE(Code::kIo, close(handle));
  EXPECT_EQ(integers({0, 1, 2, 3}), text("/d/x.npy"));
}

TEST_F(TreeInPlaceTest, WhatIsLeftAtTheLastReleaseIsCommitted) {
  uint64_t handle = *open("/d/x.npy", O_RDWR);
  EXPECT_OK(tree_->flush(handle, me_));
  EXPECT_OK(write_at(handle, at(0), cell(9)));  // a mapping's page, after the descriptor was closed
  tree_->release(handle);
  EXPECT_EQ(integers({9, 1, 2, 3}), text("/d/x.npy"));
}

TEST_F(TreeInPlaceTest, ALostRaceAtTheLastReleaseIsNoted) {
  uint64_t handle = *open("/d/x.npy", O_RDWR);
  EXPECT_OK(write_at(handle, at(0), cell(9)));
  EXPECT_OK(change("/d/x.npy", at(0), cell(8)));
  tree_->release(handle);
  EXPECT_EQ(integers({8, 1, 2, 3}), text("/d/x.npy"));
  EXPECT_NE(std::string::npos, text("/.stela/errors.ndjson").find("row 0 of column"));
}

TEST_F(TreeInPlaceTest, TouchThroughAHandleSetsTheTime) {
  uint64_t handle = *open("/d/x.npy", O_WRONLY);
  SetAttributes set;
  set.mtime_ns = 5'000'000'000;
  EXPECT_OK(tree_->set_attributes(last_node_, handle, set, me_));
  EXPECT_OK(tree_->flush(handle, me_));
  EXPECT_EQ(5'000'000'000, stat("/d/x.npy")->mtime_ns);
  EXPECT_OK(utime("/d/x.npy", 7'000'000'000));
  tree_->release(handle);  // comes after close() has returned
  EXPECT_EQ(7'000'000'000, stat("/d/x.npy")->mtime_ns);
  EXPECT_EQ(1u, latest("/d"));
}

TEST_F(TreeInPlaceTest, AWideValueIsOneCellWhereverItsBytesChange) {
  std::vector<int64_t> values(3000);
  std::string bytes = npy_bytes<int64_t>("<i8", values);
  size_t place = bytes.find("'shape': (3000,), }");
  bytes.replace(place, 19, "'shape': (3, 1000),}");
  bytes.erase(bytes.find("} ") + 1, 1);
  EXPECT_OK(mkdir("/w"));
  EXPECT_OK(put("/w/v.npy", bytes));
  EXPECT_OK(change("/w/v.npy", at(1999), cell(7) + cell(8)));  // the last of row 1 and the first of row 2
  std::string expected = bytes;
  expected.replace(at(1999), 16, cell(7) + cell(8));
  EXPECT_EQ(expected.substr(kHeader), text("/w/v.npy").substr(kHeader));
  auto table = store_->table("/w");
  auto head = table->head();
  EXPECT_EQ(VersionNumber{2}, head->version().number);
}

// Random writes, syncs and reopenings of several handles against a plain file with a copy for each handle.
TEST_F(TreeInPlaceTest, RandomWritersLoseNothing) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random(seed);
    std::string dir = "/r" + std::to_string(seed);
    EXPECT_OK(mkdir(dir));
    std::vector<int64_t> committed(700, 1);
    EXPECT_OK(put(dir + "/x.npy", integers(committed)));
    struct Writer {
      uint64_t handle;
      std::vector<int64_t> shown, reference;
      std::vector<bool> theirs;  // rows that others committed since it was opened
    };
    std::vector<Writer> writers;
    for (int step = 0; step < 150; ++step) {
      if (writers.size() < 3 && random.below(4) == 0) {
        writers.push_back({*open(dir + "/x.npy", O_RDWR), committed, committed, std::vector<bool>(700)});
      }
      if (writers.empty()) continue;
      size_t index = random.below(writers.size());
      Writer& writer = writers[index];
      if (random.below(3) != 0) {
        uint64_t first = random.below(700);
        uint64_t count = 1 + random.below(std::min<uint64_t>(700 - first, 1 + random.below(200)));
        std::string bytes;
        for (uint64_t row = first; row < first + count; ++row) {
          if (random.below(30) == 0) writer.shown[row] = static_cast<int64_t>(random.below(1000));
          bytes += cell(writer.shown[row]);
        }
        EXPECT_OK(write_at(writer.handle, at(first), bytes));
        continue;
      }
      bool conflict = false;
      for (size_t row = 0; row < 700; ++row) {
        conflict = conflict || (writer.shown[row] != writer.reference[row] && writer.theirs[row]);
      }
      bool closes = conflict || random.coin();
      Status status = closes ? tree_->flush(writer.handle, me_) : tree_->fsync(writer.handle, me_);
      EXPECT_EQ(conflict, status.code() == Code::kConflict) << status.message();
      if (!conflict) {
        EXPECT_OK(status);
        for (size_t row = 0; row < 700; ++row) {
          if (writer.shown[row] == writer.reference[row]) continue;
          committed[row] = writer.shown[row];
          for (Writer& other : writers) {
            if (other.handle != writer.handle) other.theirs[row] = true;
          }
        }
        writer.reference = writer.shown;
      }
      if (closes) {
        tree_->release(writer.handle);
        writers.erase(writers.begin() + static_cast<std::ptrdiff_t>(index));
      }
      ASSERT_EQ(integers(committed), text(dir + "/x.npy"));
    }
    for (Writer& writer : writers) tree_->release(writer.handle);
  }
}

}  // namespace
}  // namespace stela::fsd

// Writing: when a file is finished, what it becomes, what is refused and what is said about it.
#include "tests/fsd/tree_fixture.h"

namespace stela::fsd {
namespace {

using Names = std::vector<std::string>;
class TreeDraftsTest : public TreeTest {
 protected:
  Status flush_as(uint32_t pid, uint64_t handle) {
    Caller caller = me_;
    caller.pid = pid;
    return tree_->flush(handle, caller);
  }
};

const std::string kThree = npy_bytes<double>("<f8", {1, 2, 3});
const std::string kOtherThree = npy_bytes<double>("<f8", {4, 5, 6});

TEST_F(TreeDraftsTest, AColumnIsCommittedAtCloseByteForByte) {
  EXPECT_OK(mkdir("/d"));
  EXPECT_OK(put("/d/x.npy", kThree));
  EXPECT_EQ(Names{"x.npy"}, *list("/d"));
  EXPECT_EQ(kThree, *cat("/d/x.npy"));
  EXPECT_EQ("user (1000)", store_->table("/d")->head()->version().author);
}

TEST_F(TreeDraftsTest, NobodySeesADraftBeforeItsCommit) {
  EXPECT_OK(mkdir("/d"));
  uint64_t handle = *open("/d/x.npy", O_WRONLY | O_CREAT | O_TRUNC);
  EXPECT_OK(write_at(handle, 0, kThree));
  EXPECT_EQ(Names{}, *list("/d"));
  EXPECT_CODE(Code::kBusy, open("/d/x.npy", O_RDONLY));
  EXPECT_EQ(kThree.size(), stat("/d/x.npy")->size);
  EXPECT_OK(close(handle));
  EXPECT_EQ(kThree, *cat("/d/x.npy"));
}

TEST_F(TreeDraftsTest, AReplacementIsSeenAfterItsCommitOnly) {
  EXPECT_OK(mkdir("/d"));
  EXPECT_OK(put("/d/x.npy", kThree));
  uint64_t reader = *open("/d/x.npy", O_RDONLY);
  uint64_t writer = *open("/d/x.npy", O_RDWR | O_TRUNC);
  EXPECT_OK(write_at(writer, 0, kOtherThree));
  EXPECT_EQ(kThree, *cat("/d/x.npy"));
  EXPECT_EQ(kOtherThree, *read_all(writer));
  EXPECT_OK(close(writer));
  EXPECT_EQ(kOtherThree, *cat("/d/x.npy"));
  EXPECT_EQ(kThree, *read_all(reader));
  EXPECT_EQ(kThree, *cat("/d/.versions/1/x.npy"));
  tree_->release(reader);
}

TEST_F(TreeDraftsTest, AWritableOpenOfASharedNodeAsksForAnotherLookup) {
  EXPECT_OK(mkdir("/d"));
  EXPECT_OK(put("/d/x.npy", kThree));
  EntryReply shared = *look("/d/x.npy");
  EXPECT_CODE(Code::kConflict, tree_->open(shared.node, O_WRONLY | O_TRUNC, me_));
  EntryReply one = *look("/d/x.npy"), two = *look("/d/x.npy");
  EXPECT_NE(shared.node, one.node);
  EXPECT_NE(one.node, two.node);
  EXPECT_EQ(shared.attributes.inode, one.attributes.inode);
  EXPECT_OK(tree_->open(one.node, O_WRONLY | O_TRUNC, me_));
  EXPECT_CODE(Code::kConflict, tree_->open(one.node, O_WRONLY | O_TRUNC, me_));
  env_->manual_clock().advance_ns(1'100'000'000);
  EXPECT_EQ(shared.node, look("/d/x.npy")->node);
  EXPECT_EQ("", error_at("/d/x.npy"));
}

TEST_F(TreeDraftsTest, AFlushWithNothingWrittenDoesNothing) {
  EXPECT_OK(mkdir("/d"));
  uint64_t handle = *open("/d/.append/x.csv", O_WRONLY | O_CREAT | O_TRUNC);
  EXPECT_OK(tree_->flush(handle, me_));
  EXPECT_OK(write_at(handle, 0, "a\n1\n"));
  EXPECT_OK(tree_->flush(handle, me_));
  EXPECT_OK(tree_->flush(handle, me_));
  EXPECT_OK(close(handle));
  EXPECT_EQ(1u, latest("/d"));
}

TEST_F(TreeDraftsTest, AnEmptyFileCommitsNothingAndCanBeOpenedAgain) {
  EXPECT_OK(mkdir("/d"));
  EXPECT_OK(put("/d/x.npy", ""));
  EXPECT_EQ(0u, latest("/d"));
  EXPECT_EQ(0u, stat("/d/x.npy")->size);
  uint64_t handle = *open("/d/x.npy", O_WRONLY | O_TRUNC);
  EXPECT_OK(write_at(handle, 0, kThree));
  EXPECT_OK(close(handle));
  EXPECT_EQ(kThree, *cat("/d/x.npy"));
  EXPECT_OK(put("/d/.append/e.csv", ""));
  EXPECT_EQ(1u, latest("/d"));
}

TEST_F(TreeDraftsTest, OnlyTheOpenersCloseCommits) {
  EXPECT_OK(mkdir("/d"));
  me_.pid = 100;
  uint64_t handle = *open("/d/.append/x.csv", O_WRONLY | O_CREAT | O_TRUNC);
  EXPECT_OK(write_at(handle, 0, "a\n1\n"));
  EXPECT_OK(flush_as(7, handle));
  EXPECT_EQ(0u, latest("/d"));
  EXPECT_OK(flush_as(150, handle));  // another thread of the opener
  EXPECT_EQ(1u, latest("/d"));
  EXPECT_OK(write_at(handle, 4, "2\n"));
  EXPECT_OK(flush_as(7, handle));
  EXPECT_EQ(1u, rows("/d"));
  tree_->release(handle);
  EXPECT_EQ(2u, rows("/d"));
}

TEST_F(TreeDraftsTest, AKilledWriterCommitsNothingAndPoisonsTheFile) {
  EXPECT_OK(mkdir("/d"));
  uint64_t handle = *open("/d/.append/x.csv", O_WRONLY | O_CREAT | O_TRUNC);
  EXPECT_OK(write_at(handle, 0, "a\n1\n"));
  processes_->kill(7, 9);
  EXPECT_CODE(Code::kIo, flush_as(7, handle));
  EXPECT_CODE(Code::kIo, write_at(handle, 4, "2\n"));
  EXPECT_CODE(Code::kIo, flush_as(1, handle));
  tree_->release(handle);
  EXPECT_EQ(0u, latest("/d"));
  EXPECT_NE(std::string::npos, error_at("/d/.append/x.csv").find("signal 9"));
  EXPECT_NE(std::string::npos, error_at("/d/.append").find("signal 9"));
}

TEST_F(TreeDraftsTest, SyncCommitsWholeLinesAndCloseTheRest) {
  EXPECT_OK(mkdir("/d"));
  uint64_t handle = *open("/d/.append/x.csv", O_WRONLY | O_CREAT | O_TRUNC);
  EXPECT_OK(write_at(handle, 0, "a\n1\n2"));
  EXPECT_OK(tree_->fsync(handle, me_));
  EXPECT_EQ(1u, rows("/d"));
  EXPECT_OK(close(handle));
  EXPECT_EQ(2u, rows("/d"));
}

TEST_F(TreeDraftsTest, AnIncompleteColumnFailsAndMayGoOn) {
  EXPECT_OK(mkdir("/d"));
  uint64_t handle = *open("/d/x.npy", O_WRONLY | O_CREAT | O_TRUNC);
  EXPECT_OK(write_at(handle, 0, kThree.substr(0, 140)));
  EXPECT_CODE(Code::kInvalid, tree_->flush(handle, me_));
  EXPECT_CODE(Code::kInvalid, tree_->flush(handle, me_));
  EXPECT_OK(write_at(handle, 140, kThree.substr(140)));
  EXPECT_OK(close(handle));
  EXPECT_EQ(kThree, *cat("/d/x.npy"));
  EXPECT_EQ("", error_at("/d/x.npy"));
}

TEST_F(TreeDraftsTest, AWrongLengthIsRefusedAndTheNameSaysWhy) {
  EXPECT_OK(mkdir("/d"));
  EXPECT_OK(put("/d/x.npy", kThree));
  EXPECT_CODE(Code::kInvalid, put("/d/y.npy", npy_bytes<double>("<f8", {1, 2})));
  EXPECT_EQ(Names{"x.npy"}, *list("/d"));
  EXPECT_FALSE(error_at("/d/y.npy").empty());
  EXPECT_CODE(Code::kInvalid, open("/d/y.npy", O_RDONLY));
  EXPECT_EQ(0600u, stat("/d/y.npy")->mode);
  EXPECT_EQ(0u, stat("/d/y.npy")->size);
  EXPECT_OK(put("/d/y.npy", kOtherThree));
  EXPECT_EQ("", error_at("/d/y.npy"));
  EXPECT_EQ(kOtherThree, *cat("/d/y.npy"));
}

TEST_F(TreeDraftsTest, ARefusedReplacementLeavesTheColumn) {
  EXPECT_OK(mkdir("/d"));
  EXPECT_OK(put("/d/x.npy", kThree));
  EXPECT_CODE(Code::kInvalid, put("/d/x.npy", "this is no array"));
  env_->manual_clock().advance_ns(200'000'000);
  EXPECT_EQ(kThree, *cat("/d/x.npy"));
  EXPECT_FALSE(error_at("/d/x.npy").empty());
  EXPECT_EQ(1u, latest("/d"));
}

TEST_F(TreeDraftsTest, TheFirstCommitterWins) {
  EXPECT_OK(mkdir("/d"));
  EXPECT_OK(put("/d/x.npy", kThree));
  uint64_t one = *open("/d/x.npy", O_WRONLY | O_TRUNC);
  uint64_t two = *open("/d/x.npy", O_WRONLY | O_TRUNC);
  EXPECT_OK(write_at(one, 0, kOtherThree));
  EXPECT_OK(write_at(two, 0, kThree));
  EXPECT_OK(close(one));
  Status lost = close(two);
  EXPECT_CODE(Code::kConflict, lost);
  EXPECT_NE(std::string::npos, lost.message().find("version 2"));
  EXPECT_NE(std::string::npos, lost.message().find("user (1000)"));
  EXPECT_EQ(kOtherThree, *cat("/d/x.npy"));
}

TEST_F(TreeDraftsTest, ANewColumnOfTheOldLengthLosesAgainstAnAppend) {
  make_trips();
  uint64_t handle = *open("/trips/tip.npy", O_WRONLY | O_CREAT);
  EXPECT_OK(write_at(handle, 0, kThree));
  EXPECT_OK(put("/trips/.append/more.csv", "fare,city\n1,X\n"));
  EXPECT_CODE(Code::kConflict, close(handle));
}

TEST_F(TreeDraftsTest, AHandlesOwnCommitIsItsBase) {
  EXPECT_OK(mkdir("/d"));
  uint64_t handle = *open("/d/x.npy", O_WRONLY | O_CREAT | O_TRUNC);
  EXPECT_OK(write_at(handle, 0, kThree));
  EXPECT_OK(tree_->flush(handle, me_));
  EXPECT_OK(write_at(handle, 0, kOtherThree));
  EXPECT_OK(close(handle));
  EXPECT_EQ(kOtherThree, *cat("/d/x.npy"));
  EXPECT_EQ(2u, latest("/d"));
}

TEST_F(TreeDraftsTest, TimesSetThroughTheHandleStayWithTheContent) {
  EXPECT_OK(mkdir("/d"));
  uint64_t handle = *open("/d/x.npy", O_WRONLY | O_CREAT);
  EXPECT_OK(write_at(handle, 0, kThree));
  SetAttributes set;
  set.mtime_ns = 1234567;
  EXPECT_OK(tree_->set_attributes(last_node_, handle, set, me_));
  EXPECT_OK(close(handle));
  EXPECT_EQ(1234567, stat("/d/x.npy")->mtime_ns);
  EXPECT_EQ(1234567, stat("/d/.versions/1/x.npy")->mtime_ns);
  restart();
  EXPECT_EQ(1234567, stat("/d/x.npy")->mtime_ns);
  EXPECT_OK(utime("/d/x.npy", 99));
  EXPECT_EQ(99, stat("/d/x.npy")->mtime_ns);
}

TEST_F(TreeDraftsTest, ModeAndOwnerBelongToTheDataset) {
  EXPECT_OK(mkdir("/d"));
  EXPECT_OK(put("/d/x.npy", kThree));
  EXPECT_OK(chmod("/d/x.npy", 0644));
  EXPECT_CODE(Code::kNotPermitted, chmod("/d/x.npy", 0600));
  EXPECT_OK(chmod("/d", 0700));
  EXPECT_EQ(0600u, stat("/d/x.npy")->mode);
  EXPECT_EQ(0400u, stat("/d/.versions/1/x.npy")->mode);
  EXPECT_EQ(0500u, stat("/d/.versions/1")->mode);
}

TEST_F(TreeDraftsTest, AColumnIsNotCutButItsOwnLengthIsFine) {
  EXPECT_OK(mkdir("/d"));
  EXPECT_OK(put("/d/x.npy", kThree));
  SetAttributes set;
  set.size = kThree.size();
  EXPECT_OK(tree_->set_attributes(look("/d/x.npy")->node, 0, set, me_));
  set.size = 0;
  EXPECT_CODE(Code::kInvalid, tree_->set_attributes(look("/d/x.npy")->node, 0, set, me_));
}

TEST_F(TreeDraftsTest, ScratchHoldsBytesAndCommitsWhenRenamed) {
  EXPECT_OK(mkdir("/d"));
  EXPECT_OK(put("/d/.x.npy.8he1gN", kThree));
  EXPECT_OK(put("/d/notes.tmp", "abc"));
  EXPECT_EQ(Names{}, *list("/d"));
  EXPECT_EQ("abc", *cat("/d/notes.tmp"));
  EXPECT_OK(chmod("/d/.x.npy.8he1gN", 0600));
  EXPECT_OK(utime("/d/.x.npy.8he1gN", 777));
  EXPECT_OK(move("/d/.x.npy.8he1gN", "/d/x.npy"));
  EXPECT_EQ(kThree, *cat("/d/x.npy"));
  EXPECT_EQ(777, stat("/d/x.npy")->mtime_ns);
  EXPECT_CODE(Code::kNotFound, look("/d/.x.npy.8he1gN"));
  EXPECT_OK(move("/d/notes.tmp", "/d/4913"));
  EXPECT_EQ("abc", *cat("/d/4913"));
  EXPECT_OK(unlink("/d/4913"));
  EXPECT_CODE(Code::kNotFound, look("/d/4913"));
}

TEST_F(TreeDraftsTest, ScratchThatIsNoColumnStaysWhenItsRenameIsRefused) {
  EXPECT_OK(mkdir("/d"));
  EXPECT_OK(put("/d/x.npy", kThree));
  EXPECT_OK(put("/d/x.npy.tmp", "nonsense"));
  EXPECT_CODE(Code::kInvalid, move("/d/x.npy.tmp", "/d/x.npy"));
  EXPECT_EQ("nonsense", *cat("/d/x.npy.tmp"));
  EXPECT_EQ(kThree, *cat("/d/x.npy"));
  EXPECT_FALSE(error_at("/d/x.npy.tmp").empty());
}

TEST_F(TreeDraftsTest, LimitsAreKeptWithASentence) {
  options_.drafts_bytes_max = 1000;
  options_.drafts_max = 2;
  options_.scratch_bytes_max = 100;
  restart();
  EXPECT_OK(mkdir("/d"));
  uint64_t one = *open("/d/x.npy", O_WRONLY | O_CREAT);
  uint64_t two = *open("/d/y.npy", O_WRONLY | O_CREAT);
  EXPECT_CODE(Code::kNoSpace, open("/d/z.npy", O_WRONLY | O_CREAT));
  EXPECT_CODE(Code::kLimit, write_at(one, 1ull << 50, "x"));
  EXPECT_OK(write_at(one, 0, std::string(900, 'x')));
  EXPECT_CODE(Code::kNoSpace, write_at(two, 0, std::string(200, 'x')));
  EXPECT_CODE(Code::kLimit, write_at(one, UINT64_MAX - 1, "xyz"));
  EXPECT_CODE(Code::kLimit, close(one));  // what failed was not written again
  EXPECT_CODE(Code::kNoSpace, tree_->flush(two, me_));
  EXPECT_OK(write_at(two, 0, kThree));
  EXPECT_OK(close(two));
  EXPECT_CODE(Code::kLimit, put("/d/big.tmp", std::string(101, 'x')));
}

TEST_F(TreeDraftsTest, ATimeSetByNameRightAfterTheCloseIsKept) {
  EXPECT_OK(mkdir("/d"));
  EXPECT_OK(put("/d/x.npy", kThree));
  EXPECT_OK(put("/d/x.npy", kOtherThree));
  EXPECT_OK(utime("/d/x.npy", 5'000'000'000));
  EXPECT_EQ(5'000'000'000, stat("/d/x.npy")->mtime_ns);
  env_->manual_clock().advance_ns(200'000'000);
  EXPECT_EQ(5'000'000'000, stat("/d/x.npy")->mtime_ns);
}

TEST_F(TreeDraftsTest, AnotherTypeOfWriteToAColumnSaysWhatToDo) {
  make_trips();
  EXPECT_CODE(Code::kInvalid, open("/trips/fare.csv", O_WRONLY | O_TRUNC));
  EXPECT_CODE(Code::kUnsupported, open("/trips/fare.arrow", O_RDWR));
  EXPECT_CODE(Code::kNotPermitted, open("/trips/.stats.json", O_WRONLY | O_TRUNC));
}

TEST_F(TreeDraftsTest, TheEndOfTheMountDropsWhatIsOpenAndSaysSo) {
  EXPECT_OK(mkdir("/d"));
  uint64_t handle = *open("/d/x.npy", O_WRONLY | O_CREAT);
  EXPECT_OK(write_at(handle, 0, kThree));
  tree_->shut_down();
  EXPECT_CODE(Code::kIo, tree_->flush(handle, me_));
  tree_->release(handle);
  EXPECT_EQ(0u, latest("/d"));
  EXPECT_NE(std::string::npos, cat("/.stela/errors.ndjson")->find("/d/x.npy"));
}

TEST_F(TreeDraftsTest, AReadOnlyMountRefusesEveryChange) {
  make_trips();
  options_.read_only = true;
  restart();
  EXPECT_CODE(Code::kReadOnly, mkdir("/d"));
  EXPECT_CODE(Code::kReadOnly, put("/trips/x.npy", kThree));
  EXPECT_CODE(Code::kReadOnly, unlink("/trips/fare.npy"));
  EXPECT_CODE(Code::kReadOnly, open("/trips/fare.npy", O_WRONLY | O_TRUNC));
  EXPECT_CODE(Code::kReadOnly, chmod("/trips", 0700));
  EXPECT_OK(cat("/trips/fare.npy"));
}

}  // namespace
}  // namespace stela::fsd

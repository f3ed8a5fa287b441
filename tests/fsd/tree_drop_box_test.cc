// The drop box and its receipts; .stela; extended attributes; notices to the kernel.
#include <condition_variable>
#include <mutex>
#include <set>

#include "tests/fsd/tree_fixture.h"

namespace stela::fsd {
namespace {

using Names = std::vector<std::string>;
class TreeDropBoxTest : public TreeTest {};

TEST_F(TreeDropBoxTest, AReceiptStaysAddressableAndUnlisted) {
  make_trips();
  EXPECT_EQ(Names{}, *list("/trips/.append"));
  EXPECT_EQ(29u, stat("/trips/.append/day.csv")->size);
  EXPECT_EQ("1", *xattr("/trips/.append/day.csv", "user.stela.version"));
  EXPECT_CODE(Code::kNotPermitted, open("/trips/.append/day.csv", O_RDONLY));
  EXPECT_OK(chmod("/trips/.append/day.csv", 0600));
  EXPECT_OK(utime("/trips/.append/day.csv", 42));
  EXPECT_EQ(42, stat("/trips/.append/day.csv")->mtime_ns);
  EXPECT_OK(move("/trips/.append/day.csv", "/trips/.append/monday.csv"));
  EXPECT_EQ(42, stat("/trips/.append/monday.csv")->mtime_ns);
  EXPECT_EQ(0600u, stat("/trips/.append/monday.csv")->mode);
  EXPECT_OK(unlink("/trips/.append/monday.csv"));
  EXPECT_CODE(Code::kNotFound, look("/trips/.append/monday.csv"));
  EXPECT_EQ(3u, rows("/trips"));
}

TEST_F(TreeDropBoxTest, ReceiptsOutliveTheMount) {
  make_trips();
  EXPECT_OK(utime("/trips/.append/day.csv", 42));
  restart();
  EXPECT_EQ(29u, stat("/trips/.append/day.csv")->size);
  EXPECT_EQ(42, stat("/trips/.append/day.csv")->mtime_ns);
  EXPECT_OK(unlink("/trips/.append/day.csv"));
  restart();
  EXPECT_CODE(Code::kNotFound, look("/trips/.append/day.csv"));
}

TEST_F(TreeDropBoxTest, ReceiptsAreBounded) {
  options_.receipts_max = 4;
  restart();
  EXPECT_OK(mkdir("/d"));
  for (int at = 0; at < 10; at++) EXPECT_OK(put("/d/.append/" + std::to_string(at) + ".csv", "a\n1\n"));
  restart();
  int found = 0;
  for (int at = 0; at < 10; at++) found += look("/d/.append/" + std::to_string(at) + ".csv").ok() ? 1 : 0;
  EXPECT_GE(4, found);
  EXPECT_LE(1, found);
}

TEST_F(TreeDropBoxTest, AppendingToAReceiptGoesOnUnderItsHeader) {
  make_trips();
  for (int at = 0; at < 3; at++) {
    if (at == 2) restart();
    uint64_t size = stat("/trips/.append/day.csv")->size;
    uint64_t handle = *open("/trips/.append/day.csv", O_WRONLY | O_APPEND);
    EXPECT_OK(write_at(handle, size, "7,Rome\n"));
    EXPECT_OK(close(handle));
    EXPECT_EQ(size + 7, stat("/trips/.append/day.csv")->size);
  }
  EXPECT_EQ(6u, rows("/trips"));
  EXPECT_EQ("NYC\nLA\nSF\nRome\nRome\nRome\n", *cat("/trips/city.txt"));
}

TEST_F(TreeDropBoxTest, CopyingAFileAgainAppendsItsRowsAgain) {
  make_trips();
  EXPECT_OK(put("/trips/.append/day.csv", "fare,city\n1,X\n"));
  EXPECT_EQ(4u, rows("/trips"));
  EXPECT_EQ("2", *xattr("/trips/.append/day.csv", "user.stela.version"));
}

TEST_F(TreeDropBoxTest, TouchingAReceiptChangesItsTimeOnly) {
  make_trips();
  uint64_t handle = *open("/trips/.append/day.csv", O_WRONLY | O_CREAT);
  EXPECT_OK(close(handle));
  EXPECT_EQ(1u, latest("/trips"));
  EXPECT_EQ(29u, stat("/trips/.append/day.csv")->size);
}

TEST_F(TreeDropBoxTest, OptionsAreAFolder) {
  EXPECT_OK(mkdir("/d"));
  EXPECT_OK(put("/d/.append/null=NIL,delimiter=%3B/x.csv", "a;b\n1;NIL\n2;5\n"));
  EXPECT_EQ(2u, rows("/d"));
  EXPECT_EQ("\\N\n5\n", *cat("/d/b.txt"));
  EXPECT_OK(stat("/d/.append/null=NIL,delimiter=%3B/x.csv"));
  EXPECT_CODE(Code::kNotFound, look("/d/.append/x.csv"));
  EXPECT_CODE(Code::kInvalid, look("/d/.append/colour=red"));
  EXPECT_FALSE(error_at("/d/.append").empty());
}

TEST_F(TreeDropBoxTest, ABadRowIsRefusedWithItsLineAndNothingChanges) {
  make_trips();
  Status refused = put("/trips/.append/bad.csv", "fare,city\n1,X\nabc,Y\n");
  EXPECT_CODE(Code::kInvalid, refused);
  EXPECT_NE(std::string::npos, refused.message().find("bad.csv:3"));
  EXPECT_EQ(1u, latest("/trips"));
  EXPECT_EQ(refused.message(), error_at("/trips/.append/bad.csv"));
  EXPECT_EQ(refused.message(), error_at("/trips/.append"));
  EXPECT_NE(std::string::npos, cat("/.stela/errors.ndjson")->find("bad.csv:3"));
  EXPECT_CODE(Code::kInvalid, open("/trips/.append/bad.csv", O_RDONLY));
  EXPECT_OK(put("/trips/.append/bad.csv", "fare,city\n1,X\n"));
  EXPECT_EQ("", error_at("/trips/.append/bad.csv"));
}

TEST_F(TreeDropBoxTest, OtherKindsOfFilesAreRefusedAtOnce) {
  make_trips();
  EXPECT_CODE(Code::kUnsupported, open("/trips/.append/x.parquet", O_WRONLY | O_CREAT));
  EXPECT_CODE(Code::kInvalid, open("/trips/.append/x.docx", O_WRONLY | O_CREAT));
  EXPECT_FALSE(error_at("/trips/.append/x.docx").empty());
  EXPECT_CODE(Code::kInvalid, mkdir("/trips/.append/sub"));
}

TEST_F(TreeDropBoxTest, ScratchRenamedInTheDropBoxCommitsItsRows) {
  make_trips();
  EXPECT_OK(put("/trips/.append/.more.csv.Xy12", "fare,city\n1,X\n"));
  EXPECT_EQ(1u, latest("/trips"));
  EXPECT_OK(utime("/trips/.append/.more.csv.Xy12", 5));
  EXPECT_OK(move("/trips/.append/.more.csv.Xy12", "/trips/.append/more.csv"));
  EXPECT_EQ(4u, rows("/trips"));
  EXPECT_EQ(14u, stat("/trips/.append/more.csv")->size);
  EXPECT_EQ(5, stat("/trips/.append/more.csv")->mtime_ns);
}

TEST_F(TreeDropBoxTest, ControlFilesAreMadeAtEachOpen) {
  options_.version = "1.2.3";
  options_.config_json = [] { return std::string("{\"a\":1}"); };
  restart();
  EXPECT_EQ("1.2.3\n", *cat("/.stela/version"));
  EXPECT_EQ("{\"a\":1}\n", *cat("/.stela/config.json"));
  make_trips();
  EXPECT_NE(std::string::npos, cat("/.stela/status.json")->find("\"rows\": 3"));
  EXPECT_NE(std::string::npos, cat("/.stela/metrics")->find("\nstela_commits_total "));
  EXPECT_OK(cat("/.stela/README"));
  EXPECT_EQ(0u, stat("/.stela/metrics")->size);
  EXPECT_CODE(Code::kNotPermitted, open("/.stela/version", O_WRONLY));
  EXPECT_CODE(Code::kNotPermitted, unlink("/.stela/version"));
  EXPECT_CODE(Code::kNotPermitted, rmdir("/.stela"));
}

TEST_F(TreeDropBoxTest, AttributesTellTypeRowsAndVersion) {
  make_trips();
  EXPECT_EQ("float64", *xattr("/trips/fare.npy", "user.stela.type"));
  EXPECT_EQ("3", *xattr("/trips/fare.npy", "user.stela.rows"));
  EXPECT_EQ("1", *xattr("/trips/fare.npy", "user.stela.version"));
  EXPECT_EQ("daemon", *xattr("/trips/fare.npy", "user.stela.served"));
  EXPECT_EQ("1", *xattr("/trips", "user.stela.version"));
  EXPECT_CODE(Code::kNotFound, xattr("/trips/fare.npy", "security.capability"));
  EXPECT_CODE(Code::kNotFound, xattr("/trips/fare.npy", "user.stela.error"));
  uint64_t node = look("/trips/fare.npy")->node;
  EXPECT_CODE(Code::kUnsupported, tree_->set_xattr(node, "user.mine", as_bytes("x"), me_));
  EXPECT_CODE(Code::kNotPermitted, tree_->set_xattr(node, "security.selinux", as_bytes("x"), me_));
  EXPECT_EQ(4u, tree_->list_xattrs(node)->size());
}

// The kernel releases a handle after close() has returned: what was removed in between stays away.
TEST_F(TreeDropBoxTest, ARefusedNameThatWasRemovedDoesNotComeBackWithTheRelease) {
  EXPECT_OK(tree_->make_directory(Tree::kRoot, "t", 0755, me_).status());
  for (const char* path : {"/t/.append/bad.csv", "/t/bad.npy", "/t/.schema.json"}) {
    auto handle = open(path, O_WRONLY | O_CREAT | O_TRUNC);
    ASSERT_TRUE(handle.ok()) << path;
    EXPECT_OK(write_at(*handle, 0, "a,b\n1\n"));
    EXPECT_CODE(Code::kInvalid, tree_->flush(*handle, me_));
    EXPECT_OK(unlink(path));
    tree_->release(*handle);
    EXPECT_CODE(Code::kNotFound, look(path).status());
  }
}

TEST_F(TreeDropBoxTest, AccessFollowsTheModeBits) {
  EXPECT_OK(mkdir("/d", 0750));
  uint64_t node = look("/d")->node;
  EXPECT_OK(tree_->access(node, 7, me_));
  EXPECT_CODE(Code::kAccess, tree_->access(node, 4, Caller{.uid = 5, .gid = 5}));
  EXPECT_OK(tree_->access(node, 5, Caller{.uid = 5, .gid = 1000}));
  EXPECT_OK(tree_->access(node, 7, Caller{}));
  EXPECT_OK(tree_->statistics());
}

class Listener : public TreeObserver {
 public:
  void entry_changed(uint64_t parent, const std::string& name) override {
    std::lock_guard lock(mutex_);
    names_.insert(std::to_string(parent) + "/" + name);
  }
  void attributes_changed(uint64_t node) override {
    std::lock_guard lock(mutex_);
    nodes_.insert(node);
  }
  std::set<std::string> names() {
    std::lock_guard lock(mutex_);
    return names_;
  }
  std::set<uint64_t> nodes() {
    std::lock_guard lock(mutex_);
    return nodes_;
  }

 private:
  std::mutex mutex_;
  std::set<std::string> names_;
  std::set<uint64_t> nodes_;
};

TEST_F(TreeDropBoxTest, ACloseThatCommittedHasToldTheKernel) {
  Listener listener;
  tree_->set_observer(&listener);
  make_trips();
  uint64_t directory = look("/trips")->node;
  EXPECT_OK(look("/trips/fare.npy"));
  EXPECT_OK(put("/trips/.append/more.csv", "fare,city\n1,X\n"));
  EXPECT_TRUE(listener.names().contains(std::to_string(directory) + "/fare.npy"));
  EXPECT_TRUE(listener.nodes().contains(directory));
  tree_->set_observer(nullptr);
}

TEST_F(TreeDropBoxTest, CommitsBesideTheTreeAreAnnouncedWhenAsked) {
  Listener listener;
  tree_->set_observer(&listener);
  make_trips();
  uint64_t directory = look("/trips")->node;
  EXPECT_OK(look("/trips/fare.npy"));
  EXPECT_OK(store_->table("/trips")->drop_column("city", {}));
  tree_->heads_moved();
  EXPECT_TRUE(listener.names().contains(std::to_string(directory) + "/fare.npy"));
  tree_->set_observer(nullptr);
}

TEST_F(TreeDropBoxTest, ChangedModesAreAnnouncedForThePastToo) {
  Listener listener;
  make_trips();
  uint64_t past = look("/trips/.versions/1/fare.npy")->node;
  tree_->set_observer(&listener);
  EXPECT_OK(chmod("/trips", 0700));
  tree_->heads_moved();
  EXPECT_TRUE(listener.nodes().contains(past));
  tree_->set_observer(nullptr);
}

}  // namespace
}  // namespace stela::fsd

// Transactions in the tree: what nodes and handles of one are after its end, and what the kernel may keep.
#include "tests/fsd/tree_fixture.h"

namespace stela::fsd {
namespace {

class TreeTransactions : public TreeTest {
 protected:
  void SetUp() override {
    TreeTest::SetUp();
    ASSERT_TRUE(mkdir("/t").ok());
    ASSERT_TRUE(put("/t/.append/a.csv", "x\n1\n2\n").ok());
  }
};

TEST_F(TreeTransactions, NamesAreNeverKeptByTheKernel) {
  ASSERT_TRUE(mkdir("/t/.tx/a").ok());
  for (const char* path : {"/t/.tx/a", "/t/.tx/a/x.npy", "/t/.tx/a/.append", "/t/.tx/a/.commit"}) {
    auto entry = look(path);
    ASSERT_TRUE(entry.ok()) << path << ": " << entry.status().message();
    EXPECT_EQ(0, entry->entry_timeout_ns) << path;
    EXPECT_EQ(0, entry->attributes_timeout_ns) << path;
  }
  EXPECT_NE(look("/t/x.npy")->node, look("/t/.tx/a/x.npy")->node);
}

TEST_F(TreeTransactions, NodesAndHandlesOutliveTheEnd) {
  for (bool commits : {true, false}) {
    ASSERT_TRUE(mkdir("/t/.tx/a").ok());
    ASSERT_TRUE(put("/t/.tx/a/.append/b.csv", "x\n3\n").ok());
    uint64_t reader = *open("/t/.tx/a/x.txt", O_RDONLY);
    uint64_t writer = *open("/t/.tx/a/.append/c.csv", O_WRONLY | O_CREAT);
    ASSERT_TRUE(write_at(writer, 0, "x\n9\n").ok());
    uint64_t folder = look("/t/.tx/a")->node;
    uint64_t commit = *open("/t/.tx/a/.commit", O_WRONLY);
    Status ended = commits ? write_at(commit, 0, "m\n") : rmdir("/t/.tx/a");
    EXPECT_TRUE(ended.ok()) << ended.message();
    EXPECT_EQ(Code::kNotFound, look("/t/.tx/a").status().code());
    EXPECT_EQ(Code::kNotFound, tree_->lookup(folder, "x.npy", me_).status().code());
    EXPECT_EQ(Code::kNotFound, tree_->lookup(folder, ".append", me_).status().code());
    EXPECT_NE(std::string::npos, tree_->lookup(folder, "x.npy", me_).status().message().find("/t/.tx/a"));
    EXPECT_EQ(commits ? Code::kInvalid : Code::kConflict, write_at(commit, 2, "n\n").code());
    EXPECT_EQ(commits ? "1\n2\n3\n" : "1\n2\n3\n3\n", *read_all(reader));
    EXPECT_EQ(Code::kConflict, close(writer).code());
    tree_->release(reader);
    tree_->release(commit);
    EXPECT_EQ("1\n2\n3\n", *cat("/t/x.txt"));
    EXPECT_EQ(2u, store_->table("/t")->latest()->value);
  }
}

TEST_F(TreeTransactions, TimesSetInsideAreKept) {
  ASSERT_TRUE(mkdir("/t/.tx/a").ok());
  ASSERT_TRUE(put("/t/.tx/a/.append/b.csv", "x\n3\n").ok());
  ASSERT_TRUE(utime("/t/.tx/a/x.npy", 5'000'000'000).ok());
  EXPECT_EQ(5'000'000'000, stat("/t/.tx/a/x.npy")->mtime_ns);
  EXPECT_NE(5'000'000'000, stat("/t/x.npy")->mtime_ns);
  ASSERT_TRUE(put("/t/.tx/a/.commit", "m\n").ok());
  EXPECT_EQ(5'000'000'000, stat("/t/x.npy")->mtime_ns);
  EXPECT_NE(5'000'000'000, stat("/t/.versions/1/x.npy")->mtime_ns);

  ASSERT_TRUE(mkdir("/t/.tx/b").ok());
  ASSERT_TRUE(utime("/t/.tx/b/x.npy", 7'000'000'000).ok());
  ASSERT_TRUE(put("/t/.tx/b/.append/c.csv", "x\n4\n").ok());  // other content
  ASSERT_TRUE(put("/t/.tx/b/.commit", "m\n").ok());
  EXPECT_NE(7'000'000'000, stat("/t/x.npy")->mtime_ns);
}

TEST_F(TreeTransactions, ATreeThatEndsTakesThemAlong) {
  ASSERT_TRUE(mkdir("/t/.tx/a").ok());
  ASSERT_TRUE(mkdir("/.stela/tx/b").ok());
  ASSERT_TRUE(put("/t/.tx/a/.append/b.csv", "x\n3\n").ok());
  ASSERT_TRUE(open("/.stela/tx/b/t/x.npy", O_RDWR).ok());  // and stays open
  tree_->shut_down();
  EXPECT_NE(std::string::npos,
            cat("/.stela/errors.ndjson")->find("ended with the mount: its 1 change is not committed"));
  restart();
  EXPECT_EQ(Code::kNotFound, look("/t/.tx/a").status().code());
  EXPECT_EQ("1\n2\n", *cat("/t/x.txt"));
}

TEST_F(TreeTransactions, ThereAreNotTooMany) {
  Status last;
  int made = 0;
  for (; made < 1000 && last.ok(); ++made) last = mkdir("/t/.tx/" + std::to_string(made));
  EXPECT_EQ(Code::kLimit, last.code());
  EXPECT_EQ(257, made);
  EXPECT_TRUE(rmdir("/t/.tx/7").ok());
  EXPECT_TRUE(mkdir("/.stela/tx/more").ok());
}

}  // namespace
}  // namespace stela::fsd

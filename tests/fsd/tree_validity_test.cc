// .valid.npy written whole: before its column, after it, again, wrongly; removed; its times.
#include "tests/fsd/tree_fixture.h"

namespace stela::fsd {
namespace {

using Names = std::vector<std::string>;

std::string truths(const std::vector<uint8_t>& values) { return npy_bytes<uint8_t>("|b1", values); }
std::string doubles(const std::vector<double>& values) { return npy_bytes<double>("<f8", values); }

class TreeValidityTest : public TreeTest {
 protected:
  void SetUp() override {
    TreeTest::SetUp();
    EXPECT_OK(mkdir("/d"));
    processes_->say_creates_exclusively(false);
  }
  std::string text(std::string_view path) {
    auto bytes = cat(path);
    return bytes.ok() ? *bytes : bytes.status().message();
  }
};

TEST_F(TreeValidityTest, WrittenAfterItsColumnItMakesAVersionWithThoseNulls) {
  EXPECT_OK(put("/d/x.npy", doubles({1, 2, 3})));
  EXPECT_OK(put("/d/x.valid.npy", truths({1, 0, 1})));
  EXPECT_EQ((Names{"x.npy", "x.valid.npy"}), *list("/d"));
  EXPECT_EQ("1.0\n\\N\n3.0\n", text("/d/x.txt"));
  EXPECT_EQ(truths({1, 0, 1}), text("/d/x.valid.npy"));
  EXPECT_EQ("1.0\n2.0\n3.0\n", text("/d/.versions/1/x.txt"));
  EXPECT_EQ(2u, latest("/d"));
}

TEST_F(TreeValidityTest, TheSameNullsAgainMakeNoVersion) {
  EXPECT_OK(put("/d/x.npy", doubles({1, 2, 3})));
  EXPECT_OK(put("/d/x.valid.npy", truths({1, 1, 1})));
  EXPECT_EQ(1u, latest("/d"));
  EXPECT_OK(put("/d/x.valid.npy", truths({1, 0, 1})));
  EXPECT_OK(put("/d/x.valid.npy", truths({1, 0, 1})));
  EXPECT_EQ(2u, latest("/d"));
}

TEST_F(TreeValidityTest, ItClearsNullsToo) {
  EXPECT_OK(put("/d/x.npy", npy_bytes<int64_t>("<i8", {7, 8})));
  EXPECT_OK(put("/d/x.valid.npy", truths({0, 0})));
  EXPECT_OK(put("/d/x.valid.npy", truths({1, 0})));
  EXPECT_EQ("0\n\\N\n", text("/d/x.txt"));
}

TEST_F(TreeValidityTest, WrittenBeforeItsColumnItWaitsAsScratch) {
  EXPECT_OK(put("/d/x.valid.npy", truths({1, 0, 1})));
  EXPECT_EQ(Names{}, *list("/d"));
  EXPECT_EQ(0u, latest("/d"));
  EXPECT_EQ(truths({1, 0, 1}), text("/d/x.valid.npy"));
  EXPECT_OK(put("/d/x.npy", doubles({1, 2, 3})));
  EXPECT_EQ((Names{"x.npy", "x.valid.npy"}), *list("/d"));
  EXPECT_EQ("1.0\n\\N\n3.0\n", text("/d/x.txt"));
  EXPECT_EQ(1u, latest("/d"));
  EXPECT_EQ(truths({1, 0, 1}), text("/d/x.valid.npy"));
}

TEST_F(TreeValidityTest, ARenamedTemporaryWaitsAndCommitsAsWell) {
  EXPECT_OK(put("/d/.x.valid.npy.Ab12", truths({0, 1})));
  EXPECT_OK(move("/d/.x.valid.npy.Ab12", "/d/x.valid.npy"));
  EXPECT_EQ(0u, latest("/d"));
  EXPECT_OK(put("/d/.x.npy.Ab12", doubles({1, 2})));
  EXPECT_OK(move("/d/.x.npy.Ab12", "/d/x.npy"));
  EXPECT_EQ("\\N\n2.0\n", text("/d/x.txt"));
  EXPECT_EQ(1u, latest("/d"));
  EXPECT_OK(put("/d/.x.valid.npy.Cd34", truths({1, 0})));
  EXPECT_OK(move("/d/.x.valid.npy.Cd34", "/d/x.valid.npy"));
  EXPECT_EQ("NaN\n\\N\n", text("/d/x.txt"));
}

TEST_F(TreeValidityTest, AColumnCommittedWhileItIsWrittenGetsItsNulls) {
  uint64_t nulls = *open("/d/x.valid.npy", O_WRONLY | O_CREAT | O_EXCL);
  EXPECT_OK(write_at(nulls, 0, truths({1, 0}).substr(0, 50)));
  EXPECT_OK(put("/d/x.npy", doubles({1, 2})));
  EXPECT_OK(write_at(nulls, 50, truths({1, 0}).substr(50)));
  EXPECT_OK(close(nulls));
  EXPECT_EQ("1.0\n\\N\n", text("/d/x.txt"));
}

TEST_F(TreeValidityTest, AnotherLengthIsRefusedWithBothLengths) {
  EXPECT_OK(put("/d/x.npy", doubles({1, 2, 3})));
  EXPECT_CODE(Code::kInvalid, put("/d/x.valid.npy", truths({1, 0})));
  EXPECT_EQ("x.valid.npy: the array has 2 rows and the dataset has 3", error_at("/d/x.valid.npy"));
  EXPECT_EQ(1u, latest("/d"));
  EXPECT_OK(put("/d/y.valid.npy", truths({1, 0})));
  EXPECT_CODE(Code::kInvalid, put("/d/y.npy", doubles({1, 2, 3})));
  EXPECT_NE(std::string::npos, error_at("/d/y.npy").find("y.valid.npy has 2 rows and the column more"));
  EXPECT_OK(unlink("/d/y.valid.npy"));
  EXPECT_OK(put("/d/y.npy", doubles({1, 2, 3})));
}

TEST_F(TreeValidityTest, WhatIsNotABoolArrayIsRefusedAtItsOwnClose) {
  EXPECT_CODE(Code::kInvalid, put("/d/x.valid.npy", doubles({1, 2})));
  EXPECT_NE(std::string::npos, error_at("/d/x.valid.npy").find("bool array"));
  EXPECT_OK(put("/d/x.npy", doubles({1, 2})));
  EXPECT_CODE(Code::kInvalid, put("/d/x.valid.npy", doubles({1, 2})));
  EXPECT_CODE(Code::kInvalid, put("/d/x.valid.npy", truths({1, 2}).substr(0, 129)));
  EXPECT_EQ(1u, latest("/d"));
}

TEST_F(TreeValidityTest, NotATimeStaysNull) {
  EXPECT_OK(put("/d/t.npy", npy_bytes<int64_t>("<M8[us]", {5, INT64_MIN})));
  EXPECT_EQ(truths({1, 0}), text("/d/t.valid.npy"));
  EXPECT_CODE(Code::kInvalid, put("/d/t.valid.npy", truths({1, 1})));
  EXPECT_NE(std::string::npos, error_at("/d/t.valid.npy").find("row 1"));
  EXPECT_OK(put("/d/t.valid.npy", truths({0, 0})));
}

TEST_F(TreeValidityTest, TextHasItsNullsInArrow) {
  EXPECT_OK(put("/d/.append/a.csv", "city\nParis\n"));
  EXPECT_CODE(Code::kUnsupported, put("/d/city.valid.npy", truths({0})));
}

TEST_F(TreeValidityTest, RemovingItDoesNothingButTheRemoverMayMakeItAnew) {
  EXPECT_OK(put("/d/x.npy", doubles({1, 2})));
  EXPECT_OK(put("/d/x.valid.npy", truths({1, 0})));
  EXPECT_OK(unlink("/d/x.valid.npy"));
  EXPECT_CODE(Code::kNotFound, look("/d/x.valid.npy"));  // tar creates it with O_EXCL
  me_.pid = 2;
  EXPECT_OK(look("/d/x.valid.npy"));
  me_.pid = 1;
  EXPECT_EQ((Names{"x.npy", "x.valid.npy"}), *list("/d"));
  EXPECT_OK(put("/d/x.valid.npy", truths({0, 1})));
  EXPECT_EQ("\\N\nNaN\n", text("/d/x.txt"));
  EXPECT_OK(unlink("/d/x.valid.npy"));
  env_->manual_clock().advance_ns(6'000'000'000);
  EXPECT_OK(look("/d/x.valid.npy"));
}

TEST_F(TreeValidityTest, WhoMakesANewFileDoesNotFindTheOneThatWasNeverWritten) {
  EXPECT_OK(put("/d/x.npy", doubles({1, 2})));
  processes_->say_creates_exclusively(std::nullopt);
  EXPECT_CODE(Code::kNotFound, look("/d/x.valid.npy"));  // what the call is cannot be told: whoever wrote x comes next
  me_.pid = 2;
  EXPECT_OK(look("/d/x.valid.npy"));
  processes_->say_creates_exclusively(true);
  EXPECT_CODE(Code::kNotFound, look("/d/x.valid.npy"));
  EXPECT_OK(look("/d/.versions/1/x.valid.npy"));
  me_.pid = 1;
  processes_->say_creates_exclusively(false);
  EXPECT_OK(look("/d/x.valid.npy"));
  EXPECT_OK(put("/d/x.valid.npy", truths({1, 0})));
  processes_->say_creates_exclusively(true);
  EXPECT_OK(look("/d/x.valid.npy"));  // it is there now
}

TEST_F(TreeValidityTest, AModeGivenThroughTheHandleEndsWithItAndIsNoted) {
  uint64_t handle = *open("/d/x.npy", O_WRONLY | O_CREAT);
  SetAttributes set;
  set.mode = 0600;
  EXPECT_OK(tree_->set_attributes(last_node_, handle, set, me_));
  EXPECT_EQ(0600u, tree_->get_attributes(last_node_, handle, me_)->attributes.mode);
  EXPECT_OK(write_at(handle, 0, doubles({1, 2})));
  EXPECT_OK(close(handle));
  EXPECT_EQ(0644u, stat("/d/x.npy")->mode);
  EXPECT_NE(std::string::npos, cat("/.stela/errors.ndjson")->find("the mode 600"));
  EXPECT_CODE(Code::kNotPermitted, chmod("/d/x.npy", 0600));
}

TEST_F(TreeValidityTest, WhoWritesNullsAndThenValuesOverAColumnMeansBoth) {
  EXPECT_OK(put("/d/x.npy", doubles({1, 2})));
  EXPECT_OK(put("/d/x.valid.npy", truths({1, 0})));
  EXPECT_OK(put("/d/x.npy", doubles({3, 4})));
  EXPECT_EQ("3.0\n\\N\n", text("/d/x.txt"));
  EXPECT_OK(put("/d/x.npy", doubles({5, 6})));  // once
  EXPECT_EQ("5.0\n6.0\n", text("/d/x.txt"));
  EXPECT_OK(put("/d/x.valid.npy", truths({1, 0})));
  me_.pid = 2;  // somebody else's replacement is whole
  EXPECT_OK(put("/d/x.npy", doubles({7, 8})));
  EXPECT_EQ("7.0\n8.0\n", text("/d/x.txt"));
  EXPECT_OK(put("/d/x.valid.npy", truths({1, 0})));
  env_->manual_clock().advance_ns(61'000'000'000);
  EXPECT_OK(put("/d/x.npy", doubles({9, 10})));
  EXPECT_EQ("9.0\n10.0\n", text("/d/x.txt"));
}

TEST_F(TreeValidityTest, WhoWritesNullsAndThenMakesTheColumnAnewMeansBoth) {
  EXPECT_OK(put("/d/x.npy", doubles({1, 2})));
  EXPECT_OK(put("/d/x.valid.npy", truths({1, 0})));
  EXPECT_OK(unlink("/d/x.npy"));
  EXPECT_OK(put("/d/x.npy", doubles({3, 4})));
  EXPECT_EQ("3.0\n\\N\n", text("/d/x.txt"));
}

TEST_F(TreeValidityTest, TimesWithoutAValueMayBeWrittenBeforeTheirNulls) {
  EXPECT_OK(put("/d/t.npy", npy_bytes<int64_t>("<M8[us]", {5, INT64_MIN})));
  processes_->say_creates_exclusively(true);
  EXPECT_CODE(Code::kNotFound, look("/d/t.valid.npy"));
  EXPECT_OK(put("/d/t.valid.npy", truths({1, 0})));
  EXPECT_OK(look("/d/t.valid.npy"));
}

TEST_F(TreeValidityTest, ValuesAndNullsHaveTimesOfTheirOwn) {
  EXPECT_OK(put("/d/x.npy", doubles({1, 2})));
  EXPECT_EQ(0, stat("/d/x.valid.npy")->mtime_ns);  // never written
  EXPECT_OK(utime("/d/x.npy", 5'000'000'000));
  EXPECT_EQ(0, stat("/d/x.valid.npy")->mtime_ns);
  EXPECT_OK(put("/d/x.valid.npy", truths({1, 0})));
  EXPECT_OK(utime("/d/x.valid.npy", 7'000'000'000));
  EXPECT_EQ(5'000'000'000, stat("/d/x.npy")->mtime_ns);
  EXPECT_EQ(7'000'000'000, stat("/d/x.valid.npy")->mtime_ns);
  restart();
  processes_->say_creates_exclusively(false);
  EXPECT_EQ(5'000'000'000, stat("/d/x.npy")->mtime_ns);
  EXPECT_EQ(7'000'000'000, stat("/d/x.valid.npy")->mtime_ns);
}

TEST_F(TreeValidityTest, AnAppendMeanwhileWins) {
  EXPECT_OK(put("/d/x.npy", doubles({1, 2})));
  uint64_t nulls = *open("/d/x.valid.npy", O_WRONLY | O_TRUNC);
  EXPECT_OK(write_at(nulls, 0, truths({1, 0})));
  EXPECT_OK(put("/d/.append/more.csv", "x\n3\n"));
  EXPECT_CODE(Code::kConflict, close(nulls));
  EXPECT_EQ("1.0\n2.0\n3.0\n", text("/d/x.txt"));
}

TEST_F(TreeValidityTest, InOrderOfInodeTheNullsComeAfterTheirColumn) {
  for (char c = 'a'; c <= 'z'; ++c) {
    std::string name = std::string("/d/") + c;
    EXPECT_OK(put(name + ".npy", doubles({1, 2})));
    EXPECT_EQ(stat(name + ".npy")->inode + 1, stat(name + ".valid.npy")->inode);
  }
}

TEST_F(TreeValidityTest, VectorsHaveOneTruthARow) {
  std::string header = npy_bytes<float>("<f4", {1, 2, 3, 4, 5, 6});
  header.replace(header.find("(6,), "), 6, "(3, 2)");
  EXPECT_OK(put("/d/v.valid.npy", truths({0, 1, 0})));
  EXPECT_OK(put("/d/v.npy", header));
  EXPECT_EQ("\\N\n[3.0,4.0]\n\\N\n", text("/d/v.txt"));
}

}  // namespace
}  // namespace stela::fsd

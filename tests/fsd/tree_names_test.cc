// Folders, datasets, columns, versions and tags as names.
#include "tests/fsd/tree_fixture.h"

namespace stela::fsd {
namespace {

using Names = std::vector<std::string>;
class TreeNamesTest : public TreeTest {};

TEST_F(TreeNamesTest, AnEmptyRootListsNothingAndHidesControl) {
  EXPECT_EQ(Names{}, *list("/"));
  EXPECT_OK(look("/.stela/version"));
  EXPECT_CODE(Code::kNotFound, look("/nothing"));
}

TEST_F(TreeNamesTest, DirectoriesNestAndBecomeFolders) {
  EXPECT_OK(mkdir("/team"));
  EXPECT_OK(mkdir("/team/trips"));
  EXPECT_EQ(Names{"trips"}, *list("/team"));
  EXPECT_CODE(Code::kExists, mkdir("/team"));
  EXPECT_CODE(Code::kNotEmpty, rmdir("/team"));
  EXPECT_OK(rmdir("/team/trips"));
  EXPECT_OK(rmdir("/team"));
}

TEST_F(TreeNamesTest, ADatasetListsColumnsInListedFormAndNullsAfterTheirColumn) {
  make_trips();
  EXPECT_EQ((Names{"fare.npy", "fare.valid.npy", "city.arrow"}), *list("/trips"));
  EXPECT_EQ(1u, latest("/trips"));
}

TEST_F(TreeNamesTest, SpecialNamesAreListedWhenAskedFor) {
  make_trips();
  options_.list_special = true;
  restart();
  Names names = *list("/trips");
  EXPECT_NE(names.end(), std::find(names.begin(), names.end(), ".versions"));
  EXPECT_NE(names.end(), std::find(names.begin(), names.end(), ".schema.json"));
}

TEST_F(TreeNamesTest, SizesAreExactInEveryForm) {
  make_trips();
  for (const char* path : {"/trips/fare.npy", "/trips/fare.valid.npy", "/trips/fare.arrow", "/trips/fare.csv",
                           "/trips/fare.txt", "/trips/city.arrow", "/trips/city.txt", "/trips/.table.csv",
                           "/trips/.schema.json", "/trips/.stats.json", "/trips/.commit.json"}) {
    auto bytes = cat(path);
    ASSERT_TRUE(bytes.ok()) << path << ": " << bytes.status().message();
    EXPECT_EQ(bytes->size(), stat(path)->size) << path;
  }
  EXPECT_EQ("NYC\nLA\nSF\n", *cat("/trips/city.txt"));
}

TEST_F(TreeNamesTest, TextViewsAreNotSizedByLookup) {
  make_trips();
  EntryReply entry = *look("/trips/city.txt");
  EXPECT_EQ(0, entry.attributes_timeout_ns);
  EXPECT_EQ(0u, entry.attributes.size);
  EXPECT_EQ(10u, stat("/trips/city.txt")->size);
  EXPECT_EQ(10u, look("/trips/city.txt")->attributes.size);
}

TEST_F(TreeNamesTest, VersionsKeepTheirBytesAndTheHeadMoves) {
  make_trips();
  std::string before = *cat("/trips/fare.npy");
  EXPECT_OK(put("/trips/.append/more.csv", "fare,city\n9,X\n"));
  EXPECT_EQ(before, *cat("/trips/.versions/1/fare.npy"));
  EXPECT_EQ(before.size() + 8, cat("/trips/fare.npy")->size());
  EXPECT_EQ((Names{"1", "2", "latest"}), *list("/trips/.versions"));
  EXPECT_EQ("2", *readlink("/trips/.versions/latest"));
}

TEST_F(TreeNamesTest, EntriesInsideAVersionLastForEver) {
  make_trips();
  EXPECT_EQ(INT64_MAX, look("/trips/.versions/1")->entry_timeout_ns);
  EXPECT_EQ(INT64_MAX, look("/trips/.versions/1/fare.npy")->entry_timeout_ns);
  EXPECT_EQ(options_.head_timeout_ns, look("/trips/fare.npy")->entry_timeout_ns);
}

TEST_F(TreeNamesTest, SharedContentIsOneInodeAndOneNode) {
  make_trips();
  EXPECT_OK(put("/trips/tip.npy", npy_bytes<double>("<f8", {1, 2, 3})));
  EntryReply one = *look("/trips/.versions/1/fare.npy");
  EntryReply two = *look("/trips/.versions/2/fare.npy");
  EntryReply head = *look("/trips/fare.npy");
  EXPECT_EQ(one.node, two.node);
  EXPECT_EQ(one.attributes.inode, head.attributes.inode);
  EXPECT_NE(one.node, head.node);
  EXPECT_EQ(0444u, one.attributes.mode);
  EXPECT_EQ(0644u, head.attributes.mode);
}

TEST_F(TreeNamesTest, AMissingVersionSaysWhichIsNewest) {
  make_trips();
  EXPECT_CODE(Code::kNotFound, look("/trips/.versions/99"));
  EXPECT_NE(std::string::npos, error_at("/trips/.versions").find("newest is 1"));
  EXPECT_CODE(Code::kNotFound, look("/trips/.versions/01"));
}

TEST_F(TreeNamesTest, AnEmptyDirectoryHasNoLatest) {
  EXPECT_OK(mkdir("/new"));
  EXPECT_CODE(Code::kNotFound, look("/new/.versions/latest"));
  EXPECT_OK(look("/new/.append"));
}

TEST_F(TreeNamesTest, NothingChangesInsideAVersion) {
  make_trips();
  EXPECT_CODE(Code::kReadOnly, put("/trips/.versions/1/new.npy", "x"));
  EXPECT_CODE(Code::kReadOnly, unlink("/trips/.versions/1/fare.npy"));
  EXPECT_CODE(Code::kReadOnly, mkdir("/trips/.versions/1/d"));
  EXPECT_CODE(Code::kReadOnly, open("/trips/.versions/1/fare.npy", O_WRONLY | O_TRUNC));
  EXPECT_CODE(Code::kReadOnly, look("/trips/.versions/1/.append"));
  EXPECT_CODE(Code::kReadOnly, utime("/trips/.versions/1/fare.npy", 5));
}

TEST_F(TreeNamesTest, TagsAreLinksToVersions) {
  make_trips();
  EXPECT_OK(symlink("../.versions/1", "/trips/.tags/v1"));
  EXPECT_EQ("../.versions/1", *readlink("/trips/.tags/v1"));
  EXPECT_OK(move("/trips/.tags/v1", "/trips/.tags/v2"));
  EXPECT_EQ(Names{"v2"}, *list("/trips/.tags"));
  EXPECT_CODE(Code::kExists, symlink("../.versions/1", "/trips/.tags/v2"));
  EXPECT_OK(unlink("/trips/.tags/v2"));
  EXPECT_EQ(Names{}, *list("/trips/.tags"));
}

TEST_F(TreeNamesTest, ATagElsewhereOrToNoVersionIsInvalid) {
  make_trips();
  EXPECT_CODE(Code::kInvalid, symlink("../.versions/9", "/trips/.tags/a"));
  EXPECT_CODE(Code::kInvalid, symlink("/etc/passwd", "/trips/.tags/b"));
  EXPECT_CODE(Code::kInvalid, symlink("../../x/.versions/1", "/trips/.tags/c"));
  EXPECT_NE(std::string::npos, error_at("/trips/.tags").find("not to ../../x/.versions/1"));
  // The name is free.
  EXPECT_CODE(Code::kNotFound, look("/trips/.tags/a"));
  EXPECT_CODE(Code::kInvalid, put("/trips/.tags/a", "x"));
  EXPECT_OK(symlink("../.versions/1", "/trips/.tags/a"));
  EXPECT_EQ(Names{"a"}, *list("/trips/.tags"));
}

TEST_F(TreeNamesTest, AMomentIsALinkToTheVersionOfThen) {
  make_trips();
  int64_t time_ns = store_->table("/trips")->head()->version().time_ns;
  std::string after = "@" + std::to_string(time_ns / 1'000'000'000 + 1);
  EXPECT_EQ("../.versions/1", *readlink("/trips/.at/" + after));
  EXPECT_CODE(Code::kNotFound, look("/trips/.at/1900-01-01"));
  EXPECT_CODE(Code::kInvalid, look("/trips/.at/yesterday"));
  EXPECT_FALSE(error_at("/trips/.at").empty());
}

TEST_F(TreeNamesTest, AFileOutsideADatasetIsRefusedWithASentence) {
  EXPECT_CODE(Code::kInvalid, put("/day.csv", "a\n1\n"));
  EXPECT_NE(std::string::npos, error_at("/day.csv").find("mkdir"));
  EXPECT_EQ(Names{}, *list("/"));
  EXPECT_CODE(Code::kInvalid, open("/day.csv", O_RDONLY));
  EXPECT_EQ(0600u, stat("/day.csv")->mode);
  EXPECT_EQ(1000u, stat("/day.csv")->uid);
  EXPECT_OK(unlink("/day.csv"));
  EXPECT_CODE(Code::kNotFound, look("/day.csv"));
}

TEST_F(TreeNamesTest, ARefusedNameGoesAfterItsTime) {
  EXPECT_CODE(Code::kInvalid, put("/day.csv", "a\n1\n"));
  env_->manual_clock().advance_ns(options_.error_keep_ns + 1);
  EXPECT_CODE(Code::kNotFound, look("/day.csv"));
}

TEST_F(TreeNamesTest, ADirectoryAmongColumnsIsInvalid) {
  make_trips();
  EXPECT_CODE(Code::kInvalid, mkdir("/trips/sub"));
  EXPECT_CODE(Code::kInvalid, mkdir("/.hidden"));
}

TEST_F(TreeNamesTest, ForeignFilesBesideColumnsNameTheDropBox) {
  make_trips();
  for (const char* name : {"x.csv", "x.tsv", "x.txt", "x.jsonl", "x.npz", "x.parquet"}) {
    EXPECT_CODE(Code::kInvalid, put(std::string("/trips/") + name, "a\n")) << name;
    EXPECT_NE(std::string::npos, error_at(std::string("/trips/") + name).find(".append/")) << name;
  }
  EXPECT_CODE(Code::kInvalid, put("/trips/x.docx", "a\n"));
  EXPECT_EQ(1u, latest("/trips"));
}

TEST_F(TreeNamesTest, WhatIsComingSaysSo) {
  make_trips();
  for (const char* name : {".where", ".by", ".order", ".select", ".limit", ".sample", ".nearest", ".index", ".delete",
                           ".upsert", ".query.csv"}) {
    EXPECT_CODE(Code::kUnsupported, look(std::string("/trips/") + name)) << name;
  }
}

TEST_F(TreeNamesTest, RenameOfAColumnKeepsItsExtension) {
  make_trips();
  EXPECT_OK(move("/trips/fare.npy", "/trips/price.npy"));
  EXPECT_EQ((Names{"price.npy", "price.valid.npy", "city.arrow"}), *list("/trips"));
  EXPECT_CODE(Code::kInvalid, move("/trips/price.npy", "/trips/price.arrow"));
  EXPECT_CODE(Code::kInvalid, move("/trips/price.npy", "/trips/price.npy.tmp"));
  EXPECT_CODE(Code::kNotPermitted, move("/trips/price.csv", "/trips/p.csv"));
  EXPECT_EQ(2u, latest("/trips"));
}

TEST_F(TreeNamesTest, RenameOverAColumnReplacesItUnlessForbidden) {
  make_trips();
  EXPECT_OK(put("/trips/tip.npy", npy_bytes<double>("<f8", {7, 8, 9})));
  EXPECT_CODE(Code::kExists, move("/trips/tip.npy", "/trips/fare.npy", 1));
  EXPECT_CODE(Code::kInvalid, move("/trips/tip.npy", "/trips/fare.npy", 2));
  std::string tip = *cat("/trips/tip.npy");
  EXPECT_OK(move("/trips/tip.npy", "/trips/fare.npy"));
  EXPECT_EQ(tip, *cat("/trips/fare.npy"));
  EXPECT_CODE(Code::kNotFound, look("/trips/tip.npy"));
}

TEST_F(TreeNamesTest, BetweenDatasetsNothingMoves) {
  make_trips();
  EXPECT_OK(mkdir("/other"));
  EXPECT_CODE(Code::kCrossDataset, move("/trips/fare.npy", "/other/fare.npy"));
  EXPECT_OK(mkdir("/team"));
  EXPECT_OK(mkdir("/team/a"));
  EXPECT_CODE(Code::kInvalid, move("/trips/fare.npy", "/team/fare.npy"));
}

TEST_F(TreeNamesTest, DatasetsAndFoldersMove) {
  make_trips();
  EXPECT_OK(mkdir("/team"));
  EXPECT_OK(mkdir("/team/a"));
  EXPECT_OK(move("/trips", "/team/rides"));
  EXPECT_OK(cat("/team/rides/fare.npy"));
  EXPECT_OK(move("/team", "/crew"));
  EXPECT_OK(cat("/crew/rides/fare.npy"));
  EXPECT_CODE(Code::kNotEmpty, move("/crew/a", "/crew/rides"));
}

TEST_F(TreeNamesTest, RecursiveRemovalTakesAllListedNames) {
  make_trips();
  EXPECT_CODE(Code::kNotEmpty, rmdir("/trips"));
  Names names = *list("/trips");
  for (const std::string& name : names) {
    EXPECT_OK(unlink("/trips/" + name)) << name;
  }
  EXPECT_EQ(Names{}, *list("/trips"));
  EXPECT_OK(rmdir("/trips"));
  EXPECT_CODE(Code::kNotFound, look("/trips"));
}

TEST_F(TreeNamesTest, RemovingNullsByThemselvesDoesNothing) {
  make_trips();
  EXPECT_OK(unlink("/trips/fare.valid.npy"));
  EXPECT_EQ(1u, latest("/trips"));
  EXPECT_CODE(Code::kNotPermitted, unlink("/trips/fare.csv"));
  EXPECT_CODE(Code::kNotPermitted, unlink("/trips/.schema.json"));
}

TEST_F(TreeNamesTest, LongNamesAndUnknownNodesAreRefused) {
  EXPECT_CODE(Code::kNameTooLong, mkdir("/" + std::string(300, 'x')));
  EXPECT_CODE(Code::kConflict, tree_->get_attributes(999, 0, me_));
  EXPECT_CODE(Code::kBadHandle, tree_->flush(999, me_));
}

TEST_F(TreeNamesTest, ForgottenNodesGoAndNumbersAreNotUsedAgain) {
  make_trips();
  EntryReply first = *look("/trips/city.arrow");
  tree_->forget(first.node, 1);
  EXPECT_CODE(Code::kConflict, tree_->get_attributes(first.node, 0, me_));
  EXPECT_NE(first.node, look("/trips/city.arrow")->node);
}

TEST_F(TreeNamesTest, DirectoriesListOneStateAndGoOnAfterACookie) {
  make_trips();
  uint64_t handle = *tree_->open_directory(look("/trips")->node, me_);
  EXPECT_OK(unlink("/trips/city.arrow"));
  Names names;
  EXPECT_OK(tree_->read_directory(handle, 1, [&](const DirectoryEntry& entry) {
    names.push_back(entry.name);
    return true;
  }));
  EXPECT_EQ((Names{"fare.valid.npy", "city.arrow"}), names);
  tree_->release_directory(handle);
}

}  // namespace
}  // namespace stela::fsd

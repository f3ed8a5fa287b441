#include <gtest/gtest.h>

#include <algorithm>

#include "fsd/ingest/npz_ingest.h"
#include "fsd/ingest/zip_member.h"
#include "tests/fsd/ingest_fakes.h"
#include "tests/fsd/zip_builder.h"

namespace stela::fsd {
namespace {

std::string take(FakeDataset& dataset, const std::string& bytes, const IngestOptions& options = {}) {
  MemorySource source(bytes);
  auto ingest = start_npz_ingest(source, "x.npz", std::make_unique<FakeRowSink>(dataset), options);
  auto version = ingest->commit(true, {});
  if (!version.ok()) {
    EXPECT_EQ(dataset.versions, 0u);
    return "error: " + version.status().message();
  }
  EXPECT_TRUE(ingest->is_drained());
  return picture(dataset);
}
std::string taken(const std::string& bytes, const IngestOptions& options = {}) {
  FakeDataset dataset;
  return take(dataset, bytes, options);
}

const std::string kA = npy_of<int64_t>("<i8", {1, -2, 3});
const std::string kB = npy_of<double>("<f8", {0.5, 1, -0.0});

TEST(Npz, stored_and_deflated_members_are_columns) {
  for (bool deflate : {false, true}) {
    EXPECT_EQ(taken(ZipBuilder().add("a.npy", kA, deflate).add("b.npy", kB, !deflate).finish()),
              "a:int64 1 -2 3; b:float64 0.5 1 -0");
  }
  EXPECT_EQ(taken(ZipBuilder().add("a.npy", kA, true, [](ZipFacts& facts) { facts.zip64 = true; }).finish()),
            "a:int64 1 -2 3");
  EXPECT_EQ(taken(ZipBuilder().add("a.npy", npy_of<int8_t>("|i1", {})).finish()), "");
}

TEST(Npz, fortran_order_and_vectors) {
  std::string array = npy_of<int16_t>("<i2", {1, 2, 3, 4, 5, 6});
  auto replace = [&](const std::string& from, const std::string& to) {
    array.replace(array.find(from), from.size(), to);
  };
  replace("(6,), } ", "(3, 2)} ");
  replace("False", "True ");
  for (bool deflate : {false, true}) {
    EXPECT_EQ(taken(ZipBuilder().add("v.npy", array, deflate).finish()), "v:int16[2] [1 4] [2 5] [3 6]");
  }
}

TEST(Npz, many_rows_of_members_of_different_width) {
  std::vector<int8_t> narrow;
  std::vector<double> wide;
  for (int i = 0; i < 100'000; ++i) {
    narrow.push_back(static_cast<int8_t>(i * 7));
    wide.push_back(i * 0.5);
  }
  FakeDataset dataset;
  take(dataset,
       ZipBuilder().add("n.npy", npy_of("|i1", narrow), true).add("w.npy", npy_of("<f8", wide), true).finish());
  ASSERT_EQ(dataset.rows(), narrow.size());
  EXPECT_EQ(std::memcmp(dataset.columns[0].view().values, narrow.data(), narrow.size()), 0);
  EXPECT_EQ(std::memcmp(dataset.columns[1].view().values, wide.data(), wide.size() * 8), 0);
}

TEST(Npz, later_files_match_by_name_and_fit_exactly) {
  FakeDataset dataset;
  dataset.fields = {{"b", DataType::of(TypeKind::kFloat64), true}, {"a", DataType::of(TypeKind::kInt8), true}};
  for (const Field& field : dataset.fields) dataset.columns.emplace_back(field.type);
  std::string wide = npy_of<int64_t>("<i8", {1, 2, 300});
  EXPECT_EQ(take(dataset, ZipBuilder().add("a.npy", wide).add("b.npy", kB).finish()),
            "error: x.npz: column 'a': row 2: 300 does not fit int8 exactly");
  EXPECT_EQ(take(dataset, ZipBuilder().add("a.npy", kA).finish()),
            "error: x.npz: the file lacks 'b' of the dataset; missing=null fills them with nulls");
  EXPECT_EQ(take(dataset, ZipBuilder().add("a.npy", kA).add("b.npy", kB).add("c.npy", kB).finish()),
            "error: x.npz: the dataset has no 'c'; extra=ignore leaves them out");
  IngestOptions options;
  options.extra_ignore = options.missing_null = true;
  EXPECT_EQ(take(dataset, ZipBuilder().add("a.npy", kA).add("c.npy", kB).finish(), options),
            "b:float64 null null null; a:int8 1 -2 3");
}

struct Lie {
  const char* name;
  std::string bytes;
  std::string sentence;
};
class NpzRefuses : public testing::TestWithParam<Lie> {};
TEST_P(NpzRefuses, with_a_sentence) { EXPECT_EQ(taken(GetParam().bytes), "error: x.npz: " + GetParam().sentence); }

std::string lie(bool deflate, const std::function<void(ZipFacts&)>& change) {
  return ZipBuilder().add("a.npy", kA, deflate, change).finish();
}
const std::string kContradiction = "the zip file contradicts itself: ";
const std::string kNotDeclared = kContradiction + "the member's contents are not what its directory declares";

INSTANTIATE_TEST_SUITE_P(
    Lies, NpzRefuses,
    testing::Values(
        Lie{"no_zip", "hello world", "this is not a .npz file: it does not begin as a zip file"},
        Lie{"cut", ZipBuilder().add("a.npy", kA).finish().substr(0, 200),
            "the .npz file is incomplete: it has no end record of a zip file (yet)"},
        Lie{"empty", ZipBuilder().finish(), "the .npz file holds no arrays"},
        Lie{"other_member", ZipBuilder().add("readme.txt", "x").finish(),
            "member 'readme.txt' is not an array: its name does not end in .npy"},
        Lie{"no_name", ZipBuilder().add(".npy", kA).finish(),
            "member '.npy': its name before .npy must name a column, in UTF-8"},
        Lie{"two_of_a_name", ZipBuilder().add("a.npy", kA).add("a.npy", kA).finish(), "two members are named 'a.npy'"},
        Lie{"lengths", ZipBuilder().add("a.npy", kA).add("b.npy", npy_of<double>("<f8", {1})).finish(),
            "column 'b': it has 1 rows and 'a' has 3; rows need arrays of one length"},
        Lie{"object", ZipBuilder().add("a.npy", npy_of<int64_t>("|O", {1})).finish(),
            "column 'a': dtype '|O' is not supported: objects are pickled Python, which Stela never runs; save "
            ".astype('U') or a "
            "number type"},
        Lie{"crc_stored", lie(false, [](ZipFacts& facts) { ++facts.crc; }), "column 'a': " + kNotDeclared},
        Lie{"crc_deflated", lie(true, [](ZipFacts& facts) { ++facts.crc; }), "column 'a': " + kNotDeclared},
        Lie{"too_long", lie(true, [](ZipFacts& facts) { facts.bytes -= 8; }),
            "column 'a': the .npy file is incomplete: 144 of 152 bytes"},
        Lie{"too_short", lie(true, [](ZipFacts& facts) { facts.bytes += 8; }),
            "column 'a': after the array come 8 bytes more; one .npy holds one array"},
        Lie{"cut_stream", lie(true, [](ZipFacts& facts) { facts.packed_bytes -= 4; }), "column 'a': " + kNotDeclared},
        Lie{"stored_sizes", lie(false, [](ZipFacts& facts) { facts.bytes += 1; }),
            "member 'a.npy': " + kContradiction + "a stored member has two sizes"},
        Lie{"a_bomb", lie(true, [](ZipFacts& facts) { facts.bytes = 0xfffffff0; }),
            "member 'a.npy': " + kContradiction +
                "a member declares 4294967280 bytes, more than deflate can make of its " +
                std::to_string(deflated(kA).size())},
        Lie{"outside", lie(false, [](ZipFacts& facts) { facts.packed_bytes = facts.bytes = 1 << 30; }),
            "member 'a.npy': " + kContradiction + "a member lies outside of it"},
        Lie{"elsewhere", lie(false, [](ZipFacts& facts) { facts.local_offset = 3; }),
            "member 'a.npy': " + kContradiction + "a member is not where its directory says"},
        Lie{"overlap",
            ZipBuilder()
                .add("a.npy", kA)
                .add("b.npy", kA, false, [](ZipFacts& facts) { facts.local_offset = 0; })
                .finish(),
            kContradiction + "two members overlap"},
        Lie{"encrypted", lie(false, [](ZipFacts& facts) { facts.flags = 1; }), "member 'a.npy': it is encrypted"},
        Lie{"method", lie(false, [](ZipFacts& facts) { facts.method = 12; }),
            "member 'a.npy': its compression (zip method 12) is not supported; stored and deflated are"},
        Lie{"count", ZipBuilder().add("a.npy", kA).finish(9),
            kContradiction + "it declares more members than its directory has room for"}),
    [](const testing::TestParamInfo<Lie>& one) { return one.param.name; });

TEST(Npz, a_file_cut_anywhere_is_refused) {
  std::string bytes = ZipBuilder().add("a.npy", kA, true).add("b.npy", kB).finish();
  for (size_t length = 1; length < bytes.size(); ++length) {
    EXPECT_EQ(taken(bytes.substr(0, length)).rfind("error: x.npz: ", 0), 0u) << length;
  }
}

TEST(Npz, survives_every_changed_byte) {
  std::string bytes = ZipBuilder().add("a.npy", kA, true).add("b.npy", kB).finish();
  std::string whole = taken(bytes);
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ 0x41);
    std::string outcome = taken(changed);
    // Names, times and versions may change unnoticed; a value never does.
    EXPECT_TRUE(outcome.rfind("error: ", 0) == 0 || outcome.find(":int64 1 -2 3") != std::string::npos)
        << at << outcome;
  }
}

TEST(Npz, more_compressed_members_than_memory_are_refused) {
  ZipBuilder zip;
  for (int i = 0; i < 9; ++i) zip.add("c" + std::to_string(i) + ".npy", kA, true);
  IngestOptions options;
  options.memory_bytes = 8 * kInflateBytes;
  EXPECT_EQ(
      taken(zip.finish(), options),
      "error: x.npz: it has more compressed arrays than can be read at once (8); save it uncompressed (numpy.savez)");
}

TEST(ZipMember, reads_in_any_order) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i) + " ";
  for (bool in_order : {true, false}) {
    MemorySource source(ZipBuilder().add("t", text, true).finish());
    auto members = read_zip_directory(source).value();
    auto member = open_zip_member(source, members[0], in_order).value();
    ASSERT_EQ(member->size(), text.size());
    for (size_t at : {size_t{0}, size_t{300'000}, size_t{299'990}, size_t{5}, text.size() - 7, text.size()}) {
      std::string got(std::min<size_t>(100, text.size() - at), '\0');
      ASSERT_TRUE(member->read(at, {reinterpret_cast<std::byte*>(got.data()), got.size()}).ok());
      EXPECT_EQ(got, text.substr(at, 100)) << at;
    }
    EXPECT_TRUE(member->verify().ok());
  }
}

}  // namespace
}  // namespace stela::fsd

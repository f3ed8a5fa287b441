#include <gtest/gtest.h>

#include <map>
#include <random>

#include "engine/format/entry_tree.h"

namespace stela::format {
namespace {

constexpr SealScope kScope{1, 2, 3};
constexpr TreeName kName{SealKind::kPageTree, 9};

class StringNodes final : public NodeSink, public NodeSource {
 public:
  Result<uint64_t> append(ByteSpan added) override {
    uint64_t offset = bytes.size();
    bytes += as_text(added);
    return offset;
  }
  const SealScope& scope() const override { return kScope; }
  Result<std::shared_ptr<const Buffer>> node(uint64_t offset, uint32_t length, const SealPlace& place) const override {
    ++reads;
    if (length < 4 || offset + length > bytes.size()) return damaged("outside");
    auto block = std::make_shared<Buffer>(as_bytes(std::string_view(bytes).substr(offset, length)));
    if (!seal_matches(get_fixed<uint32_t>(block->data() + length - 4), kScope, place, block->span(0, length - 4))) {
      return damaged("seal");
    }
    return std::shared_ptr<const Buffer>(std::move(block));
  }
  std::string bytes;
  mutable int reads = 0;
};

// Entries are "key length, key"; keys have gaps.
std::string entry_of(uint64_t key, bool variable) {
  return (variable ? std::string(key % 13, 'x') : std::string(8, 'y')) + std::to_string(key) + ";";
}

struct Built {
  StringNodes nodes;
  EntryTree tree;
  std::vector<uint64_t> keys;
};

void build(Built& built, size_t count, uint32_t node_bytes, bool variable) {
  std::mt19937_64 random(count);
  EntryTreeWriter writer(kName.kind, kName.column, node_bytes);
  uint64_t key = 0;
  for (size_t i = 0; i < count; ++i) {
    ASSERT_TRUE(writer.add(key, entry_of(key, variable), built.nodes).ok());
    built.keys.push_back(key);
    key += 1 + random() % 5;
  }
  auto tree = writer.finish(built.nodes);
  ASSERT_TRUE(tree.ok());
  std::string encoded;
  tree->encode(encoded);
  Decoder in{std::string_view(encoded)};
  ASSERT_TRUE(EntryTree::decode(in, &built.tree));
  ASSERT_TRUE(in.at_end());
  ASSERT_EQ(built.tree.entries, count);
}

std::string expected_between(const Built& built, uint64_t from, uint32_t count, bool variable) {
  auto at = std::lower_bound(built.keys.begin(), built.keys.end(), from);
  std::string text;
  for (uint32_t i = 0; i < count && at != built.keys.end(); ++i, ++at) text += entry_of(*at, variable);
  return text;
}

TEST(EntryTree, FindsTheLeafOfEveryKey) {
  for (size_t count : {0u, 1u, 2u, 10u, 60u, 500u, 5000u}) {
    for (bool variable : {false, true}) {
      Built built;
      build(built, count, 100, variable);
      for (uint64_t key : built.keys) {
        built.nodes.reads = 0;
        auto leaf = find_leaf(built.tree, kName, key, built.nodes);
        ASSERT_TRUE(leaf.ok()) << leaf.status().message();
        EXPECT_EQ(built.nodes.reads, built.tree.levels);
        ASSERT_GT(leaf->count, 0u);
        ASSERT_LE(leaf->first_key, key);
        ASSERT_EQ(leaf->payload, expected_between(built, leaf->first_key, leaf->count, variable));
        std::string wanted = entry_of(key, variable);
        ASSERT_NE((";" + std::string(leaf->payload)).find(wanted), std::string::npos);
      }
    }
  }
}

TEST(EntryTree, WalkerVisitsAllEntriesInOrder) {
  for (size_t count : {0u, 1u, 60u, 5000u}) {
    Built built;
    build(built, count, 100, true);
    LeafWalker walker(built.tree, kName, built.nodes);
    std::string seen;
    uint64_t entries = 0;
    for (;;) {
      TreeLeaf leaf;
      auto more = walker.next(&leaf);
      ASSERT_TRUE(more.ok());
      if (!*more) break;
      seen += leaf.payload;
      entries += leaf.count;
    }
    EXPECT_EQ(entries, count);
    EXPECT_EQ(seen, expected_between(built, 0, static_cast<uint32_t>(count), true));
  }
}

TEST(EntryTree, WalkerGoesOnBehindADamagedNode) {
  Built built;
  build(built, 2000, 100, false);
  built.nodes.bytes[built.nodes.bytes.size() / 2] ^= 1;
  LeafWalker walker(built.tree, kName, built.nodes);
  uint64_t entries = 0, failures = 0;
  for (;;) {
    TreeLeaf leaf;
    auto more = walker.next(&leaf);
    if (!more.ok()) {
      EXPECT_EQ(more.status().code(), Code::kDamaged);
      EXPECT_GT(walker.failed_key(), 0u);
      ++failures;
      continue;
    }
    if (!*more) break;
    entries += leaf.count;
  }
  EXPECT_EQ(failures, 1u);
  EXPECT_GT(entries, 1800u);
  EXPECT_LT(entries, 2000u);
}

TEST(EntryTree, MemoryOfTheWriterIsANodeALevel) {
  Built built;
  build(built, 20000, 512, false);
  EXPECT_LE(built.tree.root.size(), 512u + kTreeIndexEntryBytes);
  EXPECT_LE(built.tree.levels, 3);
}

TEST(Seal, DependsOnEveryPartOfThePlace) {
  SealPlace place{SealKind::kPageFront, 1, 2, 3};
  uint32_t seal_of = seal({1, 2, 3}, place, as_bytes("abc"));
  EXPECT_TRUE(seal_matches(seal_of, {1, 2, 3}, place, as_bytes("abc")));
  EXPECT_FALSE(seal_matches(seal_of, {2, 2, 3}, place, as_bytes("abc")));
  EXPECT_FALSE(seal_matches(seal_of, {1, 3, 3}, place, as_bytes("abc")));
  EXPECT_FALSE(seal_matches(seal_of, {1, 2, 4}, place, as_bytes("abc")));
  EXPECT_FALSE(seal_matches(seal_of, {1, 2, 3}, {SealKind::kPageValues, 1, 2, 3}, as_bytes("abc")));
  EXPECT_FALSE(seal_matches(seal_of, {1, 2, 3}, {SealKind::kPageFront, 2, 2, 3}, as_bytes("abc")));
  EXPECT_FALSE(seal_matches(seal_of, {1, 2, 3}, {SealKind::kPageFront, 1, 3, 3}, as_bytes("abc")));
  EXPECT_FALSE(seal_matches(seal_of, {1, 2, 3}, {SealKind::kPageFront, 1, 2, 4}, as_bytes("abc")));
  EXPECT_FALSE(seal_matches(seal_of, {1, 2, 3}, place, as_bytes("abd")));
  EXPECT_EQ(crc32c("c", crc32c("ab", seal_seed({1, 2, 3}, place))), seal_of);
}

}  // namespace
}  // namespace stela::format

// EntryTree: a static search tree of small entries under ascending keys, written in one pass in bounded
// memory, read one node at a time. It holds everything of a section whose number grows with columns, rows
// or pages, so that opening a column costs the same whatever their number. Layout: fragment_format.md.
//
// A node is at most the node size plus one entry. The root is kept by the owner (column metadata, trailer);
// the others lie in the section, each with its own seal.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/coding.h"
#include "engine/base/status.h"
#include "engine/format/seal.h"

namespace stela::format {

struct EntryTree {
  uint8_t levels = 0;       // of index nodes above the leaves; 0: the root is the only leaf
  uint64_t entries = 0;     // in all leaves
  uint32_t root_count = 0;  // entries of the root
  std::string root;

  bool empty() const { return entries == 0; }
  void encode(std::string& out) const;
  static bool decode(Decoder& in, EntryTree* out);
};
inline constexpr uint32_t kTreeLevelsMax = 8;
inline constexpr uint32_t kTreeNodeBytesMax = 4092;  // and its seal
inline constexpr uint32_t kTreeIndexEntryBytes = 24;

// Where nodes go; the section writer.
class NodeSink {
 public:
  virtual ~NodeSink() = default;
  // Appends bytes and gives their offset within the section.
  virtual Result<uint64_t> append(ByteSpan bytes) = 0;
  virtual const SealScope& scope() const = 0;
};

// Not thread-safe. Memory: one node a level.
class EntryTreeWriter {
 public:
  EntryTreeWriter(SealKind kind, uint64_t column, uint32_t node_bytes)
      : kind_(kind), column_(column), node_bytes_(node_bytes) {}
  // Keys ascend.
  Status add(uint64_t key, std::string_view entry, NodeSink& sink);
  Result<EntryTree> finish(NodeSink& sink);
  uint64_t entries() const { return entries_; }

 private:
  struct Level {
    std::string payload;
    uint32_t count = 0;
    uint64_t first_key = 0;
  };
  Result<std::string> emit(size_t level, NodeSink& sink);
  Status add_from(size_t level, uint64_t key, std::string_view entry, NodeSink& sink);
  SealKind kind_;
  uint64_t column_;
  uint32_t node_bytes_;
  uint64_t entries_ = 0;
  std::vector<Level> levels_;
};

// Where nodes come from; the section reader.
class NodeSource {
 public:
  virtual ~NodeSource() = default;
  // The node's bytes with the seal checked and left at their end. kDamaged.
  virtual Result<std::shared_ptr<const Buffer>> node(uint64_t offset, uint32_t bytes, const SealPlace& place) const = 0;
};

struct TreeLeaf {
  std::shared_ptr<const Buffer> holder;  // null for a root
  std::string_view payload;
  uint32_t count = 0;
  uint64_t first_key = 0;
};

struct TreeName {
  SealKind kind = SealKind::kPageTree;
  uint64_t column = 0;
};

// The leaf that may hold `key`: the last whose first key is not above it. The tree must outlive the leaf.
// Reads `levels` nodes.
Result<TreeLeaf> find_leaf(const EntryTree& tree, TreeName name, uint64_t key, const NodeSource& source);

// Visits all leaves in order.
class LeafWalker {
 public:
  LeafWalker(const EntryTree& tree, TreeName name, const NodeSource& source);
  // False at the end. After an error the next call goes on behind the node that could not be read, whose
  // keys began at failed_key().
  Result<bool> next(TreeLeaf* leaf);
  uint64_t failed_key() const { return failed_key_; }

 private:
  struct Step {
    TreeLeaf node;
    uint32_t next = 0;
    uint8_t level = 0;
  };
  TreeName name_;
  const NodeSource& source_;
  std::vector<Step> steps_;
  uint64_t failed_key_ = 0;
  uint64_t left_;  // entries that may still come
};

}  // namespace stela::format

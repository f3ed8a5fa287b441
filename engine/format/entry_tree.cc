#include "engine/format/entry_tree.h"

namespace stela::format {
namespace {

struct IndexEntry {
  uint64_t key = 0;
  uint64_t offset = 0;
  uint32_t bytes = 0;  // with the seal
  uint32_t count = 0;
};

IndexEntry index_entry(std::string_view payload, uint32_t index) {
  const char* at = payload.data() + size_t{index} * kTreeIndexEntryBytes;
  return {get_fixed<uint64_t>(at), get_fixed<uint64_t>(at + 8), get_fixed<uint32_t>(at + 16),
          get_fixed<uint32_t>(at + 20)};
}

Status check_index_node(const TreeLeaf& node) {
  if (node.count == 0 || node.payload.size() != size_t{node.count} * kTreeIndexEntryBytes) {
    return damaged("an index node does not have the size of its entries");
  }
  return {};
}

// The last entry whose key is not above `key`, or the first.
uint32_t child_of(const TreeLeaf& node, uint64_t key) {
  uint32_t low = 0, high = node.count;
  while (high - low > 1) {
    uint32_t middle = low + (high - low) / 2;
    (index_entry(node.payload, middle).key <= key ? low : high) = middle;
  }
  return low;
}

Result<TreeLeaf> load_child(const TreeLeaf& node, uint32_t index, uint8_t level, TreeName name,
                            const NodeSource& source) {
  IndexEntry entry = index_entry(node.payload, index);
  if (entry.bytes <= sizeof(uint32_t)) return damaged("an index node names a node of no bytes");
  STELA_ASSIGN(auto bytes, source.node(entry.offset, entry.bytes, {name.kind, name.column, level, entry.key}));
  TreeLeaf child;
  child.payload = as_text(bytes->span(0, entry.bytes - sizeof(uint32_t)));
  child.holder = std::move(bytes);
  child.count = entry.count;
  child.first_key = entry.key;
  return child;
}

TreeLeaf root_of(const EntryTree& tree) { return {nullptr, tree.root, tree.root_count, 0}; }

}  // namespace

void EntryTree::encode(std::string& out) const {
  put_fixed(out, levels);
  put_varint(out, entries);
  put_varint(out, root_count);
  put_text(out, root);
}

bool EntryTree::decode(Decoder& in, EntryTree* out) {
  EntryTree tree;
  uint64_t count = 0;
  if (!in.fixed(&tree.levels) || tree.levels > kTreeLevelsMax || !in.varint(&tree.entries)) return false;
  if (!in.varint_upto(UINT32_MAX, &count) || count > tree.entries || !in.text(&tree.root)) return false;
  if ((count == 0) != (tree.entries == 0) || (tree.levels == 0 && count != tree.entries)) return false;
  tree.root_count = static_cast<uint32_t>(count);
  *out = std::move(tree);
  return true;
}

Status EntryTreeWriter::add(uint64_t key, std::string_view entry, NodeSink& sink) {
  ++entries_;
  return add_from(0, key, entry, sink);
}

// Adds to `level`; a full node goes out first, and its index entry to the level above, and so on upwards.
Status EntryTreeWriter::add_from(size_t level, uint64_t key, std::string_view entry, NodeSink& sink) {
  std::string carried(entry);
  for (;; ++level) {
    if (level == levels_.size()) levels_.emplace_back();
    bool full = levels_[level].count > 0 && levels_[level].payload.size() + carried.size() > node_bytes_;
    uint64_t emitted_key = levels_[level].first_key;
    std::string index;
    if (full) {
      STELA_ASSIGN(index, emit(level, sink));
    }
    Level& at = levels_[level];
    if (at.count == 0) at.first_key = key;
    at.payload += carried;
    ++at.count;
    if (!full) return {};
    carried = std::move(index);
    key = emitted_key;
  }
}

// Writes the node of `level`, empties it and returns its index entry.
Result<std::string> EntryTreeWriter::emit(size_t level, NodeSink& sink) {
  Level& node = levels_[level];
  SealPlace place{kind_, column_, level, node.first_key};
  std::string bytes = std::move(node.payload);
  put_fixed(bytes, seal(sink.scope(), place, as_bytes(bytes)));
  STELA_ASSIGN(uint64_t offset, sink.append(as_bytes(bytes)));
  std::string index;
  put_fixed(index, node.first_key);
  put_fixed(index, offset);
  put_fixed(index, static_cast<uint32_t>(bytes.size()));
  put_fixed(index, node.count);
  node.payload.clear();
  node.count = 0;
  return index;
}

Result<EntryTree> EntryTreeWriter::finish(NodeSink& sink) {
  EntryTree tree;
  tree.entries = entries_;
  if (levels_.empty()) return tree;
  for (size_t level = 0; level + 1 < levels_.size(); ++level) {
    uint64_t key = levels_[level].first_key;
    STELA_ASSIGN(std::string index, emit(level, sink));
    STELA_TRY(add_from(level + 1, key, index, sink));
  }
  if (levels_.size() - 1 > kTreeLevelsMax) return Status(Code::kLimit, "too many entries for one column of a file");
  tree.levels = static_cast<uint8_t>(levels_.size() - 1);
  tree.root_count = levels_.back().count;
  tree.root = std::move(levels_.back().payload);
  levels_.clear();
  entries_ = 0;
  return tree;
}

Result<TreeLeaf> find_leaf(const EntryTree& tree, TreeName name, uint64_t key, const NodeSource& source) {
  TreeLeaf node = root_of(tree);
  for (uint8_t level = tree.levels; level > 0; --level) {
    STELA_TRY(check_index_node(node));
    STELA_ASSIGN(node, load_child(node, child_of(node, key), static_cast<uint8_t>(level - 1), name, source));
  }
  return node;
}

LeafWalker::LeafWalker(const EntryTree& tree, TreeName name, const NodeSource& source)
    : name_(name), source_(source), left_(tree.entries) {
  if (!tree.empty()) steps_.push_back({root_of(tree), 0, tree.levels});
}

Result<bool> LeafWalker::next(TreeLeaf* leaf) {
  while (!steps_.empty()) {
    Step& top = steps_.back();
    if (top.level == 0) {
      *leaf = std::move(top.node);
      steps_.pop_back();
      if (leaf->count == 0 || leaf->count > left_) return damaged("a tree holds more entries than it says");
      left_ -= leaf->count;
      return true;
    }
    failed_key_ = top.node.first_key;
    Status status = check_index_node(top.node);
    if (!status.ok() || top.next == top.node.count) {
      steps_.pop_back();
      if (!status.ok()) return status;
      continue;
    }
    uint32_t index = top.next++;
    failed_key_ = index_entry(top.node.payload, index).key;
    auto level = static_cast<uint8_t>(top.level - 1);
    STELA_ASSIGN(TreeLeaf child, load_child(top.node, index, level, name_, source_));
    steps_.push_back({std::move(child), 0, level});
  }
  return false;
}

}  // namespace stela::format

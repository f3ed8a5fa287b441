// NodeTable: numbers the kernel knows nodes by, counted by lookups as the FUSE protocol does.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "fsd/tree/node.h"

namespace stela::fsd {

// Thread-safe. Numbers are never used twice in the life of a table. O(1) but where noted.
class NodeTable {
 public:
  explicit NodeTable(NodeRef root);
  // One lookup more. A node whose key is known already is dropped in favour of the known one, which is
  // put into *node.
  uint64_t add(NodeRef* node);
  // Null when the number is not known (any more).
  NodeRef find(uint64_t number) const;
  void forget(uint64_t number, uint64_t lookups);
  // The next lookup of its key makes a new node; this one lives on under its number.
  void retire(const Node& node);
  // `key`: with its context's scope before it. 0 when it is not known.
  uint64_t number_of(const std::string& key) const;
  // Numbers of all nodes of that owner. O(nodes).
  std::vector<uint64_t> of_owner(NodeId owner) const;
  size_t size() const;

 private:
  struct Slot {
    NodeRef node;
    uint64_t lookups = 0;
  };
  mutable std::mutex mutex_;
  std::unordered_map<uint64_t, Slot> slots_;
  std::unordered_map<std::string, uint64_t> keys_;
  std::unordered_map<const Node*, uint64_t> private_;
  uint64_t next_ = Tree::kRoot + 1;
};

}  // namespace stela::fsd

#include "fsd/tree/node_table.h"

#include "fsd/tree/context.h"

namespace stela::fsd {

namespace {
std::string full_key(const Node& node) {
  return node.key().empty() ? std::string() : node.context().scope + node.key();
}
}  // namespace

NodeTable::NodeTable(NodeRef root) {
  keys_[full_key(*root)] = Tree::kRoot;
  slots_[Tree::kRoot] = Slot{std::move(root), 1};
}

uint64_t NodeTable::add(NodeRef* node) {
  std::lock_guard lock(mutex_);
  const std::string key = full_key(**node);
  if (!key.empty()) {
    auto found = keys_.find(key);
    if (found != keys_.end()) {
      Slot& slot = slots_[found->second];
      slot.lookups++;
      *node = slot.node;
      return found->second;
    }
  }
  // A private node may be looked up again through the table that keeps it (side files).
  if (key.empty()) {
    auto found = private_.find(node->get());
    if (found != private_.end()) {
      slots_[found->second].lookups++;
      return found->second;
    }
  }
  uint64_t number = next_++;
  if (key.empty()) {
    private_[node->get()] = number;
  } else {
    keys_[key] = number;
  }
  slots_[number] = Slot{*node, 1};
  return number;
}

NodeRef NodeTable::find(uint64_t number) const {
  std::lock_guard lock(mutex_);
  auto found = slots_.find(number);
  return found == slots_.end() ? nullptr : found->second.node;
}

void NodeTable::forget(uint64_t number, uint64_t lookups) {
  if (number == Tree::kRoot) return;
  NodeRef last;  // destroyed after the lock is gone
  std::lock_guard lock(mutex_);
  auto found = slots_.find(number);
  if (found == slots_.end()) return;
  Slot& slot = found->second;
  slot.lookups -= lookups < slot.lookups ? lookups : slot.lookups;
  if (slot.lookups > 0) return;
  last = slot.node;
  private_.erase(last.get());
  auto key = keys_.find(full_key(*last));
  if (key != keys_.end() && key->second == number) keys_.erase(key);
  slots_.erase(found);
}

void NodeTable::retire(const Node& node) {
  std::lock_guard lock(mutex_);
  auto key = keys_.find(full_key(node));
  if (key != keys_.end() && slots_.at(key->second).node.get() == &node) keys_.erase(key);
}

uint64_t NodeTable::number_of(const std::string& key) const {
  std::lock_guard lock(mutex_);
  auto found = keys_.find(key);
  return found == keys_.end() ? 0 : found->second;
}

std::vector<uint64_t> NodeTable::of_owner(NodeId owner) const {
  std::vector<uint64_t> numbers;
  std::lock_guard lock(mutex_);
  for (const auto& [number, slot] : slots_) {
    if (slot.node->owner() == owner) numbers.push_back(number);
  }
  return numbers;
}

size_t NodeTable::size() const {
  std::lock_guard lock(mutex_);
  return slots_.size();
}

}  // namespace stela::fsd

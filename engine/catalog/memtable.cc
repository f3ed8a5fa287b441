#include <atomic>
#include <cstring>

#include "engine/catalog/catalog.h"
#include "engine/catalog/entry_order.h"

namespace stela::catalog {
namespace {

constexpr int kHeightMax = 12;  // 4^12 entries before searches slow down
constexpr size_t kArenaBlockFirst = 4096;
constexpr size_t kArenaBlockMax = size_t{1} << 20;

// Memory that is given back all at once; blocks never move, so readers may keep pointers.
class Arena {
 public:
  char* allocate(size_t bytes) {
    bytes = (bytes + 7) & ~size_t{7};
    if (bytes > left_) {
      if (bytes > block_bytes_ / 4) return add_block(bytes);
      at_ = add_block(block_bytes_);
      left_ = block_bytes_;
      if (block_bytes_ < kArenaBlockMax) block_bytes_ *= 2;
    }
    char* result = at_;
    at_ += bytes;
    left_ -= bytes;
    return result;
  }
  uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  char* add_block(size_t bytes) {
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(bytes));
    bytes_.fetch_add(bytes, std::memory_order_relaxed);
    return blocks_.back().get();
  }
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::atomic<uint64_t> bytes_{0};
  size_t block_bytes_ = kArenaBlockFirst;
  char* at_ = nullptr;
  size_t left_ = 0;
};

// Header, then `height` links, then the key's and the value's bytes. All but the links is written before
// the node is linked (release) and never again.
struct Node {
  Sequence birth;
  Sequence install;
  uint32_t key_bytes;
  uint32_t height;
  uint64_t value_bytes;
  bool erased;

  std::atomic<Node*>* links() { return reinterpret_cast<std::atomic<Node*>*>(this + 1); }
  const std::atomic<Node*>* links() const { return reinterpret_cast<const std::atomic<Node*>*>(this + 1); }
  Node* next(int level) const { return links()[level].load(std::memory_order_acquire); }
  char* text() { return reinterpret_cast<char*>(links() + height); }
  const char* text() const { return reinterpret_cast<const char*>(links() + height); }
  std::string_view key() const { return {text(), key_bytes}; }
  std::string_view value() const { return {text() + key_bytes, value_bytes}; }
  Position position() const { return {key(), birth, install}; }
};
static_assert(std::atomic<Node*>::is_always_lock_free && sizeof(std::atomic<Node*>) == sizeof(Node*));

}  // namespace

struct MemTable::Impl {
  Impl() : head(make_node({}, kHeightMax)) {}

  Node* make_node(const Entry& entry, int height) {
    const size_t links = static_cast<size_t>(height) * sizeof(Node*);
    char* memory = arena.allocate(sizeof(Node) + links + entry.key.size() + entry.value.size());
    Node* node = new (memory)
        Node{entry.birth,        entry.install, static_cast<uint32_t>(entry.key.size()), static_cast<uint32_t>(height),
             entry.value.size(), entry.erased};
    for (int level = 0; level < height; ++level) new (node->links() + level) std::atomic<Node*>(nullptr);
    if (!entry.key.empty()) std::memcpy(node->text(), entry.key.data(), entry.key.size());
    if (!entry.value.empty()) std::memcpy(node->text() + entry.key.size(), entry.value.data(), entry.value.size());
    return node;
  }

  // The first node at or after `target`; `before`, if given, gets the last node before it on each level.
  Node* seek(const Position& target, Node** before = nullptr) const {
    Node* at = head;
    const Node* known_after = nullptr;  // compared on a level above; saves touching its memory again
    for (int level = levels.load(std::memory_order_relaxed) - 1;;) {
      Node* next = at->next(level);
      if (next != nullptr && next != known_after && compare(next->position(), target) < 0) {
        at = next;
        continue;
      }
      known_after = next;
      if (before != nullptr) before[level] = at;
      if (level == 0) return next;
      --level;
    }
  }

  int random_height() {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    int result = 1;
    for (uint64_t bits = random; result < kHeightMax && (bits & 3) == 0; bits >>= 2) ++result;
    return result;
  }

  Arena arena;
  Node* head;
  std::atomic<int> levels{1};  // in use; the head has all of them
  std::atomic<uint64_t> entries{0};
  uint64_t random = 0x9e3779b97f4a7c15;
};

namespace {

template <typename Impl>
class MemTableIterator final : public EntryIterator {
 public:
  explicit MemTableIterator(const Impl* table) : table_(table) {}
  void seek(std::string_view key) override { at_ = table_->seek({key}); }
  void seek_to(std::string_view key, Sequence birth, Sequence install) override {
    at_ = table_->seek({key, birth, install});
  }
  bool valid() const override { return at_ != nullptr; }
  void next() override { at_ = at_->next(0); }
  std::string_view key() const override { return at_->key(); }
  Sequence birth() const override { return at_->birth; }
  Sequence install() const override { return at_->install; }
  bool erased() const override { return at_->erased; }
  std::string_view value() const override { return at_->value(); }
  Status status() const override { return {}; }

 private:
  const Impl* table_;
  const Node* at_ = nullptr;
};

}  // namespace

MemTable::MemTable() : impl_(std::make_unique<Impl>()) {}
MemTable::~MemTable() = default;

void MemTable::insert(const Entry& entry) {
  const Position position{entry.key, entry.birth, entry.install};
  Node* before[kHeightMax];
  const Node* found = impl_->seek(position, before);
  if (found != nullptr && compare(found->position(), position) == 0) return;
  const int height = impl_->random_height();
  Node* node = impl_->make_node(entry, height);  // may throw: nothing is linked yet
  const int old_levels = impl_->levels.load(std::memory_order_relaxed);
  for (int level = old_levels; level < height; ++level) before[level] = impl_->head;
  // A reader that sees the new height before the links finds null there and goes one level down.
  if (height > old_levels) impl_->levels.store(height, std::memory_order_relaxed);
  for (int level = 0; level < height; ++level) {
    node->links()[level].store(before[level]->next(level), std::memory_order_relaxed);
    before[level]->links()[level].store(node, std::memory_order_release);
  }
  impl_->entries.fetch_add(1, std::memory_order_relaxed);
}

std::unique_ptr<EntryIterator> MemTable::iterator() const {
  return std::make_unique<MemTableIterator<Impl>>(impl_.get());
}

bool MemTable::find(std::string_view key, Stamp stamp, FoundEntry* out) const {
  const Node* node = impl_->seek({key, stamp.s, kSequenceMax});
  while (node != nullptr && node->key() == key) {
    if (node->install <= stamp.q) {
      *out = {node->birth, node->install, node->erased, node->value(), nullptr};
      return true;
    }
    node = impl_->seek({key, node->birth, stamp.q});
  }
  return false;
}

uint64_t MemTable::memory_bytes() const { return impl_->arena.bytes(); }
uint64_t MemTable::entries() const { return impl_->entries.load(std::memory_order_relaxed); }

}  // namespace stela::catalog

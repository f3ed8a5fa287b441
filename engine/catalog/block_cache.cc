#include <algorithm>
#include <bit>
#include <list>
#include <mutex>
#include <unordered_map>

#include "engine/catalog/catalog.h"

namespace stela::catalog {
namespace {

constexpr uint64_t kShardBytesMin = uint64_t{16} << 20;
constexpr size_t kShardsMax = 16;
constexpr uint64_t kBlockOverheadBytes = 128;  // list node, table slot, control block

struct BlockKey {
  uint64_t file;
  uint64_t offset;
  bool operator==(const BlockKey&) const = default;
};
struct BlockKeyHash {
  size_t operator()(const BlockKey& key) const {
    uint64_t mixed = (key.file * 0x9e3779b97f4a7c15) ^ (key.offset + 0x7f4a7c159e3779b9);
    mixed = (mixed ^ (mixed >> 32)) * 0xd6e8feb86659fd93;
    return mixed ^ (mixed >> 32);
  }
};

struct CachedBlock {
  BlockKey key;
  std::shared_ptr<const Buffer> data;
  uint64_t charge() const { return data->size() + kBlockOverheadBytes; }
};
using BlockList = std::list<CachedBlock>;

// One lock, one LRU list; the front was used last.
struct Shard {
  std::mutex mutex;
  BlockList blocks;
  std::unordered_map<BlockKey, BlockList::iterator, BlockKeyHash> table;
  uint64_t bytes = 0;
  uint64_t hits = 0;
  uint64_t misses = 0;
  uint64_t evictions = 0;

  // Moves a block to `dropped`, whose memory is freed after the lock is.
  void drop(BlockList::iterator block, BlockList& dropped) {
    bytes -= block->charge();
    table.erase(block->key);
    dropped.splice(dropped.begin(), blocks, block);
  }
};

}  // namespace

struct BlockCache::Impl {
  explicit Impl(uint64_t capacity)
      : shards(std::bit_floor(std::clamp<uint64_t>(capacity / kShardBytesMin, 1, kShardsMax))),
        shard_bytes(capacity / shards.size()) {}
  Shard& shard(const BlockKey& key) { return shards[(BlockKeyHash{}(key) >> 48) & (shards.size() - 1)]; }

  std::vector<Shard> shards;
  const uint64_t shard_bytes;
};

BlockCache::BlockCache(uint64_t capacity_bytes) : impl_(std::make_unique<Impl>(capacity_bytes)) {}
BlockCache::~BlockCache() = default;

std::shared_ptr<const Buffer> BlockCache::find(uint64_t file, uint64_t offset) {
  const BlockKey key{file, offset};
  Shard& shard = impl_->shard(key);
  std::lock_guard lock(shard.mutex);
  auto found = shard.table.find(key);
  if (found == shard.table.end()) {
    ++shard.misses;
    return nullptr;
  }
  ++shard.hits;
  shard.blocks.splice(shard.blocks.begin(), shard.blocks, found->second);
  return found->second->data;
}

void BlockCache::insert(uint64_t file, uint64_t offset, std::shared_ptr<const Buffer> block) {
  if (block == nullptr) return;
  BlockList fresh;
  fresh.push_back({{file, offset}, std::move(block)});
  if (fresh.front().charge() > impl_->shard_bytes) return;
  BlockList dropped;
  Shard& shard = impl_->shard(fresh.front().key);
  std::lock_guard lock(shard.mutex);
  if (auto found = shard.table.find(fresh.front().key); found != shard.table.end()) {
    shard.drop(found->second, dropped);
  }
  shard.table.emplace(fresh.front().key, fresh.begin());
  shard.bytes += fresh.front().charge();
  shard.blocks.splice(shard.blocks.begin(), fresh);
  while (shard.bytes > impl_->shard_bytes) {
    shard.drop(std::prev(shard.blocks.end()), dropped);
    ++shard.evictions;
  }
}

void BlockCache::erase_file(uint64_t file) {
  for (Shard& shard : impl_->shards) {
    BlockList dropped;
    std::lock_guard lock(shard.mutex);
    for (auto block = shard.blocks.begin(); block != shard.blocks.end();) {
      auto next = std::next(block);
      if (block->key.file == file) shard.drop(block, dropped);
      block = next;
    }
  }
}

BlockCache::Counters BlockCache::counters() const {
  Counters sum;
  for (Shard& shard : impl_->shards) {
    std::lock_guard lock(shard.mutex);
    sum.hits += shard.hits;
    sum.misses += shard.misses;
    sum.bytes += shard.bytes;
    sum.blocks += shard.blocks.size();
    sum.evictions += shard.evictions;
  }
  return sum;
}

}  // namespace stela::catalog

#include "engine/io/simulated_file.h"

#include <algorithm>
#include <cstring>

#include "engine/base/coding.h"

namespace stela {

namespace {
size_t blocks_for(uint64_t size) { return (size + SimulatedFile::kBlock - 1) / SimulatedFile::kBlock; }
constexpr size_t kSectorsInBlock = SimulatedFile::kBlock / SimulatedFile::kSector;
}  // namespace

void SimulatedFile::read(uint64_t offset, MutableByteSpan into) const {
  while (!into.empty()) {
    size_t within = offset % kBlock;
    size_t count = std::min(into.size(), kBlock - within);
    size_t index = offset / kBlock;
    const Block* block = index < blocks_.size() ? blocks_[index].get() : nullptr;
    if (block == nullptr) {
      std::memset(into.data(), 0, count);
    } else {
      std::memcpy(into.data(), block->bytes.data() + within, count);
    }
    into = into.subspan(count);
    offset += count;
  }
}

SimulatedFile::Block& SimulatedFile::writable(size_t index) {
  BlockPtr& block = blocks_[index];
  if (block == nullptr) {
    block = std::make_shared<Block>();
  } else if (block.use_count() > 1) {
    block = std::make_shared<Block>(*block);
  }
  block->hash.store(0, std::memory_order_relaxed);
  unsynced_[index].failed = false;
  return *block;
}

void SimulatedFile::write(uint64_t offset, ByteSpan bytes, uint64_t operation) {
  if (bytes.empty()) return;
  last_operation_ = operation;
  last_offset_ = offset;
  last_bytes_ = bytes.size();
  if (offset + bytes.size() > size_) {
    size_ = offset + bytes.size();
    size_failed_ = false;
    blocks_.resize(blocks_for(size_));
  }
  while (!bytes.empty()) {
    size_t within = offset % kBlock;
    size_t count = std::min(bytes.size(), kBlock - within);
    std::memcpy(writable(offset / kBlock).bytes.data() + within, bytes.data(), count);
    bytes = bytes.subspan(count);
    offset += count;
  }
}

void SimulatedFile::truncate(uint64_t size, uint64_t operation) {
  last_operation_ = operation;
  last_bytes_ = 0;
  if (size < size_ && size % kBlock != 0 && blocks_[size / kBlock] != nullptr) {
    auto& bytes = writable(size / kBlock).bytes;
    std::fill(bytes.begin() + static_cast<ptrdiff_t>(size % kBlock), bytes.end(), std::byte{0});
  }
  size_ = size;
  size_failed_ = false;
  blocks_.resize(blocks_for(size));
  unsynced_.erase(unsynced_.lower_bound(blocks_.size()), unsynced_.end());
}

void SimulatedFile::sync() {
  durable_.resize(std::max(durable_.size(), blocks_.size()));
  for (auto at = unsynced_.begin(); at != unsynced_.end();) {
    if (at->second.failed) {
      ++at;
      continue;
    }
    durable_[at->first] = blocks_[at->first];
    at = unsynced_.erase(at);
  }
  if (size_failed_) return;
  durable_size_ = size_;
  durable_.resize(blocks_.size());
}

void SimulatedFile::fail_sync() {
  for (auto& [index, unsynced] : unsynced_) unsynced.failed = true;
  size_failed_ = size_ != durable_size_;
}

void SimulatedFile::settle() {
  durable_ = blocks_;
  durable_size_ = size_;
  size_failed_ = false;
  unsynced_.clear();
}

uint64_t SimulatedFile::hash_of(const Block& block) {
  uint64_t hash = block.hash.load(std::memory_order_relaxed);
  if (hash != 0) return hash;
  hash = hash64(as_text(block.bytes)) | 1;
  block.hash.store(hash, std::memory_order_relaxed);
  return hash;
}

uint64_t SimulatedFile::durable_hash() const {
  static const uint64_t kZeros = hash_of(Block());
  std::vector<uint64_t> hashes{durable_size_};
  for (const BlockPtr& block : durable_) hashes.push_back(block == nullptr ? kZeros : hash_of(*block));
  return hash64({reinterpret_cast<const char*>(hashes.data()), hashes.size() * sizeof(uint64_t)});
}

SimulatedFile::BlockPtr SimulatedFile::mixed_block(size_t index, size_t first, size_t end, SeededRandom& random,
                                                   bool require_change) const {
  BlockPtr old = durable_block(index);
  auto mixed = std::make_shared<Block>(*blocks_[index]);
  size_t forced = require_change ? first + random.below(end - first) : end;
  for (size_t sector = first; sector < end; ++sector) {
    if (sector != forced && random.coin()) continue;
    std::byte* to = mixed->bytes.data() + sector * kSector;
    if (old == nullptr) {
      std::memset(to, 0, kSector);
    } else {
      std::memcpy(to, old->bytes.data() + sector * kSector, kSector);
    }
  }
  return mixed;
}

void SimulatedFile::keep_random_blocks(SimulatedFile& result, SeededRandom& random) const {
  for (const auto& [index, unsynced] : unsynced_) {
    switch (random.below(3)) {
      case 0: result.blocks_[index] = durable_block(index); break;
      case 1: result.blocks_[index] = mixed_block(index, 0, kSectorsInBlock, random, false); break;
      default: break;
    }
  }
}

void SimulatedFile::tear_last_write(SimulatedFile& result, SeededRandom& random) const {
  if (last_bytes_ == 0) return;
  size_t first_sector = last_offset_ / kSector;
  size_t end_sector = (last_offset_ + last_bytes_ + kSector - 1) / kSector;
  size_t torn = first_sector + random.below(end_sector - first_sector);  // at least this one has old bytes
  for (size_t index = first_sector / kSectorsInBlock; index * kSectorsInBlock < end_sector; ++index) {
    if (!unsynced_.contains(index)) continue;
    size_t base = index * kSectorsInBlock;
    size_t first = std::max(first_sector, base) - base;
    size_t end = std::min(end_sector - base, kSectorsInBlock);
    result.blocks_[index] = mixed_block(index, first, end, random, torn / kSectorsInBlock == index);
  }
}

void SimulatedFile::choose_size(SimulatedFile& result, CrashStyle style, SeededRandom& random) const {
  uint64_t size = size_;
  if (style == CrashStyle::kLoseUnsynced) size = durable_size_;
  if (style == CrashStyle::kRandomSubset && size_ != durable_size_) {
    uint64_t low = std::min(size_, durable_size_);
    uint64_t high = std::max(size_, durable_size_);
    uint64_t choices[] = {durable_size_, size_, low + random.below(high - low + 1)};
    size = choices[random.below(3)];
  }
  result.truncate(size, 0);
}

std::shared_ptr<SimulatedFile> SimulatedFile::survivor(CrashStyle style, SeededRandom& random,
                                                       bool is_last_write) const {
  if (style == CrashStyle::kProcessKilled) return clone();
  auto result = std::make_shared<SimulatedFile>();
  bool lost = style == CrashStyle::kLoseUnsynced;
  result->blocks_ = lost ? durable_ : blocks_;
  result->size_ = lost ? durable_size_ : size_;
  if (style == CrashStyle::kRandomSubset) keep_random_blocks(*result, random);
  if (style == CrashStyle::kTorn) {
    for (const auto& [index, unsynced] : unsynced_) {
      if (unsynced.failed && random.coin()) result->blocks_[index] = durable_block(index);
    }
    if (is_last_write) tear_last_write(*result, random);
  }
  choose_size(*result, style, random);
  result->settle();
  return result;
}

}  // namespace stela

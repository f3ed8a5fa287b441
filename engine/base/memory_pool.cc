#include "engine/base/memory_pool.h"

#include <array>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <utility>

// What looks for wrong uses of memory must see every block come and go.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STELA_POOL_KEEPS_NOTHING
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STELA_POOL_KEEPS_NOTHING
#endif
#endif

namespace stela {
namespace {

constexpr size_t kLine = 64;

// Four classes for each power of two: 64, 128, 192, 256, 320, 384, 448, 512, 640, ...
struct SizeClass {
  size_t bytes;
  size_t number;
};

SizeClass class_of(size_t bytes) {
  if (bytes <= 4 * kLine) {
    const size_t lines = bytes <= kLine ? 1 : (bytes + kLine - 1) / kLine;
    return {lines * kLine, lines - 1};
  }
  const auto power = static_cast<size_t>(std::bit_width(bytes - 1)) - 1;  // 2^power < bytes <= 2^(power + 1)
  const size_t step = size_t{1} << (power - 2);
  const size_t steps = (bytes - (size_t{1} << power) + step - 1) / step;
  return {(size_t{1} << power) + steps * step, 4 + (power - 8) * 4 + steps - 1};
}

constexpr size_t kClasses = 4 + (22 - 8) * 4;
static_assert(kPoolBlockMax == size_t{1} << 22);

std::byte* allocate(size_t bytes) {
  auto* block = static_cast<std::byte*>(std::aligned_alloc(kLine, bytes));
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

#ifndef STELA_POOL_KEEPS_NOTHING

// A kept block begins with the address of the next of its class.
struct alignas(kLine) Shard {
  std::mutex mutex;
  std::array<void*, kClasses> first{};
  size_t kept = 0;

  void* take(const SizeClass& wanted) {
    std::lock_guard lock(mutex);
    void* block = first[wanted.number];
    if (block == nullptr) return nullptr;
    std::memcpy(&first[wanted.number], block, sizeof(void*));
    kept -= wanted.bytes;
    return block;
  }
  // False where it does not keep it.
  bool give(void* block, const SizeClass& size) {
    std::lock_guard lock(mutex);
    if (size.bytes > kPoolShardKeptMax - kept) return false;
    std::memcpy(block, &first[size.number], sizeof(void*));
    first[size.number] = block;
    kept += size.bytes;
    return true;
  }
  // All that is kept, as one list; where other sizes are wanted now, the limit is not left to those of before.
  void* empty() {
    std::lock_guard lock(mutex);
    void* all = nullptr;
    for (void*& list : first) {
      while (list != nullptr) {
        void* block = std::exchange(list, nullptr);
        std::memcpy(&list, block, sizeof(void*));
        std::memcpy(block, &all, sizeof(void*));
        all = block;
      }
    }
    kept = 0;
    return all;
  }
};

// Never destroyed: objects that are destroyed at the end of the program give memory back.
Shard& shard_of_thread() {
  alignas(Shard) static std::byte memory[kPoolShards][sizeof(Shard)];
  static Shard* const shards = [] {
    for (auto& place : memory) new (place) Shard;
    return reinterpret_cast<Shard*>(memory);
  }();
  static std::atomic<size_t> threads{0};
  thread_local const size_t mine = threads.fetch_add(1, std::memory_order_relaxed) % kPoolShards;
  return shards[mine];
}

#endif

}  // namespace

size_t pool_block_bytes(size_t bytes) {
  if (bytes > SIZE_MAX - kLine) throw std::bad_alloc();
  return bytes <= kPoolBlockMax ? class_of(bytes).bytes : (bytes + kLine - 1) / kLine * kLine;
}

#ifdef STELA_POOL_KEEPS_NOTHING

std::byte* take_from_pool(size_t bytes) { return allocate(pool_block_bytes(bytes)); }
void give_to_pool(void* block, size_t) noexcept { std::free(block); }

#else

std::byte* take_from_pool(size_t bytes) {
  if (bytes > kPoolBlockMax) return allocate(pool_block_bytes(bytes));
  const SizeClass wanted = class_of(bytes);
  void* block = shard_of_thread().take(wanted);
  return block != nullptr ? static_cast<std::byte*>(block) : allocate(wanted.bytes);
}

void give_to_pool(void* block, size_t bytes) noexcept {
  if (block == nullptr) return;
  if (bytes > kPoolBlockMax) return std::free(block);
  const SizeClass size = class_of(bytes);
  Shard& shard = shard_of_thread();
  if (shard.give(block, size)) return;
  for (void* each = shard.empty(); each != nullptr;) {
    void* next = nullptr;
    std::memcpy(&next, each, sizeof(void*));
    std::free(each);
    each = next;
  }
  if (!shard.give(block, size)) std::free(block);
}

#endif

}  // namespace stela

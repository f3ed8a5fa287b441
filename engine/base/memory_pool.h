// Memory that is taken and given back at the pace of pages: what a decoder gave back serves the next page, without a
// call of the allocator and without pages of the system that must be filled with zeros first. Blocks are kept by size
// classes in a few shards, each with its lock and its limit, so that all that is kept is bounded (kPoolKeptMax)
// whatever the number of threads; larger blocks, and those beyond the limit, go back to the allocator at once.
//
// Buffer and PooledVector take their memory here. Thread safety: any thread may give back what another took.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace stela {

inline constexpr size_t kPoolShards = 4;
inline constexpr size_t kPoolShardKeptMax = 8 << 20;
inline constexpr size_t kPoolKeptMax = kPoolShards * kPoolShardKeptMax;
inline constexpr size_t kPoolBlockMax = 4 << 20;  // larger ones are not kept

// The size that a block for `bytes` has: at most a quarter more, a multiple of 64. O(1).
size_t pool_block_bytes(size_t bytes);
// A block of pool_block_bytes(bytes), 64-byte aligned, contents undefined. Throws std::bad_alloc.
std::byte* take_from_pool(size_t bytes);
// `bytes` as it was taken with, or pool_block_bytes of it. Null does nothing.
void give_to_pool(void* block, size_t bytes) noexcept;

// For containers and shared objects that live as long as a page is worked on.
template <typename T>
struct PoolAllocator {
  using value_type = T;
  static_assert(alignof(T) <= 64);
  PoolAllocator() = default;
  template <typename Other>
  PoolAllocator(const PoolAllocator<Other>&) {}  // NOLINT(google-explicit-constructor): allocators convert
  T* allocate(size_t count) {
    if (count > SIZE_MAX / sizeof(T)) throw std::bad_array_new_length();
    return reinterpret_cast<T*>(take_from_pool(count * sizeof(T)));
  }
  void deallocate(T* block, size_t count) noexcept { give_to_pool(block, count * sizeof(T)); }
  bool operator==(const PoolAllocator&) const { return true; }
};

template <typename T>
using PooledVector = std::vector<T, PoolAllocator<T>>;

template <typename T, typename... Arguments>
std::shared_ptr<T> make_pooled(Arguments&&... arguments) {
  return std::allocate_shared<T>(PoolAllocator<T>(), std::forward<Arguments>(arguments)...);
}

}  // namespace stela

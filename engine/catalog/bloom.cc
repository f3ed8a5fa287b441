#include "engine/catalog/bloom.h"

#include <algorithm>

#include "engine/base/coding.h"

namespace stela::catalog {
namespace {

constexpr uint64_t kBitsMax = uint64_t{1} << 32;  // bit numbers come from a 32-bit hash

// The bit of one probe: a multiplication instead of a division spreads 32 bits over `bits`.
uint64_t probe_bit(uint32_t hash, uint64_t bits) { return (hash * bits) >> 32; }

}  // namespace

uint64_t bloom_hash(std::string_view key) { return hash64(key); }

std::string build_bloom(std::span<const uint64_t> hashes) {
  const uint64_t bytes = std::clamp<uint64_t>((hashes.size() * kBloomBitsPerKey + 7) / 8, 8, kBitsMax / 8);
  const uint64_t bits = bytes * 8;
  std::string filter(bytes, '\0');
  for (uint64_t hash : hashes) {
    auto at = static_cast<uint32_t>(hash);
    const auto step = static_cast<uint32_t>(hash >> 32) | 1;
    for (int probe = 0; probe < kBloomProbes; ++probe, at += step) {
      const uint64_t bit = probe_bit(at, bits);
      filter[bit >> 3] = static_cast<char>(filter[bit >> 3] | (1 << (bit & 7)));
    }
  }
  filter.push_back(static_cast<char>(kBloomProbes));
  return filter;
}

bool bloom_may_contain(std::string_view filter, uint64_t hash) {
  if (filter.size() < 2) return true;
  const uint64_t bits = (filter.size() - 1) * 8;
  const auto probes = static_cast<uint8_t>(filter.back());
  if (bits > kBitsMax || probes > 30) return true;
  auto at = static_cast<uint32_t>(hash);
  const auto step = static_cast<uint32_t>(hash >> 32) | 1;
  for (int probe = 0; probe < probes; ++probe, at += step) {
    const uint64_t bit = probe_bit(at, bits);
    if (((filter[bit >> 3] >> (bit & 7)) & 1) == 0) return false;
  }
  return true;
}

}  // namespace stela::catalog

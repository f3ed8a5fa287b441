// Bloom filter over whole keys: 10 bits a key, 7 probes by double hashing of one 64-bit hash
// (Kirsch, Mitzenmacher 2006): about 1 % false positives.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace stela::catalog {

inline constexpr uint64_t kBloomBitsPerKey = 10;
inline constexpr uint8_t kBloomProbes = 7;

// Hash of a key as the filter takes it.
uint64_t bloom_hash(std::string_view key);
// The filter's bytes: bits, then one byte with the number of probes.
std::string build_bloom(std::span<const uint64_t> hashes);
// False: `hash` was certainly not among the hashes. True for bytes that are no filter.
bool bloom_may_contain(std::string_view filter, uint64_t hash);

}  // namespace stela::catalog

#include "engine/format/distinct_sketch.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <iterator>

namespace stela::format {
namespace {

constexpr size_t kSlotsMin = 4, kSlotsMax = 2 * DistinctSketch::kFewMax;  // a table is half full at most
constexpr unsigned kRankBits = 5;
constexpr uint8_t kFewForm = 1, kRegistersForm = 2;
constexpr size_t kRegisterBytes = DistinctSketch::kRegisters * kRankBits / 8;

// Where a hash is, or would be.
uint64_t& slot_of(std::vector<uint64_t>& table, uint64_t hash) {
  size_t slot = hash % table.size();
  while (table[slot] != 0 && table[slot] != hash) slot = (slot + 1) % table.size();
  return table[slot];
}

// Tables begin small: 100,000 columns of few rows would take 2 KiB each.
std::vector<uint64_t> grown(const std::vector<uint64_t>& table) {
  std::vector<uint64_t> larger(std::min(2 * table.size(), kSlotsMax), 0);
  for (uint64_t hash : table) {
    if (hash != 0) slot_of(larger, hash) = hash;
  }
  return larger;
}

// Ertl's sigma and tau: what registers that are empty, or full, stand for.
double sigma(double x) {
  double y = 1, z = x, before = -1;
  while (z != before) {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  }
  return z;
}

double tau(double x) {
  if (x == 0 || x == 1) return 0;
  double y = 1, z = 1 - x, before = -1;
  while (z != before) {
    x = std::sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  }
  return z / 3;
}

}  // namespace

void DistinctSketch::make_registers() {
  registers_.assign(kRegisters, 0);
  for (uint64_t hash : few_) {
    if (hash != 0) raise(registers_.data(), hash);
  }
  few_ = {};
  few_count_ = 0;
}

void DistinctSketch::add_few(uint64_t hash) {
  if (hash == 0) hash = 1;  // 0 says that nothing is there
  if (few_.empty()) few_.assign(kSlotsMin, 0);
  uint64_t& slot = slot_of(few_, hash);
  if (slot == hash) return;
  slot = hash;
  if (++few_count_ > kFewMax) return make_registers();
  if (2 * few_count_ > few_.size()) few_ = grown(few_);
}

void DistinctSketch::merge(const DistinctSketch& other) {
  if (other.registers_.empty()) {
    for (uint64_t hash : other.few_) {
      if (hash != 0) add(hash);
    }
    return;
  }
  if (registers_.empty()) make_registers();
  typedef uint8_t Ranks __attribute__((vector_size(16)));
  for (size_t i = 0; i < kRegisters; i += sizeof(Ranks)) {
    Ranks own, others;
    std::memcpy(&own, registers_.data() + i, sizeof(Ranks));
    std::memcpy(&others, other.registers_.data() + i, sizeof(Ranks));
    own = own < others ? others : own;
    std::memcpy(registers_.data() + i, &own, sizeof(Ranks));
  }
}

std::array<double, DistinctSketch::kRankMax + 1> DistinctSketch::counts_of_ranks() const {
  std::array<double, kRankMax + 1> counts{};
  // Four counts of each, since most registers have one of few ranks and a count waits for the one before it.
  std::array<std::array<uint16_t, kRankMax + 1>, 4> parts{};
  for (size_t i = 0; i < kRegisters; i += 4) {
    for (size_t k = 0; k < 4; ++k) ++parts[k][registers_[i + k]];
  }
  for (size_t rank = 0; rank <= kRankMax; ++rank) {
    for (const auto& part : parts) counts[rank] += part[rank];
  }
  return counts;
}

uint64_t DistinctSketch::estimate() const {
  if (registers_.empty()) return few_count_;
  const std::array<double, kRankMax + 1> counts = counts_of_ranks();
  constexpr auto kAll = static_cast<double>(kRegisters);
  if (counts[0] == kAll) return 0;
  double z = kAll * tau(1 - counts[kRankMax] / kAll);
  for (size_t rank = kRankMax - 1; rank >= 1; --rank) z = 0.5 * (z + counts[rank]);
  z += kAll * sigma(counts[0] / kAll);
  constexpr double kAlpha = 0.7213475204444817;  // 1 / (2 ln 2)
  return static_cast<uint64_t>(std::llround(kAlpha * kAll * kAll / z));
}

std::vector<uint64_t> DistinctSketch::few_hashes() const {
  std::vector<uint64_t> hashes;
  std::copy_if(few_.begin(), few_.end(), std::back_inserter(hashes), [](uint64_t hash) { return hash != 0; });
  std::sort(hashes.begin(), hashes.end());
  return hashes;
}

void DistinctSketch::encode(std::string& out) const {
  if (registers_.empty()) {
    put_fixed(out, kFewForm);
    put_varint(out, few_count_);
    for (uint64_t hash : few_hashes()) put_fixed(out, hash);
    return;
  }
  put_fixed(out, kRegistersForm);
  // Eight registers in five bytes, the first in the lowest bits.
  for (size_t i = 0; i < kRegisters; i += 8) {
    uint64_t bits = 0;
    for (size_t k = 0; k < 8; ++k) bits |= uint64_t{registers_[i + k]} << (kRankBits * k);
    for (size_t k = 0; k < kRankBits; ++k) out.push_back(static_cast<char>(bits >> (8 * k)));
  }
}

std::string DistinctSketch::encoded() const {
  std::string bytes;
  encode(bytes);
  return bytes;
}

bool DistinctSketch::decode(Decoder& in) {
  *this = {};
  uint8_t form = 0;
  if (!in.fixed(&form)) return false;
  if (form == kFewForm) {
    uint64_t count = 0, last = 0;
    if (!in.varint_upto(kFewMax, &count)) return false;
    for (uint64_t i = 0; i < count; ++i) {
      uint64_t hash = 0;
      if (!in.fixed(&hash) || hash <= last) return false;
      add_few(hash);
      last = hash;
    }
    return true;
  }
  std::string_view bytes;
  if (form != kRegistersForm || !in.bytes(kRegisterBytes, &bytes)) return false;
  registers_.assign(kRegisters, 0);
  for (size_t i = 0; i < kRegisters; ++i) {
    uint64_t bits = 0;
    for (size_t k = 0; k < kRankBits; ++k) {
      bits |= uint64_t{static_cast<uint8_t>(bytes[i / 8 * kRankBits + k])} << (8 * k);
    }
    registers_[i] = static_cast<uint8_t>(bits >> (kRankBits * (i % 8)) & kRankMax);
  }
  return true;
}

}  // namespace stela::format

// Kernels for the processor beside their portable twins: bits of integers, entropy codes.
#include <cstdio>
#include <random>

#include "bench/support/arguments.h"
#include "bench/support/report.h"
#include "bench/support/samples.h"
#include "engine/format/encoding.h"
#include "engine/format/lane_packing.h"
#include "engine/format/rans.h"

namespace stela::bench {
namespace {

constexpr int kRounds = 21;

std::string gigabytes(double bytes, double seconds) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2f GB/s", bytes / seconds / 1e9);
  return text;
}

// Seconds of the median round.
template <typename Work>
double median_of(Work work) {
  Samples samples;
  for (int round = 0; round < kRounds; ++round) samples.time(work);
  return samples.median();
}

void add_row(Report& report, const std::string& what, double bytes, double seconds, double twin_seconds) {
  report.add(what, gigabytes(bytes, seconds), gigabytes(bytes, twin_seconds), format_ratio(twin_seconds / seconds));
}

// Vectors that stay in the first caches.
template <typename T>
void lanes(Report& report, uint32_t bits) {
  constexpr uint64_t kVectors = 16, kRepeats = 200;
  std::mt19937_64 random(1);
  std::vector<T> values(kVectors * format::kVectorRows);
  for (T& value : values) value = static_cast<T>(random() & ((uint64_t{1} << bits) - 1));
  const auto vector_bytes = format::packed_vector_bytes(bits);
  Buffer packed(kVectors * vector_bytes);
  auto seconds_of = [&](const format::LaneKernel<T>& kernel, bool packs) {
    return median_of([&] {
      for (uint64_t i = 0; i < kRepeats * kVectors; ++i) {
        T* vector = values.data() + i % kVectors * format::kVectorRows;
        std::byte* at = packed.data() + i % kVectors * vector_bytes;
        packs ? kernel.pack(vector, T{3}, bits, at) : kernel.unpack(at, T{3}, bits, vector);
      }
    });
  };
  const auto kernels = format::lane_kernels<T>();
  const double bytes = static_cast<double>(kRepeats * values.size() * sizeof(T));
  for (const bool packs : {false, true}) {
    const double twin = seconds_of(kernels.front(), packs);
    for (const format::LaneKernel<T>& kernel : kernels.subspan(1)) {
      const std::string what = std::string(packs ? "pack" : "unpack") + " uint" + std::to_string(8 * sizeof(T)) + ", " +
                               std::to_string(bits) + " bits, " + kernel.name;
      add_row(report, what, bytes, seconds_of(kernel, packs), twin);
    }
  }
}

void entropy_codes(Report& report, const std::string& name, const std::vector<uint8_t>& symbols) {
  constexpr uint64_t kBlock = 4096;
  std::array<uint64_t, 256> counts{};
  for (uint8_t symbol : symbols) ++counts[symbol];
  const format::RansFrequencies frequencies = format::rans_frequencies(counts);
  const format::RansDecoder decoder = format::trusted(format::RansDecoder::open(frequencies, 8));
  const std::span<const uint8_t> all(symbols);
  std::vector<Buffer> blocks(symbols.size() / kBlock);
  for (size_t i = 0; i < blocks.size(); ++i) {
    format::rans_encode(frequencies, 8, all.subspan(i * kBlock, kBlock), blocks[i]);
  }
  std::vector<uint8_t> out(2 * kBlock);
  const std::span<uint8_t> two(out), one = two.first(kBlock);
  bool right = true;
  const double simple = median_of([&] {
    for (const Buffer& block : blocks) right = decoder.decode_simple(block.span(), one).ok() && right;
  });
  const double single = median_of([&] {
    for (const Buffer& block : blocks) right = decoder.decode(block.span(), one).ok() && right;
  });
  const double pairs = median_of([&] {
    for (size_t i = 0; i + 1 < blocks.size(); i += 2) {
      right = decoder.decode_two(blocks[i].span(), blocks[i + 1].span(), two).ok() && right;
    }
  });
  const auto bytes = static_cast<double>(symbols.size());
  add_row(report, "rans, " + name + ", a block", bytes, single, simple);
  add_row(report, "rans, " + name + ", two blocks at once", bytes, right ? pairs : 0, simple);
}

void run() {
  Report report("Kernels and their portable twins, in the cache, of plain bytes (plain: the twin)");
  for (const uint32_t bits : {1u, 5u}) lanes<uint8_t>(report, bits);
  for (const uint32_t bits : {3u, 11u}) lanes<uint16_t>(report, bits);
  for (const uint32_t bits : {3u, 11u, 20u}) lanes<uint32_t>(report, bits);
  for (const uint32_t bits : {3u, 13u, 17u, 40u}) lanes<uint64_t>(report, bits);
  std::mt19937_64 random(2);
  std::vector<uint8_t> alike(1 << 20), skewed(1 << 20);
  for (uint8_t& symbol : alike) symbol = static_cast<uint8_t>(random() % 20);
  for (uint8_t& symbol : skewed) symbol = static_cast<uint8_t>(__builtin_ctzll(random() | uint64_t{1} << 40));
  entropy_codes(report, "20 bytes alike", alike);
  entropy_codes(report, "each half as frequent", skewed);
}

}  // namespace
}  // namespace stela::bench

int main(int argc, char** argv) {
  const stela::bench::Arguments arguments(argc, argv, "kernels and their portable twins", {});
  stela::bench::run();
  return 0;
}

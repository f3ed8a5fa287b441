// stela_torture [--minutes N] [--seed S]: crash images of random workloads until the time is over, crashes
// inside recovery among them. Ends at the first wrong one, with the seed that replays it.
// stela_torture --damage N [--seed S] [--folder F]: that many damages to the files of a store, each followed by reads as
// the daemon would serve them. F is made and removed.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>
#include <set>

#include "tests/crash/crash_run.h"
#include "tests/damage/damaged_store.h"

namespace {

int run_damages(uint64_t wanted, uint64_t seed, const std::string& folder) {
  const auto begin = std::chrono::steady_clock::now();
  stela::fsd::DamagedStore store;
  std::string wrong = store.make(folder, seed);
  uint64_t done = 0;
  for (; done < wanted && wrong.empty(); ++done) wrong = store.damage_once();
  std::filesystem::remove_all(folder);
  if (!wrong.empty()) {
    std::printf("%s\nreplay: stela_torture --damage %llu --seed %llu\n", wrong.c_str(),
                static_cast<unsigned long long>(done), static_cast<unsigned long long>(seed));
    return 1;
  }
  for (size_t kind = 0; kind < std::size(stela::fsd::kDamageNames); ++kind) {
    const auto& counts = store.counts(static_cast<stela::fsd::DamageKind>(kind));
    std::printf("%s: %llu, noticed by reads %llu, plain files kept from the kernel %llu\n",
                stela::fsd::kDamageNames[kind], static_cast<unsigned long long>(counts.damages),
                static_cast<unsigned long long>(counts.noticed),
                static_cast<unsigned long long>(counts.passthrough_refused));
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  std::printf("damage: %llu from seed %llu over %zu encodings in %.0f s, every read right or EIO\n",
              static_cast<unsigned long long>(done), static_cast<unsigned long long>(seed), store.encodings().size(),
              seconds.count());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t minutes = 1;
  uint64_t damages = 0;
  std::string folder = stela::fsd::damage_folder();
  uint64_t seed = std::random_device{}();
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--minutes") == 0) minutes = std::strtoull(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--seed") == 0) seed = std::strtoull(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--damage") == 0) damages = std::strtoull(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--folder") == 0) folder = argv[i + 1];
  }
  if (damages > 0) return run_damages(damages, seed, folder);
  auto end = std::chrono::steady_clock::now() + std::chrono::minutes(minutes);
  uint64_t images = 0;
  uint64_t runs = 0;
  for (; std::chrono::steady_clock::now() < end; ++runs) {
    std::set<uint64_t> seen;
    stela::model::CrashRun run(seed + runs, 3000, seen, 100);
    std::string wrong = run.run({}, 60);
    images += seen.size();
    if (wrong.empty()) continue;
    std::printf("%s\nreplay: stela_torture --seed %llu\n", wrong.c_str(), static_cast<unsigned long long>(seed + runs));
    return 1;
  }
  std::printf("torture: %llu workloads from seed %llu, %llu crash images distinct within theirs, all recovered\n",
              static_cast<unsigned long long>(runs), static_cast<unsigned long long>(seed),
              static_cast<unsigned long long>(images));
  return 0;
}

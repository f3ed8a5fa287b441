// stela_torture [--minutes N] [--seed S]: crash images of random workloads until the time is over, crashes
// inside recovery among them. Ends at the first wrong one, with the seed that replays it.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <set>

#include "tests/crash/crash_run.h"

int main(int argc, char** argv) {
  uint64_t minutes = 1;
  uint64_t seed = std::random_device{}();
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--minutes") == 0) minutes = std::strtoull(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--seed") == 0) seed = std::strtoull(argv[i + 1], nullptr, 10);
  }
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

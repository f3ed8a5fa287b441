// Damage of every kind to the files of a closed store: a bit that flipped, blocks that changed places, a file that was
// cut. Each read gives what was written or an error, and what gave an error is named by check. STELA_DAMAGES sets how
// many (400 by default), STELA_CRASH_SEED where to begin.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "engine/io/fault_env.h"
#include "tests/crash/restore_operation.h"

namespace stela {
namespace {

using model::Model;

uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct ClosedStore {
  std::shared_ptr<FaultEnv> env;
  Model model;
};

// A store after a random workload, closed cleanly: nothing is in the log only.
ClosedStore closed_store(uint64_t seed) {
  SeededRandom random(seed);
  ClosedStore made{fault_env(seed), {}};
  auto store = Store::create(made.env, model::small_options());
  EXPECT_TRUE(store.ok());
  for (int i = 0; i < 60; ++i) {
    model::Operation operation = model::any_operation(made.model, random);
    Status status = operation.run(**store);
    EXPECT_TRUE(status.ok()) << operation.name << ": " << status.message();
    made.model = operation.after;
  }
  return made;
}

std::string damage_one(FaultEnv& env, SeededRandom& random) {
  std::vector<std::string> names = env.file_names();
  std::string name = names[random.below(names.size())];
  Buffer bytes = env.file_bytes(name).value();
  if (bytes.empty()) return {};
  const uint64_t kind = random.below(8);
  if (kind == 0) {
    uint64_t size = random.below(bytes.size());
    EXPECT_TRUE(env.truncate_file(name, size).ok());
    return name + " cut to " + std::to_string(size);
  }
  if (kind == 1) {  // two blocks change places, as a disk that writes to the wrong sector has it
    uint64_t block = std::min<uint64_t>(bytes.size() / 2, 1 + random.below(512));
    uint64_t a = random.below(bytes.size() - block + 1), b = random.below(bytes.size() - block + 1);
    if (block == 0 || (a < b ? b - a : a - b) < block) return {};
    std::swap_ranges(bytes.data() + a, bytes.data() + a + block, bytes.data() + b);
    EXPECT_TRUE(env.replace_file(name, bytes.span()).ok());
    return name + ": " + std::to_string(block) + " bytes at " + std::to_string(a) + " and " + std::to_string(b);
  }
  uint64_t at = random.below(bytes.size());
  auto bit = static_cast<unsigned>(random.below(8));
  EXPECT_TRUE(env.flip_bit(name, at, bit).ok());
  return name + ": bit " + std::to_string(bit) + " of byte " + std::to_string(at);
}

TEST(StoreDamage, ReadsAreRightOrErrors) {
  const uint64_t scaled = 400 * from_environment("STELA_TEST_SCALE", 100) / 100;
  const uint64_t wanted = from_environment("STELA_DAMAGES", std::max<uint64_t>(1, scaled));
  const uint64_t first_seed = from_environment("STELA_CRASH_SEED", 1);
  uint64_t noticed = 0, refused = 0;
  for (uint64_t done = 0, seed = first_seed; done < wanted; ++seed) {
    ClosedStore made = closed_store(seed);
    SeededRandom random(seed * 77);
    for (uint64_t i = 0; i < 100 && done < wanted; ++i, ++done) {
      auto env = made.env->reboot(CrashStyle::kKeepAll, 1);
      std::string what = damage_one(*env, random);
      auto store = Store::open(env, model::small_options());
      if (!store.ok()) {
        EXPECT_FALSE(store.status().message().empty());
        ++refused;
        continue;
      }
      uint64_t errors = 0;
      ASSERT_EQ(model::difference(**store, made.model, &errors), "")
          << "seed " << seed << ", damage " << i << ", " << what;
      noticed += errors > 0;
      uint64_t named = 0;
      Status checked = (*store)->check([&](const DamageReport&) { ++named; });
      ASSERT_TRUE(errors == 0 || named > 0 || !checked.ok()) << what << ": reads fail and check is silent";
    }
  }
  std::printf("damages: %lu, noticed by a read: %lu, store refused: %lu\n", static_cast<unsigned long>(wanted),
              static_cast<unsigned long>(noticed), static_cast<unsigned long>(refused));
}

}  // namespace
}  // namespace stela

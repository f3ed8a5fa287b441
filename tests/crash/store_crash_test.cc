// The crash suite: at every operation on the simulated disk, what is left after a crash opens and shows what
// was acknowledged. Each failure prints the seed that replays it. STELA_CRASH_IMAGES sets how many distinct
// images are looked at (2,000 by default); STELA_CRASH_SEED where to begin.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "engine/io/memory_env.h"
#include "tests/crash/crash_run.h"

namespace stela {
namespace {

using model::CrashRun;
using model::kStyles;
using model::Model;
using model::Operation;

uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Random cases, in percent of which STELA_TEST_SCALE is.
uint64_t scaled(uint64_t cases) {
  return std::max<uint64_t>(1, cases * from_environment("STELA_TEST_SCALE", 100) / 100);
}

TEST(StoreCrash, EveryImageOpensAndShowsWhatWasAcknowledged) {
  uint64_t wanted = from_environment("STELA_CRASH_IMAGES", scaled(2000));
  uint64_t seed = from_environment("STELA_CRASH_SEED", 1);
  std::set<uint64_t> seen;
  for (uint64_t i = 0; seen.size() < wanted; ++i) {
    std::string wrong = CrashRun(seed + i, wanted, seen, 40).run({}, 60);
    ASSERT_EQ(wrong, "");
  }
  std::printf("crash images looked at: %zu distinct\n", seen.size());
}

// Every operation, upkeep and reopening in random order, without faults: after each the store shows what the model has
// now, and after every eighth all that it ever had.
TEST(StoreModel, RandomOperationsShowWhatTheModelHas) {
  uint64_t wanted = from_environment("STELA_MODEL_OPERATIONS", scaled(3000));
  uint64_t seed = from_environment("STELA_CRASH_SEED", 1);
  uint64_t done = 0;
  for (; done < wanted; ++seed) {
    SCOPED_TRACE("STELA_CRASH_SEED=" + std::to_string(seed));
    SeededRandom random(seed);
    auto env = memory_env(seed);
    auto store = Store::create(env, model::small_options());
    ASSERT_TRUE(store.ok());
    Model now;
    for (int i = 0; i < 100 && done < wanted; ++i, ++done) {
      if (random.below(20) == 0) {
        store = Status(Code::kIo, "closed");
        store = Store::open(env, model::small_options());
        ASSERT_TRUE(store.ok()) << store.status().message();
      }
      Operation operation = model::any_operation(now, random);
      Status status = operation.run(**store);
      ASSERT_TRUE(status.ok()) << operation.name << ": " << status.message();
      now = operation.after;
      bool whole = i % 8 == 7 || i == 99;
      ASSERT_EQ(whole ? model::difference(**store, now) : model::difference_of_newest(**store, now), "")
          << "after '" << operation.name << "', number " << i;
    }
  }
  std::printf("model: %lu operations\n", static_cast<unsigned long>(done));
}

class PlantedBug : public testing::TestWithParam<std::pair<const char*, IgnoredSyncs>> {};

TEST_P(PlantedBug, IsCaught) {
  std::set<uint64_t> seen;
  std::string wrong;
  for (uint64_t seed = 1; seed <= 40 && wrong.empty(); ++seed) {
    wrong = CrashRun(seed, 4000, seen).run(GetParam().second, 60);
  }
  EXPECT_NE(wrong, "") << "a sync is forgotten and no image of " << seen.size() << " shows it";
}

INSTANTIATE_TEST_SUITE_P(ForgottenSyncs, PlantedBug,
                         testing::Values(std::pair("files", IgnoredSyncs{.files = true}),
                                         std::pair("folders", IgnoredSyncs{.folders = true}),
                                         std::pair("log", IgnoredSyncs{.log = true})),
                         [](const auto& tested) { return std::string(tested.param.first); });

// A fault at some operation: the commit it meets succeeds, or fails and is not there (a full disk), or is
// known after reopening (a failed write of the log). Whatever came before stays.
TEST(StoreFaults, EveryFaultLeavesTheStoreAsItWasOrReadOnly) {
  uint64_t wanted = from_environment("STELA_FAULT_RUNS", scaled(600));
  uint64_t seed = from_environment("STELA_CRASH_SEED", 1);
  uint64_t fired = 0;
  for (uint64_t run = from_environment("STELA_FAULT_FIRST", 0); run < wanted; ++run) {
    SeededRandom random(seed * 1'000'003 + run);
    auto env = fault_env(run + 1);
    auto store = Store::create(env, model::small_options());
    ASSERT_TRUE(store.ok());
    FaultKind kind = kFaultKinds[random.below(std::size(kFaultKinds))];
    env->fail_at(env->operation_count() + random.below(200), kind, random.below(4) == 0);
    Model now;
    std::vector<Model> possible;  // outcomes that reopening may show besides `now`
    std::string doing;
    for (int i = 0; i < 30; ++i) {
      Operation operation = model::any_operation(now, random);
      doing = operation.name;
      Status status = operation.run(**store);
      if (status.ok()) {
        now = operation.after;
        continue;
      }
      ASSERT_GT(env->faults_fired(), 0u) << "run " << run << ": " << doing << ": " << status.message();
      if (status.code() == Code::kIo) possible.push_back(operation.after);
      env->clear_faults();  // the resource is back, so that what is there can be read
      ASSERT_EQ(model::difference(**store, now), "") << "run " << run << " after " << doing << ": " << status.message();
      if ((*store)->read_only_reason()) break;
    }
    fired += env->faults_fired() > 0 ? 1 : 0;
    auto image = env->reboot(kStyles[random.below(std::size(kStyles))], random.next());
    store = Status(Code::kIo, "gone");
    std::vector<const Model*> candidates{&now};
    for (const Model& model : possible) candidates.push_back(&model);
    std::string wrong = model::verdict(image, candidates);
    if (!wrong.empty()) {
      for (const std::string& line : env->trace()) std::printf("  %s\n", line.c_str());
    }
    ASSERT_EQ(wrong, "") << "run " << run << " seed " << seed << " fault " << static_cast<int>(kind) << " last "
                         << doing;
  }
  std::printf("fault runs: %lu, in which a fault fired: %lu\n", static_cast<unsigned long>(wanted),
              static_cast<unsigned long>(fired));
  EXPECT_GT(fired, wanted / 6);
}

}  // namespace
}  // namespace stela

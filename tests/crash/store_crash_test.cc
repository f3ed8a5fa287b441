// The crash suite: at every operation on the simulated disk, what is left after a crash opens and shows what
// was acknowledged. Each failure prints the seed that replays it. STELA_CRASH_IMAGES sets how many distinct
// images are looked at (2,000 by default); STELA_CRASH_SEED where to begin.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "engine/io/fault_env.h"
#include "tests/crash/store_model.h"

namespace stela {
namespace {

using model::Model;
using model::Operation;

uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

constexpr CrashStyle kStyles[] = {CrashStyle::kLoseUnsynced, CrashStyle::kKeepAll, CrashStyle::kRandomSubset,
                                  CrashStyle::kTorn};

// Runs a workload and looks at an image of the disk before operations of it. Returns the first wrong
// verdict, or nothing.
class CrashRun {
 public:
  CrashRun(uint64_t seed, size_t images_max, std::set<uint64_t>& seen, uint64_t nested_one_in = 0)
      : seed_(seed),
        images_max_(images_max),
        seen_(seen),
        nested_one_in_(nested_one_in),
        random_(seed),
        pick_(seed ^ 0x55) {}

  std::string run(IgnoredSyncs planted, size_t operations) {
    auto env = fault_env(seed_);
    env->ignore_syncs(planted);
    env->set_observer([&](uint64_t operation, std::string_view name) { look(*env, operation, std::string(name)); });
    auto store = Store::create(env, model::small_options());
    if (!store.ok()) return store.status().message();
    for (size_t i = 0; i < operations && wrong_.empty() && seen_.size() < images_max_; ++i) {
      if (random_.below(25) == 0) {
        doing_ = "reopen";
        store = Store::open((store = Status(Code::kIo, "closed"), env), model::small_options());
        if (!store.ok()) return "reopening: " + store.status().message();
      }
      Operation operation = model::random_operation(now_, random_);
      doing_ = operation.name;
      next_ = &operation.after;
      Status status = operation.run(**store);
      next_ = nullptr;
      if (!status.ok()) return operation.name + " fails: " + status.message();
      now_ = operation.after;
    }
    env->set_observer({});
    return wrong_;
  }

 private:
  void look(const FaultEnv& env, uint64_t operation, const std::string& name) {
    if (!wrong_.empty() || seen_.size() >= images_max_) return;
    for (CrashStyle style : kStyles) {
      uint64_t image_seed = pick_.next();
      // Every operation in one style, some in the others: neighbours are much alike.
      if (style != CrashStyle::kRandomSubset && pick_.below(4) != 0) continue;
      auto image = env.reboot(style, image_seed);
      if (!seen_.insert(image->image_hash()).second) continue;
      judge(image, style, operation, name, image_seed);
      if (wrong_.empty() && nested_one_in_ != 0 && pick_.below(nested_one_in_) == 0) {
        crash_in_recovery(env, style, operation, name, image_seed);
      }
      if (!wrong_.empty()) return;
    }
  }

  void judge(const std::shared_ptr<FaultEnv>& image, CrashStyle style, uint64_t operation, const std::string& name,
             uint64_t image_seed) {
    std::vector<const Model*> candidates{&now_};
    if (next_ != nullptr) candidates.push_back(next_);
    std::string wrong = model::verdict(image, candidates);
    if (wrong.empty()) return;
    wrong_ = "seed " + std::to_string(seed_) + ", crash before operation " + std::to_string(operation) + " (" + name +
             ") while doing '" + doing_ + "', style " + std::to_string(static_cast<int>(style)) + ", image seed " +
             std::to_string(image_seed) + ": " + wrong;
  }

  // The recovery of this image crashes at each of its operations; what that leaves must open too.
  void crash_in_recovery(const FaultEnv& env, CrashStyle style, uint64_t operation, const std::string& name,
                         uint64_t image_seed) {
    auto recovering = env.reboot(style, image_seed);
    std::vector<std::shared_ptr<FaultEnv>> images;
    recovering->set_observer([&](uint64_t, std::string_view) {
      if (images.size() < 40) images.push_back(recovering->reboot(CrashStyle::kRandomSubset, pick_.next()));
    });
    { auto store = Store::open(recovering, model::small_options()); }
    recovering->set_observer({});
    for (const auto& image : images) {
      if (!seen_.insert(image->image_hash()).second) continue;
      judge(image, CrashStyle::kRandomSubset, operation, name + ", then in recovery", image_seed);
      if (!wrong_.empty()) return;
    }
  }

  const uint64_t seed_;
  const size_t images_max_;
  std::set<uint64_t>& seen_;
  const uint64_t nested_one_in_;
  SeededRandom random_;
  SeededRandom pick_;
  Model now_;
  const Model* next_ = nullptr;
  std::string doing_ = "create";
  std::string wrong_;
};

TEST(StoreCrash, EveryImageOpensAndShowsWhatWasAcknowledged) {
  uint64_t wanted = from_environment("STELA_CRASH_IMAGES", 2000);
  uint64_t seed = from_environment("STELA_CRASH_SEED", 1);
  std::set<uint64_t> seen;
  for (uint64_t i = 0; seen.size() < wanted; ++i) {
    std::string wrong = CrashRun(seed + i, wanted, seen, 40).run({}, 60);
    ASSERT_EQ(wrong, "");
  }
  std::printf("crash images looked at: %zu distinct\n", seen.size());
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
                         [](const auto& info) { return std::string(info.param.first); });

// A fault at some operation: the commit it meets succeeds, or fails and is not there (a full disk), or is
// known after reopening (a failed write of the log). Whatever came before stays.
TEST(StoreFaults, EveryFaultLeavesTheStoreAsItWasOrReadOnly) {
  uint64_t wanted = from_environment("STELA_FAULT_RUNS", 600);
  uint64_t seed = from_environment("STELA_CRASH_SEED", 1);
  uint64_t fired = 0;
  for (uint64_t run = from_environment("STELA_FAULT_FIRST", 0); run < wanted; ++run) {
    SeededRandom random(seed * 1'000'003 + run);
    auto env = fault_env(run + 1);
    auto store = Store::create(env, model::small_options());
    ASSERT_TRUE(store.ok());
    FaultKind kind = kFaultKinds[random.below(std::size(kFaultKinds))];
    env->fail_at(env->operation_count() + random.below(400), kind, random.below(4) == 0);
    Model now;
    std::vector<Model> possible;  // outcomes that reopening may show besides `now`
    std::string doing;
    for (int i = 0; i < 25; ++i) {
      Operation operation = model::random_operation(now, random);
      doing = operation.name;
      Status status = operation.run(**store);
      if (status.ok()) {
        now = operation.after;
        continue;
      }
      ASSERT_GT(env->faults_fired(), 0u) << "run " << run << ": " << doing << ": " << status.message();
      if (status.code() == Code::kIo) possible.push_back(operation.after);
      if ((*store)->read_only_reason()) break;
      env->clear_faults();  // the resource is back, so that what is there can be read
      ASSERT_EQ(model::difference(**store, now), "") << "run " << run << " after " << doing << ": " << status.message();
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
  EXPECT_GT(fired, wanted / 4);
}

}  // namespace
}  // namespace stela

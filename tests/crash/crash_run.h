// CrashRun: a random workload on the simulated disk, and a look at what a crash would leave at each of its
// operations. Used by the crash suite and by the torture program.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "engine/io/fault_env.h"
#include "tests/crash/restore_operation.h"

namespace stela::model {

inline constexpr CrashStyle kStyles[] = {CrashStyle::kLoseUnsynced, CrashStyle::kKeepAll, CrashStyle::kRandomSubset,
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
      Operation operation = model::any_operation(now_, random_);
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

}  // namespace stela::model

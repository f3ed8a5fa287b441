// Memory that runs out at any allocation of any operation: the operation fails and nothing is changed, or it took place
// and only its answer is lost; nothing hangs or ends the process, the store goes on or says that it is read-only, and
// what it shows is the same after it is opened again. STELA_ALLOCATION_RUNS sets how many allocations fail.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <new>

#include "engine/io/posix_env.h"
#include "tests/allocations/failing_allocations.h"
#include "tests/crash/restore_operation.h"
#include "tests/crash/store_model.h"

namespace stela {
namespace {

using model::Model;
using model::Operation;

uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Runs `operation` with one allocation failing.
Status run_without_memory(const Operation& operation, Store& store, int64_t after, bool* failed) {
  Status status(Code::kNoMemory, "memory ran out");
  fail_allocation_after(after);
  try {
    status = operation.run(store);
  } catch (const std::bad_alloc&) {
  }
  *failed = stop_failing_allocations();
  return status;
}

class FailingAllocations {
 public:
  explicit FailingAllocations(uint64_t seed) : random_(seed) {
    std::string name = testing::TempDir() + "/stela-allocations-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) wrong("no folder can be made as " + name);
    folder_ = name;
    env_ = posix_env(folder_ / "store");
  }
  ~FailingAllocations() {
    env_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  // How many allocations failed; `wrong_` says what went wrong.
  uint64_t run(int operations) {
    auto store = Store::create(env_, model::small_options());
    if (!store.ok()) return wrong(store.status().message());
    uint64_t failures = 0;
    for (int i = 0; i < operations && wrong_.empty(); ++i) {
      Operation operation = model::any_operation(now_, random_);
      doing_ = std::to_string(i) + ", '" + operation.name + "'";
      bool failed = false;
      // Of long operations the first steps are as likely as the others.
      auto after = static_cast<int64_t>(random_.below(uint64_t{1} << (3 + random_.below(11))));
      Status status = run_without_memory(operation, **store, after, &failed);
      failures += failed;
      if (status.ok()) {
        now_ = operation.after;
        if (std::string text = model::difference(**store, now_); !text.empty()) return wrong(text);
        continue;
      }
      if (!failed) return wrong(status.message());
      if (status.code() != Code::kNoMemory && status.code() != Code::kIo) return wrong(status.message());
      if ((*store)->read_only_reason()) {
        reopen(*store, operation.after);
        continue;
      }
      std::string unchanged = model::difference(**store, now_);
      if (unchanged.empty()) continue;
      if (std::string done = model::difference(**store, operation.after); !done.empty()) {
        return wrong("neither undone: " + unchanged + ", nor done: " + done);
      }
      now_ = operation.after;
    }
    reopen(*store, now_);
    return failures;
  }
  const std::string& wrong() const { return wrong_; }

 private:
  uint64_t wrong(const std::string& text) {
    wrong_ = "operation " + doing_ + ": " + text;
    return 0;
  }
  void check(Store& store) {
    Status status = store.check([&](const DamageReport& report) { wrong(report.file + ": " + report.reason); });
    if (!status.ok()) wrong(status.message());
  }
  // Closes the store and opens it again.
  void reopen(std::unique_ptr<Store>& store, const Model& uncertain) {
    store.reset();
    auto opened = Store::open(env_, model::small_options());
    if (!opened.ok()) {
      wrong(opened.status().message());
      return;
    }
    store = std::move(*opened);
    std::string unchanged = model::difference(*store, now_);
    if (unchanged.empty()) return check(*store);
    if (std::string done = model::difference(*store, uncertain); !done.empty()) {
      wrong("opened again it shows neither what was: " + unchanged + ", nor what was to be: " + done);
      return;
    }
    now_ = uncertain;
    check(*store);
  }

  SeededRandom random_;
  std::filesystem::path folder_;
  std::shared_ptr<Env> env_;
  Model now_;
  std::string doing_, wrong_;
};

TEST(Allocations, EachThatFailsLeavesTheStoreWhole) {
  uint64_t scale = from_environment("STELA_TEST_SCALE", 100);
  uint64_t wanted = from_environment("STELA_ALLOCATION_RUNS", std::max<uint64_t>(1, 3000 * scale / 100));
  uint64_t seed = from_environment("STELA_CRASH_SEED", 1);
  uint64_t failures = 0;
  for (; failures < wanted; ++seed) {
    FailingAllocations run(seed);
    failures += run.run(60);
    ASSERT_EQ(run.wrong(), "") << "STELA_CRASH_SEED=" << seed;
  }
  std::printf("allocations that failed: %lu\n", static_cast<unsigned long>(failures));
}

}  // namespace
}  // namespace stela

#include "tests/engine/io_env_cases.h"

#include <stdlib.h>

#include <filesystem>

#include "engine/io/counting_env.h"
#include "engine/io/fault_env.h"
#include "engine/io/memory_env.h"
#include "engine/io/posix_env.h"

namespace stela {

namespace {

EnvUnderTest make_memory() {
  auto env = memory_env(7);
  return {env, [env] { return env; }, [env] { return env; }};
}

// Its reopening is a power cut: nothing that the contract calls durable may be missing.
EnvUnderTest make_fault() {
  auto env = fault_env(7);
  auto same = [env]() -> std::shared_ptr<Env> { return env; };
  return {env, same, same};
}

EnvUnderTest make_fault_with_power_cut() {
  auto env = fault_env(7);
  return {env, [env]() -> std::shared_ptr<Env> { return env->reboot(CrashStyle::kLoseUnsynced, 1); },
          [env]() -> std::shared_ptr<Env> { return env; }};
}

EnvUnderTest make_counting() {
  auto wrapped = memory_env(7);
  auto wrap = [wrapped]() -> std::shared_ptr<Env> { return std::make_shared<CountingEnv>(wrapped); };
  return {wrap(), wrap, wrap};
}

// A directory of its own, removed with the last environment on it.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "stela-io-XXXXXX").string();
    const char* made = ::mkdtemp(pattern.data());
    if (made != nullptr) path_ = made;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  std::string store() const { return path_ + "/store"; }

 private:
  std::string path_;
};

EnvUnderTest make_posix(const PosixOptions& options) {
  auto directory = std::make_shared<TemporaryDirectory>();
  auto reopen = [directory, options]() -> std::shared_ptr<Env> {
    auto env = open_posix_env(directory->store(), options);
    return env.ok() ? std::move(env).value() : nullptr;
  };
  return {reopen(), reopen, reopen};
}

}  // namespace

std::vector<EnvCase> env_cases() {
  return {{"memory", make_memory},
          {"counting", make_counting},
          {"fault", make_fault},
          {"fault_with_power_cut", make_fault_with_power_cut},
          {"posix", [] { return make_posix({}); }},
          {"posix_without_tmpfile", [] { return make_posix({.use_openat2 = false, .use_tmpfile = false}); }}};
}

}  // namespace stela

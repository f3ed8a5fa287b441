#include "tests/engine/io_env_cases.h"

#include "engine/io/memory_env.h"

namespace stela {

namespace {

EnvUnderTest make_memory() {
  auto env = memory_env(7);
  return {env, [env] { return env; }};
}

}  // namespace

std::vector<EnvCase> env_cases() { return {{"memory", make_memory}}; }

}  // namespace stela

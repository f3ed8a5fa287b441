// The environments that the contract tests of engine/io run against.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/io/env.h"

namespace stela {

// One environment and a way to open it again, as a later process would.
struct EnvUnderTest {
  std::shared_ptr<Env> env;
  std::function<std::shared_ptr<Env>()> reopen;
};

struct EnvCase {
  std::string name;
  std::function<EnvUnderTest()> make;
};

std::vector<EnvCase> env_cases();

inline Buffer pattern_bytes(size_t size, uint64_t seed) {
  Buffer bytes(size);
  uint64_t state = seed * 0x9E3779B97F4A7C15ull + 1;
  for (size_t i = 0; i < size; ++i) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    bytes.data()[i] = static_cast<std::byte>(state >> 56);
  }
  return bytes;
}

inline bool same_bytes(ByteSpan a, ByteSpan b) { return as_text(a) == as_text(b); }

}  // namespace stela

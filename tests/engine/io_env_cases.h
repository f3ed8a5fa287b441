// The environments that the contract tests of engine/io run against.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "engine/io/env.h"

namespace stela {

struct EnvUnderTest {
  std::shared_ptr<Env> env;
  std::function<std::shared_ptr<Env>()> reopen;  // as a later process would
  std::function<std::shared_ptr<Env>()> beside;  // as another process would at the same time
};

struct EnvCase {
  std::string name;
  std::function<EnvUnderTest()> make;
};

inline void PrintTo(const EnvCase& env_case, std::ostream* out) { *out << env_case.name; }

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

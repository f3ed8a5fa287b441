// Files of the fault layer, for its tests.
#pragma once

#include <string>

#include "engine/io/fault_env.h"
#include "tests/engine/io_env_cases.h"

namespace stela {

constexpr uint64_t kFaultSegment = 4 * kLogBlock;

inline Status write_file(Env& env, const std::string& name, ByteSpan bytes) {
  STELA_ASSIGN(auto writer, env.files().create(name));
  STELA_TRY(writer->append(bytes));
  FileWriter* one = writer.get();
  return env.files().finish({&one, 1});
}

inline std::string text_of(FaultEnv& env, const std::string& name) {
  auto bytes = env.file_bytes(name);
  return bytes.ok() ? std::string(as_text(bytes->span())) : "(" + bytes.status().message() + ")";
}

}  // namespace stela

// Files of MemoryEnv; used by memory_env.cc only.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "engine/base/buffer.h"
#include "engine/io/env.h"

namespace stela {

// What survives a reopening; shared by the environment and all it handed out.
struct MemoryState {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<const Buffer>> files;
  std::set<std::string> folders;
  std::map<uint64_t, std::shared_ptr<Buffer>> segments;
  bool leased = false;
  std::string holder;
};

std::unique_ptr<Files> make_memory_files(std::shared_ptr<MemoryState> state);
std::unique_ptr<ScratchFile> make_memory_scratch();

}  // namespace stela

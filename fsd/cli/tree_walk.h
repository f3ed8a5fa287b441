// Paths of the mount's tree without a mount: what a kernel would do with them, lookup by lookup.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "fsd/tree/tree.h"

namespace stela::fsd {

// One thread. Lookups are given back when it is destroyed.
class TreeWalk {
 public:
  TreeWalk(Tree& tree, const Caller& caller) : tree_(tree), caller_(caller) {}
  ~TreeWalk();
  TreeWalk(const TreeWalk&) = delete;
  TreeWalk& operator=(const TreeWalk&) = delete;

  // "/trips/.versions/latest/fare.npy". Symbolic links are followed, the last one too unless told not to.
  // Errors begin with the path.
  Result<EntryReply> resolve(std::string_view path, bool follow_last = true);
  Result<EntryReply> child(uint64_t directory, std::string_view name);
  // All names but "." and "..".
  Result<std::vector<DirectoryEntry>> list(uint64_t directory);
  // Exact, also where lookup leaves the size out.
  Result<Attributes> attributes(uint64_t node);
  // The file's bytes in pieces; `take` returns a bad status to stop.
  Status read_file(uint64_t node, const std::function<Status(ByteSpan)>& take);
  // For small files such as .schema.json; kLimit beyond 64 MiB.
  Result<std::string> read_text(std::string_view path);

 private:
  Result<EntryReply> step(uint64_t directory, std::string_view name);
  Tree& tree_;
  const Caller caller_;
  std::vector<uint64_t> nodes_;
};

// Components of a path; "." and empty ones left out.
std::vector<std::string> split_path(std::string_view path);

}  // namespace stela::fsd

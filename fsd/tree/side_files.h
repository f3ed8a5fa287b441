// SideFiles: unlisted names beside what the store holds: drafts of new columns, scratch, receipts, refused
// names. They live in memory, bounded, and are found by lookup only.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "fsd/tree/node.h"

namespace stela::fsd {

class Draft;
class DraftTarget;

// A node that is reached through SideFiles.
class SideFile : public Node {
 public:
  using Node::Node;
  FileType type() const override { return FileType::kRegular; }
  // May be dropped when there are too many.
  virtual bool evictable() const { return true; }
  // It goes to another name: what it needs to know about that.
  virtual void renamed(const std::string& place, const std::string& path) = 0;
  // It was removed by name.
  virtual void removed() {}
};
using SideFileRef = std::shared_ptr<SideFile>;

// Thread-safe.
class SideFiles {
 public:
  SideFiles(Clock& clock, size_t files_max) : clock_(clock), files_max_(files_max) {}
  static constexpr int64_t kNoEnd = INT64_MAX;

  // Null when there is none, or its time is over.
  SideFileRef find(const std::string& place);
  // Replaces what is there. `keep_ns`: kNoEnd = until removed.
  void put(const std::string& place, SideFileRef file, int64_t keep_ns = kNoEnd);
  // What was there; null when nothing.
  SideFileRef remove(const std::string& place);
  // Removes it only if it is still that one.
  void remove_if(const std::string& place, const Node* file);
  size_t size() const;

 private:
  struct Slot {
    SideFileRef file;
    int64_t until_ns = 0;
    std::list<std::string>::iterator order;
  };
  SideFileRef erase_locked(const std::string& place);

  Clock& clock_;
  const size_t files_max_;
  mutable std::mutex mutex_;
  std::list<std::string> order_;  // oldest first
  std::unordered_map<std::string, Slot> files_;
};

}  // namespace stela::fsd

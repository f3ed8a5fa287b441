// ViewMemory: what views cost to find out and never changes: sizes, blocks, times, by content identity
// (ENGINE.md section 9).
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/store/store.h"

namespace stela::fsd {

struct ViewFacts {
  std::optional<uint64_t> size;
  std::optional<uint64_t> stored_bytes;
  std::optional<bool> has_nulls;
};

// Thread-safe LRU.
class ViewMemory {
 public:
  static constexpr size_t kFactsMax = 65536;
  ViewFacts find(const std::string& identity);
  // Adds what is set in `facts` to what is known.
  void learn(const std::string& identity, const ViewFacts& facts);

 private:
  struct Known {
    std::string identity;
    ViewFacts facts;
  };
  std::mutex mutex_;
  std::list<Known> order_;  // most recently used first
  std::unordered_map<std::string, std::list<Known>::iterator> known_;
};

// Whose time it is: the values of a column, or which of its rows are null.
enum class ContentPart : char { kValues = 't', kValidity = 'v' };

// Times users set on a column's content, or on a directory as it is. Kept in the catalogue under kViewInfo
// (README.md), written in the background: a lost one shows the commit's time again. Thread-safe.
class ContentTimes {
 public:
  static constexpr size_t kTimesMax = 65536;
  explicit ContentTimes(Store& store) : store_(store) {}
  // `change` is what the times belong to: a column's sequence of change, a directory's changed_ns.
  Result<std::optional<int64_t>> find(NodeId owner, ColumnId column, uint64_t change,
                                      ContentPart part = ContentPart::kValues);
  void set(NodeId owner, ColumnId column, uint64_t change, int64_t mtime_ns, ContentPart part = ContentPart::kValues);
  // Writes what was set since the last call, in one commit.
  Status persist();
  struct Time {
    NodeId owner;
    ColumnId column;
    uint64_t change = 0;
    ContentPart part = ContentPart::kValues;
    int64_t mtime_ns = 0;
  };
  // What was set and not written yet.
  std::vector<Time> unsaved() const;

 private:
  Store& store_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::optional<int64_t>> known_;  // by catalogue key
  std::map<std::string, Time> unsaved_;
};

// The version of `table`, at most `newest`, whose commit is the last one at or before `change`. O(log versions),
// remembered.
class ChangeVersions {
 public:
  Result<VersionInfo> find(const Table& table, const VersionInfo& newest, Sequence change);

 private:
  static constexpr size_t kVersionsMax = 16384;
  std::mutex mutex_;
  std::map<std::pair<uint64_t, uint64_t>, VersionInfo> known_;  // (dataset, change)
};

}  // namespace stela::fsd

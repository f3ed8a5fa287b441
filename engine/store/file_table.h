// Data files by id: open descriptors within a limit, opened sections, ids given out and not yet settled.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <unordered_map>

#include "engine/base/ids.h"
#include "engine/format/fragment.h"
#include "engine/io/env.h"

namespace stela::store {

// Thread-safe. Descriptors: least recently used ones are closed beyond the limit (a reader in use stays
// open until its user lets go).
class FileTable : public format::FileSource {
 public:
  FileTable(Files& files, uint64_t store_id, std::shared_ptr<catalog::BlockCache> cache, uint32_t descriptors_max);

  Result<std::shared_ptr<FileReader>> open(FileId id, format::FileKind kind) override;
  Result<std::shared_ptr<const format::FragmentReader>> section(FileId id, uint64_t offset, uint64_t length);
  // A flat file that this process has written, sealed and made durable needs no verifying before the kernel serves it.
  void trust_written(const format::DataFile& file);
  // Forgets a file that is about to be unlinked.
  void forget(FileId id);

  // A new id; unsettled until settle(). Ids >= lowest_unsettled() may name files that no record does.
  FileId allocate();
  void settle(FileId id);
  uint64_t lowest_unsettled() const;
  uint64_t next_file() const;
  void set_next_file(uint64_t next);

  const format::FragmentContext& context() const { return context_; }

 private:
  template <typename Value>
  struct Lru {
    std::list<std::pair<std::pair<uint64_t, uint64_t>, Value>> order;  // most recent first
    std::map<std::pair<uint64_t, uint64_t>, typename decltype(order)::iterator> places;
    Value* find(std::pair<uint64_t, uint64_t> key);
    void insert(std::pair<uint64_t, uint64_t> key, Value value, size_t limit);
    void erase_first(uint64_t first);
  };
  Files& files_;
  format::FragmentContext context_;
  const uint32_t descriptors_max_;
  mutable std::mutex mutex_;
  Lru<std::shared_ptr<FileReader>> readers_;
  Lru<std::shared_ptr<const format::FragmentReader>> sections_;
  uint64_t next_file_ = 1;
  std::set<uint64_t> unsettled_;
};

}  // namespace stela::store

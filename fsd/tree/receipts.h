// Receipts: names that were committed through a drop box stay addressable: their size, times and version.
// In memory for the tree's life, bounded; written to the catalogue under kReceipt in the background
// (README.md has the bytes).
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "engine/store/store.h"

namespace stela::fsd {

struct Receipt {
  uint64_t size = 0;  // bytes received
  int64_t mtime_ns = 0;
  uint32_t mode = 0644;
  uint32_t uid = 0, gid = 0;
  VersionNumber version;
  // The file's header line, for `>>`; "" when there is none or it is too long.
  std::string head;
};
inline constexpr size_t kReceiptHeadMax = 4096;

std::string encode_receipt(const Receipt& receipt);
bool decode_receipt(std::string_view bytes, Receipt* out);

// Thread-safe.
class Receipts {
 public:
  Receipts(Store& store, uint32_t receipts_max) : store_(store), receipts_max_(receipts_max) {}
  // `name` is the path below the drop box: "day.csv", "null=NA/day.csv".
  Result<std::optional<Receipt>> find(NodeId dataset, const std::string& name);
  void put(NodeId dataset, const std::string& name, Receipt receipt);
  void remove(NodeId dataset, const std::string& name);
  // Writes what changed since the last call, in one commit.
  Status persist();
  size_t size() const;

 private:
  struct Known {
    std::string key;
    std::optional<Receipt> receipt;  // nullopt: known to be absent
  };
  void learn_locked(const std::string& key, std::optional<Receipt> receipt, bool unsaved);

  Store& store_;
  const uint32_t receipts_max_;
  mutable std::mutex mutex_;
  std::list<Known> order_;  // most recently used first
  std::unordered_map<std::string, std::list<Known>::iterator> known_;
  std::map<std::string, std::optional<Receipt>> unsaved_;
};

}  // namespace stela::fsd

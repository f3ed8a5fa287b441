// Keys of the catalogue: node id, kind, rest; memcmp order is the order of iteration.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/coding.h"
#include "engine/base/ids.h"

namespace stela::catalog {

// Numbers are part of the format: append only.
enum class KeyKind : uint8_t {
  kName = 1,        // (parent folder, name)            -> NameEntry
  kNode = 2,        // (node)                           -> NodeEntry
  kVersion = 3,     // (dataset, ~number)               -> VersionEntry; newest first
  kTag = 4,         // (dataset, name)                  -> TagEntry
  kColumn = 5,      // (dataset, column id)             -> ColumnEntry
  kColumnName = 6,  // (dataset, name)                  -> ColumnNameEntry
  kFragment = 7,    // (dataset, group, first row id)   -> FragmentEntry
  kPatch = 8,       // (dataset, column, first row id of a granule) -> PatchEntry
  kDeleted = 9,     // (dataset, block of 2^20 row ids)  -> DeletedEntry
  kIndex = 10,      // reserved
  kReceipt = 11,    // (dataset, drop-box name)         -> ReceiptEntry
  kFile = 12,       // (node 0, file id)                -> FileEntry: a file under data/
  kRemoval = 13,    // (node 0, file id)                -> a file to be unlinked
  kViewInfo = 14,   // (dataset, view identity)         -> remembered size and times
  kFold = 15,       // (dataset, column id)             -> FoldEntry
};

inline std::string prefix(NodeId node, KeyKind kind) {
  std::string key;
  put_ordered(key, node.value);
  key.push_back(static_cast<char>(kind));
  return key;
}
inline std::string key(NodeId node, KeyKind kind) { return prefix(node, kind); }
inline std::string key(NodeId node, KeyKind kind, std::string_view rest) {
  std::string k = prefix(node, kind);
  k.append(rest);
  return k;
}
inline std::string key(NodeId node, KeyKind kind, uint64_t number) {
  std::string k = prefix(node, kind);
  put_ordered(k, number);
  return k;
}
inline std::string key(NodeId node, KeyKind kind, uint64_t first, uint64_t second) {
  std::string k = key(node, kind, first);
  put_ordered(k, second);
  return k;
}
inline bool is_of_kind(std::string_view key, KeyKind kind) {
  return key.size() > 8 && static_cast<uint8_t>(key[8]) == static_cast<uint8_t>(kind);
}
inline std::string version_key(NodeId dataset, VersionNumber number) {
  return key(dataset, KeyKind::kVersion, ~number.value);
}
// The first string after every key that begins with `prefix`; "" when there is none.
std::string prefix_end(std::string_view prefix);
// For messages: "version 3 of node 7", "name \"trips\" in node 1"; any bytes, also malformed ones.
std::string catalog_key_describe(std::string_view key);

}  // namespace stela::catalog

// ContentIdentity: what a file's bytes depend on, as a key (ENGINE.md section 9), and the inode number that
// stands for it.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/coding.h"
#include "engine/store/options.h"

namespace stela::fsd {

// Never 0 or the root's.
inline uint64_t inode_of(std::string_view identity) {
  uint64_t inode = hash64(identity);
  return inode <= 1 ? inode + 2 : inode;
}

// "c" (dataset, column, change, form[, name]): `name` only where it is part of the bytes.
inline std::string column_identity(NodeId dataset, const ColumnInfo& column, std::string_view form, bool shows_name) {
  std::string identity = "c";
  put_ordered(identity, dataset.value);
  put_ordered(identity, column.id.value);
  put_ordered(identity, column.change.value);
  identity.append(form);
  if (shows_name) identity.append("\0", 1).append(column.name);
  return identity;
}

// Of a column in some form. .valid.npy comes right after .npy: programs that copy in order of inode (cp) then write the
// values before their nulls.
inline uint64_t inode_of_view(NodeId dataset, const ColumnInfo& column, std::string_view form, bool shows_name) {
  bool validity = form == ".valid.npy";
  std::string identity = column_identity(dataset, column, validity ? std::string_view(".npy") : form, shows_name);
  uint64_t inode = inode_of(identity);
  if (!validity && form != ".npy") return inode;
  return (inode & ~uint64_t{1}) | static_cast<uint64_t>(validity);
}

// "f" (dataset, version, name): files of a whole table.
inline std::string table_identity(NodeId dataset, VersionNumber version, std::string_view name) {
  std::string identity = "f";
  put_ordered(identity, dataset.value);
  put_ordered(identity, version.value);
  identity.append(name);
  return identity;
}

inline std::string node_identity(NodeId node) {
  std::string identity = "n";
  put_ordered(identity, node.value);
  return identity;
}

}  // namespace stela::fsd

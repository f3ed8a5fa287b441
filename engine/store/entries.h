// Values of the catalogue's entries, one struct a KeyKind, each with a format version of its own.
// decode() is for untrusted bytes: kDamaged with what was being read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/ids.h"
#include "engine/base/status.h"
#include "engine/format/fragment.h"
#include "engine/store/options.h"

namespace stela::store {

// (parent folder, name). node 0: the name is absent from this birth on; `last` then says what it was.
struct NameEntry {
  NodeId node;
  NodeId last;
  int64_t changed_ns = 0;  // 0: not known, of the first stores
  std::string changed_by;
  std::string encode() const;
  static Result<NameEntry> decode(std::string_view bytes);
};

// (node). Rewritten by renames, attribute changes and changes of schema; not by appends.
struct NodeEntry {
  NodeKind kind = NodeKind::kEmpty;
  NodeId parent;
  std::string name;
  NodeAttributes attributes;
  int64_t created_ns = 0;
  int64_t changed_ns = 0;
  bool dropped = false;
  ColumnId next_column{1};
  GroupId next_group{0};
  std::string encode() const;
  static Result<NodeEntry> decode(std::string_view bytes);
};

// What a commit did to its dataset. Numbers are part of the format: append only.
enum class VersionKind : uint8_t {
  kSchema = 1,
  kAppend = 2,
  kAddColumn = 3,
  kReplaceColumn = 4,
  kDropColumn = 5,
  kRenameColumn = 6,
  kRestore = 7,
  kUpdate = 8,
  kTransaction = 9,  // several of these together
};

// (dataset, ~number).
struct VersionEntry {
  VersionKind kind = VersionKind::kAppend;
  VersionInfo info;
  std::string encode() const;
  static Result<VersionEntry> decode(std::string_view bytes);
};

// (dataset, tag name). version 0: removed.
struct TagEntry {
  VersionNumber version;
  int64_t time_ns = 0;
  std::string encode() const;
  static Result<TagEntry> decode(std::string_view bytes);
};

// (dataset, column id).
struct ColumnEntry {
  std::string name;
  DataType type;
  bool nullable = true;
  GroupId group;
  bool dropped = false;
  Sequence created;  // commit that gave it its values: create, replace
  Sequence patched;  // newest commit that changed cells of it in place; 0: none did
  // What its patches add to the nulls and value bytes of what is stored below them.
  int64_t nulls_added = 0;
  int64_t bytes_added = 0;
  std::string encode() const;
  static Result<ColumnEntry> decode(std::string_view bytes);
};

// (dataset, column name). column 0: no column has the name from this birth on.
struct ColumnNameEntry {
  ColumnId column;
  std::string encode() const;
  static Result<ColumnNameEntry> decode(std::string_view bytes);
};

// (dataset, group, first row id): a section that holds rows [first, first + rows) of the group, from `skip` on.
struct FragmentEntry {
  FileId file;
  uint64_t offset = 0;
  uint64_t length = 0;
  uint64_t rows = 0;
  uint64_t bytes = 0;  // stored bytes of the section with its flat files, for merge choices
  std::vector<FileId> flats;
  uint64_t skip = 0;  // rows of the section before the first of these
  std::string encode() const;
  static Result<FragmentEntry> decode(std::string_view bytes);
};

// (dataset, column): its rows [0, fragment.rows) with every patch taken in that was born at or before this entry.
struct FoldEntry {
  FragmentEntry fragment;
  int64_t nulls_added = 0;  // of the column's entry at that time
  int64_t bytes_added = 0;
  std::string encode() const;
  static Result<FoldEntry> decode(std::string_view bytes);
};

// (node 0, file id): a data file that some entry names (kFile), or that is to be unlinked (kRemoval).
struct FileEntry {
  format::FileKind kind = format::FileKind::kFragment;
  uint64_t bytes = 0;
  std::string encode() const;
  static Result<FileEntry> decode(std::string_view bytes);
};

}  // namespace stela::store

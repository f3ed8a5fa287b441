// Fragments of a dataset as they are replaced by others that hold the same rows: what merging, folding and compaction
// share.
#pragma once

#include <map>
#include <vector>

#include "engine/store/builder.h"
#include "engine/store/core.h"

namespace stela::store {

struct Part {
  uint64_t first_row = 0;
  Sequence birth;
  FragmentEntry entry;
  bool operator==(const Part& other) const {
    return first_row == other.first_row && birth == other.birth && entry.encode() == other.entry.encode();
  }
};
using GroupParts = std::map<GroupId, std::vector<Part>>;

// Of a dataset, in order of their first rows.
Result<GroupParts> read_parts(const catalog::CatalogState& catalog, catalog::Stamp stamp, NodeId dataset);
// Groups whose parts begin and end at the same rows are rewritten together, into one file.
std::vector<std::vector<GroupId>> alike_groups(const GroupParts& parts);
// Columns of `groups`, of all where there are none, dropped ones too: old versions still show them.
Result<std::map<ColumnId, DataType>> columns_of(const catalog::CatalogState& catalog, catalog::Stamp stamp,
                                                NodeId dataset, const std::vector<GroupId>& groups);
// Begins a section of `writer` and copies the rows of neighbouring `parts` into it.
Status copy_parts(FileTable& files, const std::vector<Part>& parts, const std::map<ColumnId, DataType>& columns,
                  format::FragmentWriter& writer);

// A section that holds the rows of neighbouring parts of a group.
struct Replacement {
  GroupId group;
  std::vector<Part> parts;
  format::SectionInfo section;
};
// The sections of a finished writer stand in for the parts, in all versions at once: parts that hold appended rows only
// may have the oldest birth, since a version's end hides what came later.
void put_replacements(Builder& builder, NodeId dataset, const std::vector<Replacement>& replacements,
                      const format::FragmentWriter& writer);
// The files of a finished writer become known, and after that commit settled.
void put_files(Builder& builder, const format::FragmentWriter& writer);
void settle_files(Core& core, const format::FragmentWriter& writer);
uint64_t bytes_of(const format::FragmentWriter& writer);

}  // namespace stela::store

// SpecialNames: the dot names of a dataset, reached by lookup. Adding one = one file pair that defines it
// and one line in special_names.cc.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fsd/ingest/ingest.h"
#include "fsd/tree/dataset_place.h"

namespace stela::fsd {

class SpecialName {
 public:
  virtual ~SpecialName() = default;
  virtual bool matches(std::string_view name) const = 0;
  virtual Result<NodeRef> open(TreeContext& context, const DatasetPlace& place, std::string_view name) const = 0;
  // A file of that name is made and opened for writing; refuse_creation() unless overridden.
  virtual Result<Created> create(TreeContext& context, const DatasetPlace& place, std::string_view name, uint32_t flags,
                                 const Caller& caller) const;
  // A finished file takes the name (an atomic saver's rename); refused unless overridden.
  virtual Status take(TreeContext& context, const DatasetPlace& place, std::string_view name, ByteSource& source,
                      const Caller& caller) const;
  // Why nobody creates a file or directory of that name.
  virtual Status refuse_creation(const std::string& path) const;
  // Names that `-o special=listed` shows there.
  virtual std::vector<DirectoryEntry> listed(const DatasetPlace&) const { return {}; }
};

// Null when the name is not special. Those that come first win.
const SpecialName* find_special_name(std::string_view name);
std::span<const SpecialName* const> all_special_names();

// Defined in their own files.
const SpecialName& versions_name();      // .versions
const SpecialName& tags_name();          // .tags
const SpecialName& times_name();         // .at
const SpecialName& drop_box_name();      // .append
const SpecialName& table_files_name();   // .schema.json .stats.json .commit.json .table.csv
const SpecialName& transactions_name();  // .tx
const SpecialName& coming_names();       // what answers "not supported yet"

}  // namespace stela::fsd

// A dataset, and a version of it, by a path as in the mount: "/trips", "/trips/.versions/7", "/trips/.tags/v1".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/store/store.h"
#include "fsd/daemon/verb.h"

namespace stela::fsd {

struct DatasetPath {
  std::string dataset;  // "/trips"
  Table table;
  Snapshot snapshot;  // of the version named, the newest one otherwise; empty before the first version
  std::string rest;   // below it: "fare.npy", or ""
};

// kNotFound and kInvalid name the path.
Result<DatasetPath> find_dataset(const VerbContext& context, std::string_view path);
// The column whose name or file the rest of the path is; all of them where there is no rest. It has a snapshot.
Result<std::vector<ColumnInfo>> columns_of(const DatasetPath& found);

}  // namespace stela::fsd

// DatasetPlace: a dataset as the tree shows it somewhere: at its head, or inside one version.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/store/store.h"
#include "fsd/tree/node.h"
#include "fsd/views/view.h"

namespace stela::fsd {

struct DatasetPlace {
  NodeId dataset;
  VersionNumber version;  // 0 = the head, whatever it is when asked

  bool head() const { return version.value == 0; }
  // Of the directory that shows it.
  std::string directory_key() const;
  std::string path(const TreeContext& context) const;
  // kNotFound at the head before the first version.
  Result<Snapshot> snapshot(TreeContext& context) const;
};

// Mode bits a file or directory of the dataset shows: the dataset's own, less execution for files, less
// writing inside a version.
uint32_t file_mode(const NodeAttributes& owner, bool head);
uint32_t directory_mode(const NodeAttributes& owner, bool head);

// The column a view's file name stands for; kNotFound.
struct FoundView {
  ColumnInfo column;
  const ViewForm* form = nullptr;
};
Result<FoundView> find_view(const Snapshot& snapshot, std::string_view file_name);

// Names a listing of the dataset shows: each column in its listed form, .valid.npy after it where nulls are.
Result<std::vector<DirectoryEntry>> list_columns(TreeContext& context, const Snapshot& snapshot);
Result<bool> column_has_nulls(TreeContext& context, const Snapshot& snapshot, const ColumnInfo& column);

// Why a change that leaves mode or owner of a file other than its dataset's is refused; ok when nothing
// would change.
Status keep_ownership(const SetAttributes& set, const Attributes& now, const std::string& path);

}  // namespace stela::fsd

// InPlaceTarget: a column, or its nulls, opened for writing without O_TRUNC: what differs at a commit is an update of
// those cells.
#pragma once

#include <memory>
#include <string>

#include "fsd/tree/draft.h"
#include "fsd/tree/overlay.h"
#include "fsd/tree/view_file.h"

namespace stela::fsd {

struct InPlace {
  std::unique_ptr<Overlay> bytes;
  std::unique_ptr<DraftTarget> target;  // refers to `bytes`
};

// `column`: the .npy or .valid.npy that was opened; what it shows is what the writer stands on. The first committer of
// a cell wins; the handle's own commits are no conflict for it.
Result<InPlace> begin_in_place(TreeContext& context, NodeId dataset, const std::string& file_name,
                               const ColumnFile& column, const Caller& caller);

}  // namespace stela::fsd

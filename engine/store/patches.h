// Reading of patches: the cells of one column, changed in place, as one version sees them.
#pragma once

#include <functional>
#include <vector>

#include "engine/catalog/catalog.h"
#include "engine/store/options.h"
#include "engine/store/patch_entry.h"
#include "engine/types/column.h"

namespace stela::store {

class FileTable;

struct BornPatch {
  Sequence birth;
  PatchEntry entry;
};

// kNeeded: those that still give a cell to somebody, which are few however many there were; a patch that repeats others
// hides them.
enum class WhichPatches : uint8_t { kAll, kNeeded };

// Visits the granules of a column in order of row that have a patch born after `after` which a reader at `stamp` sees,
// beginning with the granule at `first` and ending before `end`; patches newest first. `visit` returns false to end.
Status for_each_patched_granule(
    const catalog::CatalogState& catalog, catalog::Stamp stamp, NodeId dataset, ColumnId column, WhichPatches which,
    Sequence after, uint64_t first, uint64_t end,
    const std::function<Result<bool>(uint64_t granule_first, std::vector<BornPatch>& patches)>& visit);

// Cells that lie over the stored values: rows ascending, and a value for each.
struct PatchedCells {
  std::vector<uint64_t> rows;
  ColumnData values;
};

// Of one column as one version sees it. Immutable and thread-safe; what it refers to outlives it.
class PatchReader {
 public:
  PatchReader(FileTable& files, const catalog::CatalogState& catalog, catalog::Stamp stamp, NodeId dataset,
              const ColumnInfo& column)
      : files_(files), catalog_(catalog), stamp_(stamp), dataset_(dataset), column_(column) {}

  // Those of rows [first, first + count).
  Result<PatchedCells> cells(uint64_t first, uint64_t count) const;
  // Of one granule, and how many patches they were found in.
  struct Granule {
    size_t patches = 0;
    PatchedCells cells;
  };
  Result<Granule> granule(uint64_t granule_first) const;

 private:
  Status resolve(uint64_t granule_first, const std::vector<BornPatch>& patches, uint64_t first, uint64_t end,
                 PatchedCells& out) const;
  Result<ColumnData> values_of(const PatchEntry& entry, size_t count) const;

  FileTable& files_;
  const catalog::CatalogState& catalog_;
  const catalog::Stamp stamp_;
  const NodeId dataset_;
  const ColumnInfo& column_;
};

}  // namespace stela::store

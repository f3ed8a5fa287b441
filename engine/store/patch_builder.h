// PatchBuilder: changed cells of one column, made into patches outside all locks, for one commit.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/store/appender.h"
#include "engine/store/cells.h"

namespace stela::store {

// One thread at a time. Memory: a granule, what travels in the log, and the rows of each patch.
class PatchBuilder {
 public:
  // `before`: what the cells hold as the writer knows them. `column`: as it has it, also a dropped one.
  PatchBuilder(StoreImpl& store, std::shared_ptr<const SnapshotImpl> before, ColumnInfo column);

  const ColumnInfo& column() const { return column_; }
  // Row ids, ascending, above those of earlier calls; cells that hold these values already are left out.
  Status write(std::span<const uint64_t> ids, const ColumnView& values);
  uint64_t cells() const { return cells_; }
  // Behind the last row id that holds a changed cell.
  uint64_t end() const { return end_; }
  // Files are durable when it returns ok. Afterwards only what follows may be called.
  Status finish();
  bool empty() const { return plans_.empty(); }
  uint64_t bytes() const { return fragment_ ? fragment_->bytes() : bytes_; }
  // kConflict when a patch born after `base`, none of `own` nor of the commit's other members, wrote one of these
  // cells.
  Status check_conflicts(const Builder& builder, Sequence base, const std::vector<Sequence>& own) const;
  // kConflict when one of these rows is none of `living`.
  Status check_living(const Builder& builder, const LivingRows& living, Sequence rows_changed) const;
  // Adds the patches; `entry` is the column's, for the caller to write.
  void put(Builder& builder, ColumnEntry* entry) const;
  // After a commit that was refused, and whose outcome is known.
  void remove() const {
    if (fragment_) fragment_->remove();
  }
  void settle() const {
    if (fragment_) fragment_->settle();
  }

 private:
  // A patch to be: its entry but for the place of its cells.
  struct Plan {
    uint64_t granule = 0;
    uint64_t cells = 0;
    PatchEntry entry;
  };
  Status take(uint64_t first_id, const ColumnView& values);
  Status close_granule();
  Status put_cells(const ColumnView& values);
  std::string key_of(const Plan& plan) const;

  StoreImpl& store_;
  Core& core_;
  const std::shared_ptr<const SnapshotImpl> before_;
  const ColumnInfo column_;
  const uint64_t granule_rows_;
  uint64_t cells_ = 0;
  uint64_t end_ = 0;
  uint64_t bytes_ = 0;
  int64_t nulls_added_ = 0;
  int64_t bytes_added_ = 0;
  uint64_t granule_ = 0;  // first row of the one being filled
  GranuleRows granule_written_;
  ColumnData granule_values_;
  std::vector<Plan> plans_;
  uint64_t placed_ = 0;  // cells in `buffered_` or the fragment
  ColumnData buffered_;
  std::unique_ptr<PreparedFragment> fragment_;
};

}  // namespace stela::store

// The inside of a Snapshot: a read view, the version's entry, and the pieces of the groups it was asked for.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "engine/store/core.h"
#include "engine/store/entries.h"
#include "engine/store/living_rows.h"
#include "engine/store/patches.h"
#include "engine/store/snapshot.h"

namespace stela {

// Where rows of one group, or of a folded column, lie; exactly one of section and tail is set. Clipped to the version's
// rows.
struct GroupPiece {
  uint64_t first_row = 0;
  uint64_t rows = 0;  // of this version within the piece
  std::optional<store::FragmentEntry> fragment;
  std::shared_ptr<const store::Tail> tail;
  uint64_t offset = 0;  // of first_row within the fragment or tail
};

class SnapshotImpl {
 public:
  SnapshotImpl(store::Core& core, store::ReadView view, NodeId dataset, VersionInfo version)
      : core_(core), view_(std::move(view)), dataset_(dataset), version_(std::move(version)) {}

  NodeId dataset() const { return dataset_; }
  const VersionInfo& version() const { return version_; }
  store::Core& core() const { return core_; }
  const store::ReadView& view() const { return view_; }
  catalog::Stamp stamp() const { return view_.stamp(version_.sequence); }

  Result<ColumnInfo> column(std::string_view name) const;
  // Also of a dropped one; kNotFound when it has none of that id.
  Result<ColumnInfo> column(ColumnId id) const;
  Status for_each_column(const std::function<bool(const ColumnInfo&)>& visit) const;
  struct Fold {
    Sequence birth;
    store::FoldEntry entry;
  };
  using FoldPtr = std::shared_ptr<const Fold>;  // null: there is none
  Result<FoldPtr> fold(ColumnId column) const;
  // A column as this snapshot lies: the one given may be of another snapshot of the version, which saw another fold.
  class Current {
   public:
    explicit Current(const ColumnInfo& given) : given_(&given) {}
    Current(const ColumnInfo& given, Sequence folded) : given_(&given), own_(given) { own_->folded = folded; }
    const ColumnInfo& info() const { return own_ ? *own_ : *given_; }

   private:
    const ColumnInfo* given_;
    std::optional<ColumnInfo> own_;
  };
  Result<Current> current(const ColumnInfo& given) const;

  // Which rows the version has; as long as this lives.
  Result<const store::LivingRows*> living() const;

  using Pieces = std::shared_ptr<const std::vector<GroupPiece>>;
  // Of one group, ascending by row id; they may leave gaps where no row lives (check_gap).
  Result<Pieces> pieces(GroupId group) const;
  // kDamaged when a row in [first, end) lives that no piece of the column holds.
  Status check_gap(const ColumnInfo& column, uint64_t first, uint64_t end) const;
  // What lies below the patches that has_patches() speaks of.
  Result<Pieces> pieces(const ColumnInfo& column) const;
  // Null when the section does not hold the column: its rows are null there.
  Result<std::shared_ptr<const format::ColumnChunk>> chunk(const GroupPiece& piece, ColumnId column) const;
  // `column` outlives it.
  store::PatchReader patches(const ColumnInfo& column) const {
    return store::PatchReader(*core_.files, view_.catalog(), stamp(), dataset_, column);
  }
  // Names dataset, version, column and rows before the sentence of a damage.
  Status locate(const Status& status, const std::string& column, uint64_t first_row, uint64_t rows) const;

  // In a transaction: row ids of the dataset when that began.
  Result<uint64_t> row_ids_of_base() const;

 private:
  Result<ColumnInfo> info_of(ColumnId id, const store::ColumnEntry& entry) const;

  store::Core& core_;
  store::ReadView view_;
  const NodeId dataset_;
  const VersionInfo version_;
  mutable std::mutex mutex_;
  mutable std::unique_ptr<const store::LivingRows> living_;
  mutable std::map<GroupId, Pieces> pieces_;
  mutable std::map<ColumnId, FoldPtr> folds_;  // of columns with patches
  mutable std::map<ColumnId, Pieces> folded_pieces_;
};

}  // namespace stela

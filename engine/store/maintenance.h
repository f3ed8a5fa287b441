// The maintenance lane: flush, merge of runs, merge of fragments, folding of patches, removal of files. One job at a
// time; each is new files first, then one record or manifest.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "engine/store/committer.h"
#include "engine/store/core.h"
#include "engine/store/fragment_parts.h"
#include "engine/store/manifest.h"

namespace stela::store {

class Maintenance {
 public:
  // `manifest` is the one the store was opened from.
  Maintenance(Core& core, Committer& committer, LogDevice& log, Manifest manifest);

  // One round; with `force_flush`, `force_fold` whatever the thresholds. Any thread; rounds take turns. After an error
  // the store is as it was; a failed sync turns it read-only.
  Status run(bool force_flush, bool force_fold);
  // Flush and, when nothing came after it, a manifest that says the store was closed.
  Status close();
  // Removes files that recovery found named by nothing, and finishes removals begun before.
  Status clean_up_after_recovery();
  // Makes the reserve file if it is absent.
  Status refill_reserve();
  bool due() const;
  // A dataset got a fragment: it is looked at for merging in the next round.
  void note_grown(NodeId dataset);
  // Cells of a column of about that many bytes were changed: it is folded when it has been left alone.
  void note_patched(NodeId dataset, ColumnId column, uint64_t column_bytes);
  // Rewrites what the dataset's fragments and folded columns hold: in cold mode where that makes them smaller, in light
  // mode always. Tails and patches that are not folded stay. Any thread; an error leaves what was done before it.
  Result<CompactionReport> compact(NodeId dataset, const CompactionOptions& options);
  // Until a column is due to be folded; the largest number when none is.
  int64_t next_fold_ns() const;

 private:
  Status run_round(bool force_flush, bool force_fold);
  Status flush(bool clean);
  Status flush_with_reserve(bool clean);
  Status write_tails(const Committer::Cut& cut, std::vector<catalog::Entry>& entries);
  Result<std::shared_ptr<const catalog::RunReader>> write_run(std::unique_ptr<catalog::EntryIterator> source,
                                                              const std::vector<catalog::Entry>& more,
                                                              bool drop_superseded);
  Status install_manifest(Manifest next);
  Status merge_runs();
  Status merge_fragments();
  Result<std::vector<NodeId>> datasets_to_merge();
  Status merge_dataset(NodeId dataset);
  Status find_patched_columns();
  Status fold_columns(bool force);
  Status fold_column(NodeId dataset, ColumnId id);
  using GoOn = std::function<Status(uint64_t bytes)>;  // after so many more; an error ends it
  Status compact_groups(NodeId dataset, const std::vector<GroupId>& groups, bool cold, const GoOn& go_on);
  Result<bool> install_parts(NodeId dataset, const std::vector<Replacement>& replacements,
                             const format::FragmentWriter& writer);
  Status compact_fold(NodeId dataset, ColumnId id, bool cold, const GoOn& go_on);
  Status remove_files();
  Status note_failure(const Status& status);

  Core& core_;
  Committer& committer_;
  LogDevice& log_;
  std::mutex lane_;  // before every other lock of the store
  Manifest manifest_;
  bool reserve_present_ = false;
  bool files_may_be_unused_ = true;
  bool look_at_all_ = true;
  bool patches_found_ = false;
  mutable std::mutex grown_mutex_;  // innermost
  std::set<NodeId> grown_;          // datasets that got a fragment since the last look at merging
  std::map<std::pair<NodeId, ColumnId>, int64_t> fold_due_ns_;  // columns with patches
};

inline constexpr const char* kReserveName = "reserve";

// How many living entries of fragments and patches name each data file. O(fragments + patches).
Result<std::map<FileId, uint64_t>> count_file_uses(const catalog::CatalogState& catalog, Sequence q);

}  // namespace stela::store

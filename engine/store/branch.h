// Branch: what a transaction did so far, visible to itself only.
//
// Its entries and rows lie in a table and a set of tails of its own, above the state it began on, under sequences that
// were reserved at its beginning: a reader at such a sequence sees the base and the transaction's own changes, and
// nothing that others commit later. Each change is kept as a function that is run again, against the newest state, at
// the commit.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/store/committer.h"
#include "engine/store/store.h"

namespace stela::store {

// Thread-safe.
class Branch {
 public:
  static constexpr uint64_t kChangesMax = 1 << 16;
  static constexpr uint64_t kNodesMax = 1 << 12;  // that it may make

  // A change: what it says at the commit, what follows when that is durable, and what when it never will be: files that
  // nothing names go. All own what they use.
  struct Change {
    NodeId dataset;  // 0: of names
    std::function<Status(Builder&, VersionInfo*)> build;
    std::function<void()> committed, dropped;
  };

  Branch(Core& core, Committer& committer);
  ~Branch();

  // Of the branch as it is now.
  ReadView view() { return states_.view(); }
  // The sequence of the state it began on.
  Sequence base() const { return base_.q(); }
  // Runs the change on the branch, and keeps it: a version of its own there. kLimit when they would not fit one group
  // of the log. kConflict once the transaction ended. One that fails is dropped at once.
  Status stage(Change change, VersionInfo* version);
  // The same of datasets' and folders' names: at the commit each must mean what it means here. Afterwards anything else
  // that is in the way is kConflict.
  Status stage_names(std::vector<FolderName> names, Committer::Build build);
  // For a directory that is made in it; kLimit.
  Result<NodeId> new_node();
  std::vector<FolderName> names() const;
  // Values of a change up to this many bytes are kept in memory and travel in the log; larger ones are written to files
  // when they are staged, and all are once there are many.
  uint64_t inline_bytes_max() const;
  // Changes so far.
  uint64_t changes() const;
  // Ends it without a commit; stage() and commit() give this status from now on.
  void give_up(Status why);
  // What the commit would say now: kConflict with its sentence, or ok. Changes nothing.
  Status check() const;
  // All changes as one commit, one version in each dataset. Once; afterwards, and after a failure, nothing is kept but
  // what was staged, so that a failed one may be tried again.
  Result<std::vector<std::pair<NodeId, VersionInfo>>> commit(const CommitInfo& info);

 private:
  Branch(Core& core, Committer& committer, Committer::Reserved reserved);
  Status run_on_branch(const Change& change, VersionInfo* version);
  uint64_t log_bytes_max() const;
  uint64_t log_bytes_of(const std::vector<catalog::Entry>& entries, const std::vector<RowChunk>& chunks) const;
  std::vector<Committer::Build> members(const CommitInfo& info, std::map<NodeId, VersionInfo>* versions) const;

  Core& core_;
  Committer& committer_;
  mutable std::mutex mutex_;
  ReadView base_;
  const Sequence first_;
  const NodeId first_node_;
  uint64_t nodes_ = 0;  // given
  std::vector<FolderName> names_;
  Sequence newest_;
  std::shared_ptr<catalog::MemTable> table_;
  std::shared_ptr<TailSet> tails_;
  StateHolder states_;
  std::vector<Change> changes_;
  uint64_t log_bytes_ = 0;  // of what the commit writes to the log, about
  Status ended_;            // not ok: committed or given up, and why nothing more is taken
  bool committed_ = false;
  bool uncertain_ = false;  // a commit failed in a way that leaves its outcome to the next opening
};

}  // namespace stela::store

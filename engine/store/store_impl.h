// The inside of a Store: its parts, put together by opening, and the thread of the maintenance lane.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "engine/store/branch.h"
#include "engine/store/committer.h"
#include "engine/store/core.h"
#include "engine/store/maintenance.h"
#include "engine/store/store.h"

namespace stela {

class StoreImpl {
 public:
  static Result<std::unique_ptr<StoreImpl>> create(std::shared_ptr<Env> env, const StoreOptions& options);
  static Result<std::unique_ptr<StoreImpl>> open(std::shared_ptr<Env> env, const StoreOptions& options);
  ~StoreImpl();
  Status close();

  // The store as a transaction sees it; nothing of it outlives `parent`.
  static std::unique_ptr<StoreImpl> branch_of(StoreImpl& parent);

  store::Core& core() { return parent_ != nullptr ? parent_->core_ : core_; }
  store::ReadView view() { return branch_ != nullptr ? branch_->view() : core_.states.view(); }
  // Null but in a transaction.
  store::Branch* branch() { return branch_.get(); }
  uint64_t inline_bytes_max() {
    return branch_ != nullptr ? branch_->inline_bytes_max() : core_.options.inline_bytes_max;
  }
  // Of changes that no transaction holds: kUnsupported in one.
  Result<CommitResult> commit(store::Privilege privilege, const store::Committer::Build& build);
  store::Committer& committer() { return parent_ != nullptr ? *parent_->committer_ : *committer_; }
  store::Maintenance& maintenance() { return parent_ != nullptr ? *parent_->maintenance_ : *maintenance_; }
  LogDevice& log() { return parent_ != nullptr ? *parent_->log_ : *log_; }
  // A commit gave the dataset a fragment: there may be something to merge.
  void grown(NodeId dataset) {
    if (parent_ != nullptr) return parent_->grown(dataset);
    maintenance_->note_grown(dataset);
    committer_->wake_maintenance();
  }

  // Cells of it were changed in place: it is folded in time.
  void patched(NodeId dataset, ColumnId column, uint64_t column_bytes) {
    if (parent_ != nullptr) return parent_->patched(dataset, column, column_bytes);
    maintenance_->note_patched(dataset, column, column_bytes);
    committer_->wake_maintenance();
  }

  // The version of `dataset` that is newest, or has this number; kNotFound says which is missing.
  Result<std::shared_ptr<const SnapshotImpl>> snapshot(NodeId dataset, VersionNumber number);
  Result<store::VersionEntry> version_entry(const store::ReadView& view, NodeId dataset, VersionNumber number);

 private:
  StoreImpl() = default;
  static Result<std::unique_ptr<StoreImpl>> open_with_lease(std::shared_ptr<Env> env, const StoreOptions& options,
                                                            std::unique_ptr<Lease> lease);
  Status recover(const store::Manifest& manifest);
  Status count_data_files();
  void start_lane();
  void lane();

  StoreImpl* parent_ = nullptr;
  std::unique_ptr<store::Branch> branch_;
  store::Core core_;
  std::unique_ptr<Lease> lease_;
  std::unique_ptr<LogDevice> log_;
  std::unique_ptr<store::Committer> committer_;
  std::unique_ptr<store::Maintenance> maintenance_;
  bool closed_ = false;

  std::mutex lane_mutex_;
  std::condition_variable lane_wake_;
  bool lane_woken_ = false;
  bool lane_stop_ = false;
  std::thread lane_thread_;
};

}  // namespace stela

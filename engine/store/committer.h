// Committer: orders commits, writes them to the log in groups, publishes them.
//
// The first waiting thread leads: it builds every waiting commit in order against the newest state, writes
// one group, syncs once, makes the group visible, and wakes the others.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>

#include "engine/log/log_writer.h"
#include "engine/store/builder.h"
#include "engine/store/core.h"

namespace stela::store {

// kOrdinary: user data; waits while too much is unflushed, refused when the disk is full.
// kRemoval: drops, removals, tags: may use what is kept in reserve.
// kInternal: relocations by the maintenance lane; never waits for a flush.
enum class Privilege : uint8_t { kOrdinary, kRemoval, kInternal };

class Committer {
 public:
  using Build = std::function<Status(Builder&)>;
  // What recovery found; the committer goes on from there.
  struct Start {
    log::LogTail tail;
    Sequence newest;
    int64_t newest_time_ns = 0;
    uint64_t next_node = 2;
    std::shared_ptr<catalog::MemTable> table;
    std::shared_ptr<TailSet> tails;
    uint64_t log_checkpoint = 0;  // position the newest manifest starts replay at
  };

  Committer(Core& core, LogDevice& log, Start start);

  // The group that names this opening; before the first commit.
  Status begin_epoch();
  // Durable and visible when it returns ok. kReadOnly once the store stopped writing; kNoSpace when the
  // log cannot grow; kIo when this very group failed: its outcome is known after reopening.
  Result<CommitResult> commit(Privilege privilege, const Build& build) { return commit(privilege, {&build, 1}); }
  // Several that take place together or not at all, each over those before it; readers see all or none. The result is
  // that of the last.
  Result<CommitResult> commit(Privilege privilege, std::span<const Build> members);

  // Sequences that no commit will have, node ids that no other will give, and a view of everything before them.
  struct Reserved {
    ReadView base;
    Sequence first;
    NodeId first_node;
  };
  Reserved reserve(uint64_t sequences, uint64_t nodes);

  // What a flush begins with: at a boundary between groups, with none in flight.
  struct Cut {
    std::shared_ptr<const catalog::MemTable> table;               // frozen
    std::shared_ptr<const TailSet> tails;                         // frozen
    std::vector<std::shared_ptr<const catalog::RunReader>> runs;  // those of commits before the cut
    log::LogTail log;
    Sequence sequence;  // the flush's own
    int64_t time_ns = 0;
    uint64_t next_node = 0;
  };
  // Freezes the active table and tails and puts fresh ones above them.
  Cut cut();
  // The flush of `cut` is durable: the frozen tables and tails it wrote leave the state for `runs`.
  void finish_cut(const Cut& cut, const std::vector<std::shared_ptr<const catalog::MemTable>>& tables,
                  const std::vector<std::shared_ptr<const TailSet>>& tails,
                  std::vector<std::shared_ptr<const catalog::RunReader>> runs);
  // Replaces the set of runs (after a merge of runs).
  void replace_runs(const std::function<std::vector<std::shared_ptr<const catalog::RunReader>>(
                        const std::vector<std::shared_ptr<const catalog::RunReader>>&)>& change);

  // A record that replay found: makes it visible. Only before begin_epoch().
  Status apply_recovered(Record record);
  // Where replay ended.
  void recovered_to(const log::LogTail& tail);

  uint64_t log_bytes_since_checkpoint() const;
  // Active and frozen tails.
  uint64_t tail_bytes() const;
  uint64_t tail_rows() const;
  bool has_unflushed() const;
  log::LogTail log_tail() const;
  uint64_t next_node() const;
  int64_t newest_time_ns() const;
  // Prepares segments ahead of the log; called by the maintenance lane.
  Status prepare_ahead();
  // Ordinary commits are refused while the reserve could not be refilled.
  void set_reserve_missing(bool missing);
  // Called (without locks) when a flush would be good.
  void set_wake_maintenance(std::function<void()> wake) { wake_ = std::move(wake); }
  // Without locks.
  void wake_maintenance() const {
    if (wake_) wake_();
  }
  // Wakes commits that wait for room; a failed flush tells them why.
  void flush_ended(const Status& status);

 private:
  struct Request {
    Privilege privilege;
    std::span<const Build> members;
    bool done = false;
    Status status;            // of this request
    Code failed = Code::kOk;  // of the group: what it says is in the latch
    CommitResult result;
    std::condition_variable woken;  // done, or the first of the queue
  };
  struct Built {
    Request* request;
    Record record;
    std::vector<std::shared_ptr<const catalog::RunReader>> runs;
  };

  // The segment of the last finished group's end.
  uint64_t first_segment() const { return published_tail_.position / log_.segment_bytes(); }
  Status admit(std::unique_lock<std::mutex>& lock, Privilege privilege);
  void gather(std::unique_lock<std::mutex>& lock);
  void lead(std::unique_lock<std::mutex>& lock);
  // What one request makes, not yet in any group.
  struct Draft {
    std::vector<Built> built;
    std::string records;
    PendingGroup values;
    uint64_t next_node = 0;
  };
  Status build_request(Request& request, const PendingGroup& group, uint64_t built_before, int64_t time_before_ns,
                       Draft& draft);
  // Builds members until the group is full; returns how many requests were taken.
  size_t build_group(std::span<Request* const> requests, std::vector<Built>& built, std::string& payload);
  // Builds, writes and publishes a group, without the lock; returns how many requests were taken.
  size_t run_group(std::span<Request* const> requests, std::vector<Built>& built, Status& status);
  Status write_large_entries(Built& built);
  Status ensure_segments(uint64_t payload_bytes, bool privileged);
  Status write_group(std::vector<Built>& built, const std::string& payload);
  void publish(std::vector<Built>& built);
  void insert(const Record& record);
  void add_runs(const std::vector<std::shared_ptr<const catalog::RunReader>>& runs);

  Core& core_;
  LogDevice& log_;
  std::function<void()> wake_;

  // Lock order: mutex_ before StateHolder's, FileTable's and TailSet's.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Request*> queue_;
  bool leading_ = false;
  size_t expected_ = 0;  // commits that the next group may hold: members of the last, and those that waited for it
  bool gathering_ = false;
  std::condition_variable gathered_;
  uint64_t segments_ahead_ = 0;  // prepare_ahead() made those below this number
  bool reserve_missing_ = false;
  uint64_t log_checkpoint_ = 0;
  uint64_t flushes_ended_ = 0;
  Status last_flush_;

  log::LogTail published_tail_;  // as of the last finished group
  uint64_t published_next_node_ = 2;
  int64_t published_time_ns_ = 0;

  // Touched by the leader only, that is by the thread that set leading_.
  int64_t last_sync_ns_ = 0;  // what the last group's write took
  std::unique_ptr<log::LogWriter> writer_;
  Sequence newest_;
  int64_t newest_time_ns_;
  uint64_t next_node_;
  uint64_t prepared_segments_ = 0;  // segments below this number are ready
  std::shared_ptr<catalog::MemTable> table_;
  std::shared_ptr<TailSet> tails_;
  std::string sealed_without_memory_;  // made while there is memory
};

}  // namespace stela::store

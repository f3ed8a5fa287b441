#include "engine/store/committer.h"

#include <algorithm>
#include <chrono>

#include "engine/base/canary.h"
#include "engine/store/manifest.h"

namespace stela::store {

namespace {

// Segments that stay untouched by ordinary commits, so that removals can be logged on a full disk.
constexpr uint64_t kSparedSegments = 1;
// A group waits this part of a sync's time for the writers that are on their way with their next commit.
constexpr int64_t kGatherPart = 2;
constexpr int64_t kGatherMaxNs = 500'000;

std::string sealed(const std::string& reason) {
  return reason +
         "; the store is read-only until it is opened again, and whether the last commit took place is known then";
}

}  // namespace

Committer::Committer(Core& core, LogDevice& log, Start start)
    : core_(core),
      log_(log),
      log_checkpoint_(start.log_checkpoint),
      published_tail_(start.tail),
      published_next_node_(start.next_node),
      published_time_ns_(start.newest_time_ns),
      writer_(std::make_unique<log::LogWriter>(log, core.store_id, start.tail)),
      newest_(start.newest),
      newest_time_ns_(start.newest_time_ns),
      next_node_(start.next_node),
      table_(std::move(start.table)),
      tails_(std::move(start.tails)),
      sealed_without_memory_(sealed("memory ran out while a commit was written")) {}

Status Committer::begin_epoch() {
  std::lock_guard lock(mutex_);
  STELA_TRY(ensure_segments(0, false));
  log::Epoch epoch{writer_->tail().epoch.counter + 1, core_.env->random().next()};
  Status status = writer_->begin_epoch(epoch);
  if (!status.ok()) core_.latch.close(sealed("the log cannot be written: " + status.message()));
  published_tail_ = writer_->tail();
  return status;
}

Status Committer::admit(std::unique_lock<std::mutex>& lock, Privilege privilege) {
  STELA_TRY(core_.latch.check());
  if (privilege != Privilege::kOrdinary) return {};
  if (reserve_missing_) {
    return {Code::kNoSpace,
            "the disk under the store is full: the space kept for removals could not be refilled; "
            "remove data or free space"};
  }
  auto too_much = [&] {
    uint64_t log_bytes = published_tail_.position - std::min(log_checkpoint_, published_tail_.position);
    uint64_t tail_bytes = 0;
    for (const auto& tails : core_.states.current()->tails) tail_bytes += tails->bytes();
    return log_bytes > core_.options.stall_bytes || tail_bytes > core_.options.stall_bytes;
  };
  if (!core_.options.background || !too_much()) return {};
  core_.counters.commit_waits.fetch_add(1, std::memory_order_relaxed);
  while (too_much()) {
    uint64_t seen = flushes_ended_;
    if (wake_) {
      lock.unlock();
      wake_();
      lock.lock();
    }
    changed_.wait(lock, [&] { return flushes_ended_ != seen || !core_.latch.check().ok() || !too_much(); });
    STELA_TRY(core_.latch.check());
    if (flushes_ended_ != seen && too_much() && !last_flush_.ok()) {
      return last_flush_.with_context("the commit waits for a flush, which failed");
    }
  }
  return {};
}

Result<CommitResult> Committer::commit(Privilege privilege, std::span<const Build> members) {
  std::unique_lock lock(mutex_);
  STELA_TRY(admit(lock, privilege));
  Request request{privilege, members, false, {}, {}};
  queue_.push_back(&request);
  if (gathering_ && queue_.size() >= expected_) gathered_.notify_one();
  while (!request.done) {
    if (leading_ || queue_.front() != &request) {
      request.woken.wait(lock);
      continue;
    }
    leading_ = true;
    gather(lock);
    lead(lock);
    leading_ = false;
    if (!queue_.empty()) queue_.front()->woken.notify_one();
    changed_.notify_all();
  }
  if (request.failed == Code::kNoMemory) return Status(Code::kNoMemory, "memory ran out; nothing was changed");
  if (request.failed != Code::kOk) return Status(request.failed, *core_.latch.reason());
  if (!request.status.ok()) return request.status;
  return request.result;
}

// Several writers that commit one after the other would fall into two halves, one of which syncs while the other
// waits. So the leader waits a little for as many as there were at the end of the last group; a writer alone waits for
// nobody.
void Committer::gather(std::unique_lock<std::mutex>& lock) {
  if (queue_.size() >= expected_) return;
  auto wait = std::chrono::nanoseconds(std::min(last_sync_ns_ / kGatherPart, kGatherMaxNs));
  gathering_ = true;
  gathered_.wait_for(lock, wait, [&] { return queue_.size() >= expected_; });
  gathering_ = false;
}

// Before anything is written, memory that runs out fails the first request and changes nothing; the others are led by
// the next one. What is written and cannot be shown any more is known when the store is opened again. What is said of
// it is made by those who asked: nothing here may need memory once it has run out.
size_t Committer::run_group(std::span<Request* const> requests, std::vector<Built>& built, Status& status) {
  size_t taken = 0;
  bool writing = false;
  try {
    std::string payload;
    taken = build_group(requests, built, payload);
    status = core_.latch.check();
    if (!status.ok() || built.empty()) return taken;
    const bool seen_early = planted(Canary::kPublishBeforeSync);
    if (seen_early) {
      newest_ = built.back().record.sequence;
      publish(built);
    }
    const int64_t begun_ns = core_.env->clock().monotonic_ns();
    writing = true;
    status = write_group(built, payload);
    if (status.ok() && !seen_early) publish(built);
    last_sync_ns_ = core_.env->clock().monotonic_ns() - begun_ns;
    return taken;
  } catch (const std::bad_alloc&) {
    if (writing) core_.latch.close(std::move(sealed_without_memory_));
  }
  if (!writing) taken = 1;
  for (Request* request : requests.first(taken)) request->failed = writing ? Code::kIo : Code::kNoMemory;
  built.clear();
  status = {};
  return taken;
}

void Committer::lead(std::unique_lock<std::mutex>& lock) {
  std::vector<Request*> requests;
  std::vector<Built> built;
  Status status;
  size_t taken = 1;
  try {
    requests.assign(queue_.begin(), queue_.end());
  } catch (const std::bad_alloc&) {
    queue_.front()->failed = Code::kNoMemory;
  }
  if (!requests.empty()) {
    lock.unlock();
    taken = run_group(requests, built, status);
    lock.lock();
  }
  for (Built& member : built) {
    member.request->failed = status.code();
    member.request->result = {member.record.sequence, member.record.time_ns};
  }
  for (size_t i = 0; i < taken; ++i) {
    queue_.front()->done = true;
    queue_.front()->woken.notify_one();
    queue_.pop_front();
  }
  expected_ = taken + queue_.size();
  published_tail_ = writer_->tail();
  published_next_node_ = next_node_;
  published_time_ns_ = newest_time_ns_;
  uint64_t log_bytes = published_tail_.position - std::min(log_checkpoint_, published_tail_.position);
  bool flush_due = log_bytes > core_.options.flush_log_bytes || tails_->bytes() > core_.options.flush_tail_bytes;
  bool segments_due = segments_ahead_ < first_segment() + core_.options.log_segments_ready + kSparedSegments;
  // What a removal gives up is unlinked soon, not at the next flush.
  bool removal_due = std::any_of(built.begin(), built.end(),
                                 [](const Built& member) { return member.request->privilege == Privilege::kRemoval; });
  if ((flush_due || segments_due || removal_due) && wake_) {
    lock.unlock();
    wake_();
    lock.lock();
  }
}

Status Committer::build_request(Request& request, const PendingGroup& group, uint64_t built_before,
                                int64_t time_before_ns, Draft& draft) {
  auto state = core_.states.current();
  draft.next_node = next_node_;
  if (request.members.size() > 1) draft.values = group;
  const PendingGroup& seen = request.members.size() > 1 ? draft.values : group;
  const Sequence first{newest_.value + built_before + 1};
  for (const Build& build : request.members) {
    Sequence sequence{first.value + draft.built.size()};
    int64_t time_ns = std::max(core_.env->clock().utc_ns(), time_before_ns + 1);
    Builder builder(seen, *state->catalog, sequence, time_ns, draft.next_node);
    builder.set_members(first);
    STELA_TRY(build(builder));
    Built member{&request, {}, {}};
    member.record.sequence = sequence;
    member.record.time_ns = time_before_ns = time_ns;
    member.record.next_node = draft.next_node = builder.next_node();
    member.record.next_file = core_.files->next_file();
    member.record.entries = builder.take_entries();
    member.record.chunks = builder.take_chunks();
    draft.values.add_member(builder.values());
    STELA_TRY(write_large_entries(member));
    std::string body;
    member.record.encode(body);
    const bool forgotten = planted(Canary::kForgetMember) && draft.built.empty() && request.members.size() > 1;
    if (!forgotten) put_text(draft.records, body);
    draft.built.push_back(std::move(member));
  }
  uint64_t limit = writer_->payload_bytes_max();
  if (draft.records.size() <= limit) return {};
  return {Code::kLimit, "one commit needs " + std::to_string(draft.records.size()) +
                            " bytes in the log, more than a segment of it holds"};
}

size_t Committer::build_group(std::span<Request* const> requests, std::vector<Built>& built, std::string& payload) {
  PendingGroup group;
  bool ordinary_fits = true;
  size_t taken = 0;
  for (Request* request : requests) {
    int64_t time_before_ns = built.empty() ? newest_time_ns_ : built.back().record.time_ns;
    Draft draft;
    request->status = build_request(*request, group, built.size(), time_before_ns, draft);
    if (request->status.ok()) {
      if (payload.size() + draft.records.size() > writer_->payload_bytes_max()) break;  // begins the next group
      // Checked before it is ordered, so that a full disk refuses this member and no other.
      bool privileged = request->privilege != Privilege::kOrdinary;
      if (privileged || ordinary_fits) {
        request->status = ensure_segments(payload.size() + draft.records.size(), privileged);
        if (!request->status.ok() && !privileged) ordinary_fits = false;
      } else {
        request->status = Status(Code::kNoSpace, "the log cannot grow: the disk under the store is full");
      }
    }
    ++taken;
    if (!request->status.ok()) continue;
    payload += draft.records;
    if (request->members.size() > 1) {
      group = std::move(draft.values);
      group.finish_members();
    } else {
      group.add(draft.values.values);
    }
    next_node_ = draft.next_node;
    for (Built& member : draft.built) built.push_back(std::move(member));
  }
  return taken;
}

Status Committer::write_large_entries(Built& built) {
  uint64_t bytes = 0;
  for (const catalog::Entry& entry : built.record.entries) bytes += entry.key.size() + entry.value.size() + 24;
  if (bytes <= core_.options.entries_inline_max) return {};
  std::vector<catalog::Entry> sorted = std::move(built.record.entries);
  built.record.entries.clear();
  std::sort(sorted.begin(), sorted.end(), [](const catalog::Entry& a, const catalog::Entry& b) {
    return std::tie(a.key, b.birth, b.install) < std::tie(b.key, a.birth, a.install);
  });
  FileId id = core_.files->allocate();
  built.record.next_file = core_.files->next_file();
  Files& files = core_.env->files();
  STELA_ASSIGN(auto file, files.create(run_name(id)));
  catalog::RunWriter writer(*file, id, {.block_bytes = core_.options.run_block_bytes, .store_id = core_.store_id});
  for (const catalog::Entry& entry : sorted) STELA_TRY(writer.add(entry));
  STELA_TRY(writer.finish().status());
  FileWriter* handle = file.get();
  STELA_TRY(core_.durable(files.finish({&handle, 1})));
  STELA_ASSIGN(auto reader, files.open(run_name(id)));
  STELA_ASSIGN(auto run, catalog::RunReader::open(std::move(reader), id, core_.store_id, core_.cache));
  built.record.runs.push_back(id);
  built.runs.push_back(std::move(run));
  return {};
}

Status Committer::ensure_segments(uint64_t payload_bytes, bool privileged) {
  uint64_t wanted = writer_->segment_for(payload_bytes) + 1 + (privileged ? 0 : kSparedSegments);
  while (prepared_segments_ < wanted) {
    STELA_TRY(log_.prepare(std::max(prepared_segments_, writer_->tail().position / log_.segment_bytes())));
    prepared_segments_ = std::max(prepared_segments_, writer_->tail().position / log_.segment_bytes()) + 1;
  }
  return {};
}

Status Committer::write_group(std::vector<Built>& built, const std::string& payload) {
  core_.env->crash_point("commit.before_log");
  Status status = writer_->append(log::GroupKind::kCommits, payload);
  if (!status.ok() && !planted(Canary::kIgnoreFailedSync)) {
    core_.latch.close(sealed("writing the log failed: " + status.message()));
    return {Code::kIo, *core_.latch.reason()};
  }
  core_.env->crash_point("commit.log_synced");
  core_.counters.groups.fetch_add(1, std::memory_order_relaxed);
  core_.counters.commits.fetch_add(built.size(), std::memory_order_relaxed);
  core_.counters.log_bytes.fetch_add(log::padded_group_bytes(payload.size()), std::memory_order_relaxed);
  newest_ = built.back().record.sequence;
  newest_time_ns_ = built.back().record.time_ns;
  return {};
}

void Committer::insert(const Record& record) {
  for (const catalog::Entry& entry : record.entries) table_->insert(entry);
  for (const RowChunk& chunk : record.chunks) tails_->append(chunk, record.sequence);
}

void Committer::add_runs(const std::vector<std::shared_ptr<const catalog::RunReader>>& runs) {
  auto state = core_.states.current();
  auto catalog = std::make_shared<catalog::CatalogState>(*state->catalog);
  catalog->runs.insert(catalog->runs.begin(), runs.begin(), runs.end());
  auto next = std::make_shared<State>(*state);
  next->catalog = std::move(catalog);
  // The entries' births and installs are beyond every reader until publish().
  core_.states.replace(std::move(next), {});
}

void Committer::publish(std::vector<Built>& built) {
  for (Built& member : built) {
    insert(member.record);
    if (!member.runs.empty()) {
      std::lock_guard lock(mutex_);
      add_runs(member.runs);
      for (FileId id : member.record.runs) core_.files->settle(id);
    }
  }
  core_.states.publish(newest_);
}

Status Committer::apply_recovered(Record record) {
  std::vector<std::shared_ptr<const catalog::RunReader>> runs;
  for (FileId id : record.runs) {
    STELA_ASSIGN(auto reader, core_.env->files().open(run_name(id)));  // synced before its record was
    STELA_ASSIGN(auto run, catalog::RunReader::open(std::move(reader), id, core_.store_id, core_.cache));
    runs.push_back(std::move(run));
  }
  insert(record);
  if (planted(Canary::kReplayTwice)) insert(record);
  if (!runs.empty()) add_runs(runs);
  newest_ = std::max(newest_, record.sequence);
  newest_time_ns_ = std::max(newest_time_ns_, record.time_ns);
  next_node_ = std::max(next_node_, record.next_node);
  core_.files->set_next_file(record.next_file);
  published_next_node_ = next_node_;
  published_time_ns_ = newest_time_ns_;
  core_.states.publish(newest_);
  return {};
}

void Committer::recovered_to(const log::LogTail& tail) {
  std::lock_guard lock(mutex_);
  writer_ = std::make_unique<log::LogWriter>(log_, core_.store_id, tail);
  published_tail_ = tail;
}

Committer::Reserved Committer::reserve(uint64_t sequences, uint64_t nodes) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !leading_; });
  Reserved reserved{core_.states.view(), Sequence{newest_.value + 1}, NodeId{next_node_}};
  newest_ = Sequence{newest_.value + sequences};
  published_next_node_ = next_node_ += nodes;
  return reserved;
}

uint64_t Committer::log_bytes_since_checkpoint() const {
  std::lock_guard lock(mutex_);
  return published_tail_.position - std::min(log_checkpoint_, published_tail_.position);
}

uint64_t Committer::tail_bytes() const {
  uint64_t bytes = 0;
  for (const auto& tails : core_.states.current()->tails) bytes += tails->bytes();
  return bytes;
}

uint64_t Committer::tail_rows() const {
  uint64_t rows = 0;
  for (const auto& tails : core_.states.current()->tails) rows += tails->rows();
  return rows;
}

bool Committer::has_unflushed() const {
  auto state = core_.states.current();
  for (const auto& table : state->catalog->tables) {
    if (table->entries() > 0) return true;
  }
  return tail_rows() > 0;
}

log::LogTail Committer::log_tail() const {
  std::lock_guard lock(mutex_);
  return published_tail_;
}

uint64_t Committer::next_node() const {
  std::lock_guard lock(mutex_);
  return published_next_node_;
}

int64_t Committer::newest_time_ns() const {
  std::lock_guard lock(mutex_);
  return published_time_ns_;
}

Status Committer::prepare_ahead() {
  std::unique_lock lock(mutex_);
  uint64_t first = first_segment();
  uint64_t end = first + core_.options.log_segments_ready + kSparedSegments;
  lock.unlock();
  // The leader prepares what it needs itself; this is ahead of it, so that it rarely has to.
  for (uint64_t segment = first; segment < end; ++segment) STELA_TRY(log_.prepare(segment));
  lock.lock();
  segments_ahead_ = std::max(segments_ahead_, end);
  return {};
}

void Committer::set_reserve_missing(bool missing) {
  std::lock_guard lock(mutex_);
  reserve_missing_ = missing;
  changed_.notify_all();
}

void Committer::flush_ended(const Status& status) {
  std::lock_guard lock(mutex_);
  ++flushes_ended_;
  last_flush_ = status;
  changed_.notify_all();
}

}  // namespace stela::store

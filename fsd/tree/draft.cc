#include "fsd/tree/draft.h"

#include <algorithm>

namespace stela::fsd {

Draft::Draft(Processes& processes, std::unique_ptr<DraftBytes> spool, std::unique_ptr<DraftTarget> target,
             Continuation continuation, uint32_t opener)
    : processes_(processes),
      opener_(opener),
      continuation_(std::move(continuation)),
      target_(std::move(target)),
      spool_(std::move(spool)) {
  show_size_locked();
}

Result<std::shared_ptr<Draft>> Draft::create(Files& files, DraftBudget& budget, Processes& processes,
                                             std::unique_ptr<DraftTarget> target, const Continuation& continuation,
                                             const Caller& opener) {
  Spool::StartStream start_stream;
  if (target->may_stream() && continuation.head.empty()) {
    start_stream = [to = target.get()](ByteSpan head) { return to->stream(head); };
  }
  STELA_ASSIGN(std::unique_ptr<Spool> spool, Spool::create(files, budget, std::move(start_stream)));
  if (!continuation.head.empty()) STELA_TRY(spool->write(0, as_bytes(continuation.head)));
  return std::shared_ptr<Draft>(
      new Draft(processes, std::move(spool), std::move(target), continuation, processes.thread_group(opener.pid)));
}

std::shared_ptr<Draft> Draft::over(Processes& processes, std::unique_ptr<DraftBytes> bytes,
                                   std::unique_ptr<DraftTarget> target, const Caller& opener) {
  return std::shared_ptr<Draft>(
      new Draft(processes, std::move(bytes), std::move(target), {}, processes.thread_group(opener.pid)));
}

void Draft::show_size_locked() {
  pending_bytes_ = spool_->held_bytes();
  shown_size_ = continuation_.base + spool_->size() - continuation_.head.size();
}

Result<size_t> Draft::read(uint64_t offset, MutableByteSpan into) {
  std::lock_guard lock(mutex_);
  if (offset < continuation_.base) {
    return Status(Code::kNotPermitted, "what is already committed through the drop box cannot be read back here");
  }
  return spool_->read_up_to(spool_offset(offset), into);
}

Status Draft::write(uint64_t offset, ByteSpan bytes) {
  std::lock_guard lock(mutex_);
  if (!poisoned_.ok()) return poisoned_;
  if (offset < continuation_.base) {
    return {Code::kNotPermitted, "the first " + std::to_string(continuation_.base) +
                                     " bytes of this file are already committed: only appending is possible"};
  }
  Status written = spool_->write(spool_offset(offset), bytes);
  if (!written.ok()) {
    // Many writers close after a failed write as if nothing were; what they close has a hole.
    if (!hole_ || offset < *hole_) {
      hole_ = offset;
      hole_failure_ = written.with_context("a write to this file failed, so what it has is not committed");
    }
    return written;
  }
  if (hole_ && offset <= *hole_ && *hole_ - offset < bytes.size()) hole_.reset();  // written again
  if (!bytes.empty()) dirty_ = true;
  show_size_locked();
  return {};
}

Status Draft::truncate(uint64_t size) {
  std::lock_guard lock(mutex_);
  if (!poisoned_.ok()) return poisoned_;
  if (hole_ && size <= *hole_) hole_.reset();
  if (size == shown_size_) return {};
  if (size == 0) {
    continuation_ = {};
    STELA_TRY(spool_->truncate(0));
    target_->restart();
    failed_ = {};
    dirty_ = false;
    show_size_locked();
    return {};
  }
  if (size < continuation_.base) {
    return {Code::kNotPermitted, "the first " + std::to_string(continuation_.base) +
                                     " bytes of this file are already committed and cannot be cut off"};
  }
  STELA_TRY(spool_->truncate(spool_offset(size)));
  dirty_ = true;
  show_size_locked();
  return {};
}

std::string Draft::first_line(size_t bytes_max) {
  std::lock_guard lock(mutex_);
  std::string text(std::min<uint64_t>(bytes_max, spool_->size()), '\0');
  if (!spool_->read(0, {reinterpret_cast<std::byte*>(text.data()), text.size()}).ok()) return {};
  bool quoted = false;
  for (size_t at = 0; at < text.size(); at++) {
    if (text[at] == '"') quoted = !quoted;
    if (text[at] == '\n' && !quoted) return text.substr(0, at + 1);
  }
  return {};
}

Draft::Outcome Draft::commit_locked(bool final) {
  Outcome outcome;
  dirty_ = false;
  if (spool_->size() == 0) return outcome;
  outcome.tried = true;
  auto committed = target_->commit(*spool_, final);
  if (!committed.ok()) {
    outcome.status = failed_ = committed.status();
    return outcome;
  }
  failed_ = {};
  outcome.committed = std::move(*committed);
  // The rest of an unfinished line waits for its end, or the file's.
  dirty_ = !final && !target_->is_drained();
  return outcome;
}

Draft::Outcome Draft::flush(const Caller& caller) {
  ProcessState process = processes_.state(caller.pid);
  std::lock_guard lock(mutex_);
  if (!poisoned_.ok()) return {.status = poisoned_, .committed = {}};
  if (process.killed) {
    poisoned_ = {Code::kIo, "a writer of this file was killed by signal " + std::to_string(process.signal) +
                                ": what it had not finished is not committed"};
    Outcome outcome{.status = poisoned_, .committed = {}, .tried = dirty_};
    dirty_ = false;
    spool_->drop();
    return outcome;
  }
  if (hole_) return {.status = hole_failure_, .committed = {}};
  if (!dirty_) return {.status = failed_, .committed = {}};
  bool someone_else = opener_ != 0 && process.thread_group != 0 && process.thread_group != opener_;
  if (someone_else) return {};
  return commit_locked(true);
}

Draft::Outcome Draft::sync() {
  std::lock_guard lock(mutex_);
  if (!poisoned_.ok()) return {.status = poisoned_, .committed = {}};
  if (hole_) return {.status = hole_failure_, .committed = {}};
  if (!dirty_) return {.status = failed_, .committed = {}};
  return commit_locked(false);
}

Draft::Outcome Draft::release() {
  std::lock_guard lock(mutex_);
  if (!poisoned_.ok() || hole_ || !dirty_) return {};
  return commit_locked(true);
}

Status Draft::abandon(const std::string& why) {
  std::lock_guard lock(mutex_);
  if (!poisoned_.ok()) return {};
  poisoned_ = {Code::kIo, why};
  if (!dirty_) return {};
  dirty_ = false;
  return poisoned_;
}

Status Draft::failure() {
  std::lock_guard lock(mutex_);
  if (hole_ && poisoned_.ok()) return hole_failure_;
  return poisoned_.ok() ? failed_ : poisoned_;
}

}  // namespace stela::fsd

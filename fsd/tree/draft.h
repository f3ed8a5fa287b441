// Draft: what one writable open has written and nobody else sees yet: a spool, and the rules by which it is
// finished (FUSE.md, "When is a written file finished?").
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "engine/io/env.h"
#include "engine/store/store.h"
#include "fsd/ingest/ingest.h"
#include "fsd/tree/processes.h"
#include "fsd/tree/spool.h"
#include "fsd/tree/tree.h"

namespace stela::fsd {

// What a draft becomes. Called with the draft's lock held, one call at a time.
class DraftTarget {
 public:
  virtual ~DraftTarget() = default;
  // Commits what is complete; `final`: the file ends here. nullopt: nothing to commit.
  virtual Result<std::optional<VersionInfo>> commit(ByteSource& source, bool final) = 0;
  // Everything in the source belongs to a commit.
  virtual bool is_drained() const = 0;
  // The file was emptied: it begins anew.
  virtual void restart() = 0;
  // May take the file's bytes as they come; `head` is what there is so far. Null: they are spooled.
  virtual std::shared_ptr<SpoolStream> stream(ByteSpan head) {
    (void)head;
    return nullptr;
  }
  // Whether stream() may ever take one.
  virtual bool may_stream() const { return false; }
};

// Thread-safe.
class Draft {
 public:
  // A file that goes on where an earlier one ended: the first `base` bytes are committed and gone, `head`
  // stands for them in the source (a header line, say).
  struct Continuation {
    uint64_t base = 0;
    std::string head;
  };
  static Result<std::shared_ptr<Draft>> create(Files& files, DraftBudget& budget, Processes& processes,
                                               std::unique_ptr<DraftTarget> target, const Continuation& continuation,
                                               const Caller& opener);

  // Of bytes that are kept somewhere already.
  static std::shared_ptr<Draft> over(Processes& processes, std::unique_ptr<DraftBytes> bytes,
                                     std::unique_ptr<DraftTarget> target, const Caller& opener);

  struct Outcome {
    Status status;                         // for the caller
    std::optional<VersionInfo> committed;  // something was
    bool tried = false;                    // a commit was tried now (its failure is news)
  };
  Result<size_t> read(uint64_t offset, MutableByteSpan into);
  Status write(uint64_t offset, ByteSpan bytes);
  Status truncate(uint64_t size);
  uint64_t size() const { return shown_size_; }
  // That wait for a commit.
  uint64_t pending_bytes() const { return pending_bytes_; }
  // Of a text format: the bytes up to the first line's end, at most `bytes_max`; else "".
  std::string first_line(size_t bytes_max);

  // close() of one descriptor.
  Outcome flush(const Caller& caller);
  Outcome sync();
  // The last descriptor is gone: commits what is left.
  Outcome release();
  // Drops what is not committed; not ok: there was something.
  Status abandon(const std::string& why);
  // Why nothing of it can be committed any more, or of the last try.
  Status failure();

 private:
  Draft(Processes& processes, std::unique_ptr<DraftBytes> spool, std::unique_ptr<DraftTarget> target,
        Continuation continuation, uint32_t opener);
  Outcome commit_locked(bool final);
  uint64_t spool_offset(uint64_t offset) const { return offset - continuation_.base + continuation_.head.size(); }
  void show_size_locked();

  Processes& processes_;
  const uint32_t opener_;  // thread group; 0 = not known
  std::mutex mutex_;
  Continuation continuation_;
  std::unique_ptr<DraftTarget> target_;  // outlives the spool, which asks it for a stream
  std::unique_ptr<DraftBytes> spool_;
  std::atomic<uint64_t> shown_size_ = 0;
  std::atomic<uint64_t> pending_bytes_ = 0;
  bool dirty_ = false;            // bytes since the last try
  std::optional<uint64_t> hole_;  // where a write failed that was not repeated: nothing is committed
  Status hole_failure_;
  Status failed_;    // of the last try
  Status poisoned_;  // nothing more is taken or committed
};

}  // namespace stela::fsd

// The fault-injecting Env of the crash suite: a store in memory that knows what is durable and what is not.
//
// Model. A file's bytes are durable after its sync, a directory entry (creation, removal, rename, new folder)
// after the sync of its folder. An unfinished file has no name and never survives. Files are settled in the
// order of the POSIX environment: bytes, names, folders; a log segment is made or recycled likewise. Every
// step is one operation with an index from 0; a crash or a fault is planned for an index, so that a run of one
// thread is replayed by its seed and its plan. Randomness that the store draws from random() is seeded too.
//
// Thread-safe. With several threads the order of operations, and so the plan's effect, is theirs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/crash_style.h"
#include "engine/io/env.h"
#include "engine/io/io_counters.h"
#include "engine/io/manual_clock.h"

namespace stela {

enum class FaultKind : uint8_t {
  kIoError,       // EIO from any operation; from a sync it is kFailedSync
  kNoSpace,       // ENOSPC from create, write, link, scratch; nothing is applied
  kNoQuota,       // EDQUOT from the same
  kShortWrite,    // a prefix of a write is applied, then EIO
  kShortRead,     // a prefix of a read arrives, then the file ends: kDamaged
  kFailedSync,    // EIO from a sync; what it covered may or may not be durable, and never is by a later sync
  kTooManyFiles,  // EMFILE from create, open, list, link, scratch
};
inline constexpr FaultKind kFaultKinds[] = {FaultKind::kIoError,     FaultKind::kNoSpace,   FaultKind::kNoQuota,
                                            FaultKind::kShortWrite,  FaultKind::kShortRead, FaultKind::kFailedSync,
                                            FaultKind::kTooManyFiles};

// Syncs that report success and do nothing: a disk that lies, or an engine that forgot one. A crash suite that
// is worth its name fails with any of these set.
struct IgnoredSyncs {
  bool files = false;
  bool folders = false;
  bool log = false;
};

struct FaultState;

class FaultEnv final : public Env {
 public:
  // Called before each operation with its index and name ("link data/0/3.frag"); the store is at rest and may
  // be copied with reboot(). Must not use this environment otherwise.
  using Observer = std::function<void(uint64_t operation, std::string_view name)>;

  explicit FaultEnv(uint64_t seed = 1);
  ~FaultEnv() override;

  Files& files() override { return *files_; }
  Result<std::unique_ptr<LogDevice>> open_log(uint64_t segment_bytes) override;
  Result<std::unique_ptr<Lease>> acquire_lease(const std::string& text) override;
  Clock& clock() override { return clock_; }
  Random& random() override { return random_; }
  void crash_point(const char* name) override;

  ManualClock& manual_clock() { return clock_; }

  // Crashes. The operation of that index and all later ones return kIo "simulated crash". The one that was in
  // flight has happened in memory, unsynced; nothing changes after it.
  void crash_at(uint64_t operation);
  void crash_now();
  bool crashed() const;
  // The environment after a crash at this moment, whether there was one or not: no faults planned, operations
  // counted from 0, the clock a second later. The same style and seed give the same image.
  std::shared_ptr<FaultEnv> reboot(CrashStyle style, uint64_t seed) const;
  void set_observer(Observer observer);

  // Faults. One that cannot happen to the operation of that index (kShortWrite of a read) does not fire; with
  // `forever` it fires at every later operation to which it can happen. Several may be planned.
  void fail_at(uint64_t operation, FaultKind kind, bool forever = false);
  // Each operation to which it can happen fails with a chance of 1 in `one_in`.
  void fail_randomly(uint64_t one_in, FaultKind kind, uint64_t seed);
  void clear_faults();
  uint64_t faults_fired() const;
  // ENOSPC where the files, named or not, would pass it. Removed files count no more, even while open.
  void set_capacity(uint64_t bytes);
  void ignore_syncs(IgnoredSyncs ignored);

  // Damage: changes what is seen and what is durable alike. kNotFound; kInvalid beyond the end.
  std::vector<std::string> file_names() const;
  Result<Buffer> file_bytes(const std::string& name) const;
  Status flip_bit(const std::string& name, uint64_t offset, unsigned bit);
  Status truncate_file(const std::string& name, uint64_t size);
  Status replace_file(const std::string& name, ByteSpan bytes);
  // A hash of all that is durable: names, sizes, bytes. Equal images have equal hashes.
  uint64_t image_hash() const;

  // What happened.
  uint64_t operation_count() const;
  // The newest operations, "17 write log/3", at most `set_trace_limit` (256 at first).
  std::vector<std::string> trace() const;
  void set_trace_limit(size_t operations);
  const IoCounters& counters() const;

 private:
  explicit FaultEnv(std::shared_ptr<FaultState> state, uint64_t seed, int64_t utc_ns);

  std::shared_ptr<FaultState> state_;
  std::unique_ptr<Files> files_;
  ManualClock clock_;
  SeededRandom random_;
};

std::shared_ptr<FaultEnv> fault_env(uint64_t seed = 1);

}  // namespace stela

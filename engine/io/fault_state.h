// The state behind a FaultEnv: names and files, what of them is durable, and the plan of faults. Each public
// method that takes an operation is one operation of the plan and locks by itself. Used by fault_*.cc only.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/fault_env.h"
#include "engine/io/simulated_file.h"

namespace stela {

enum class Operation : uint8_t {
  kCreate,
  kOpen,
  kRead,
  kList,
  kWrite,
  kFileSync,
  kFolderSync,
  kLink,
  kRename,
  kRemove,
  kScratch,
  kLease,
  kCrashPoint,
};

bool fault_applies(FaultKind kind, Operation operation);

using SimulatedFilePtr = std::shared_ptr<SimulatedFile>;

// A change of a folder that is visible and not yet durable.
struct NameChange {
  enum class Kind : uint8_t { kLink, kUnlink, kRename, kMakeFolder };
  Kind kind;
  std::string folder;  // whose sync makes it durable
  std::string name;
  std::string to;         // kRename only
  SimulatedFilePtr file;  // kLink and kRename
  bool failed = false;    // a sync of the folder failed: chance decides at the crash
};

struct FaultState {
  explicit FaultState(uint64_t seed) : chance(seed ^ 0x5EEDull) {}

  // Operations.
  Status create(const std::string& name);
  Status write(SimulatedFile& file, std::string_view name, uint64_t offset, ByteSpan bytes, FileKind kind);
  Status truncate_scratch(SimulatedFile& file, uint64_t size);
  Status sync_file(SimulatedFile& file, std::string_view name, FileKind kind);
  Status link(const SimulatedFilePtr& file, const std::string& name);
  Status rename(const std::string& from, const std::string& to);
  Status remove(const std::string& name);
  // Each of the names' folders once, and those above whose entry is not durable; one operation each.
  Status sync_folders_of(const std::set<std::string>& names);
  Result<SimulatedFilePtr> open(const std::string& name);
  Status read(const SimulatedFile& file, std::string_view name, uint64_t offset, MutableByteSpan into);
  Status read_batch(const SimulatedFile& file, std::string_view name, std::span<const ReadRange> ranges);
  Result<std::vector<std::string>> list(const std::string& folder);
  Status scratch();
  Status lease(const std::string& text);
  void crash_point(const char* name);

  // No operations.
  SimulatedFilePtr find(const std::string& name) const;
  uint64_t free_space() const;
  // A file without a name, which counts towards the capacity while it lives.
  SimulatedFilePtr make_unnamed();
  void give_back_lease();
  std::shared_ptr<FaultState> rebooted(CrashStyle style, uint64_t seed) const;
  uint64_t image_hash() const;

  // What of an operation happens.
  struct Verdict {
    bool apply = true;             // change the visible state
    bool fail_sync = false;        // a sync: decide by chance at the crash
    bool ignore = false;           // a sync that lies
    std::optional<size_t> prefix;  // a write: only so many bytes
    Status status;
  };

  mutable std::recursive_mutex mutex;  // recursive: the observer copies the state while an operation waits
  std::map<std::string, SimulatedFilePtr> names;
  std::map<std::string, SimulatedFilePtr> durable_names;
  std::set<std::string> folders;
  std::set<std::string> durable_folders;
  std::vector<NameChange> pending;
  std::vector<std::weak_ptr<SimulatedFile>> unnamed;
  bool leased = false;
  std::string holder;

  uint64_t operations = 0;
  bool crashed = false;
  std::optional<uint64_t> crash_operation;
  struct Fault {
    uint64_t operation;
    FaultKind kind;
    bool forever;
  };
  struct RandomFault {
    RandomFault(uint64_t chance_of, FaultKind what, uint64_t seed) : one_in(chance_of), kind(what), random(seed) {}
    uint64_t one_in;
    FaultKind kind;
    SeededRandom random;
  };
  std::vector<Fault> faults;
  std::deque<RandomFault> random_faults;
  uint64_t faults_fired = 0;
  SeededRandom chance;
  std::optional<uint64_t> capacity;
  IgnoredSyncs ignored;
  FaultEnv::Observer observer;
  std::deque<std::string> trace;
  size_t trace_limit = 256;
  IoCounters counters;

 private:
  Verdict begin(Operation operation, std::string_view name, size_t bytes = 0);
  std::optional<FaultKind> planned_fault(uint64_t index, Operation operation);
  Verdict fault_verdict(FaultKind kind, Operation operation, std::string_view label, size_t bytes);
  uint64_t used_bytes() const;
  Status check_capacity(const SimulatedFile& file, std::string_view name, uint64_t end) const;
  Status check_free(const std::string& name) const;
  Status absent(const std::string& name) const;
  Status make_folders(const std::string& name);
  Status sync_folder(const std::string& folder);
  void make_durable(const NameChange& change);
  void settle_folder(const std::string& folder);
};

std::unique_ptr<Files> make_fault_files(std::shared_ptr<FaultState> state);
Result<std::unique_ptr<LogDevice>> open_fault_log(std::shared_ptr<FaultState> state, uint64_t segment_bytes);

}  // namespace stela

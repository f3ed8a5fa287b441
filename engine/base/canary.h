// Planted bugs, by which the suites are tested: each of them, switched on, must turn the suite red that
// tests/canaries names. Only the build of that folder has the switches; elsewhere planted() is false when compiled.
#pragma once

#include <cstdint>

namespace stela {

enum class Canary : uint8_t {
  kNone,
  kSkipChecksum,       // bytes of fragments are taken unchecked
  kSkipLogChecksum,    // so are groups of the log
  kReplayTwice,        // recovery applies each record twice
  kForgetMember,       // the first change of a transaction is not in the log
  kPublishBeforeSync,  // a commit is seen before it is durable
  kIgnoreFailedSync,   // a commit is acknowledged though the log could not be written
  kReleaseLogEarly,    // a flush gives the log back before its manifest is there
  kIgnoreConflict,     // cells that others changed meanwhile are overwritten
  kStaleBase,          // a column that others replaced meanwhile is replaced
  kLosePatchInFold,    // a fold writes the values without the patches
  kReuseRowIds,        // rows are appended under the ids of deleted ones
  kLoseDeletedRows,    // a flush forgets which rows are deleted
  kMergeLosesErasure,  // a merge of some runs forgets what was erased in those that stay
};

#ifdef STELA_CANARIES
// Is it the one that the environment variable STELA_CANARY names? Thread-safe.
bool planted(Canary canary);
#else
constexpr bool planted(Canary) { return false; }
#endif

}  // namespace stela

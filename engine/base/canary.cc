#include "engine/base/canary.h"

#ifdef STELA_CANARIES
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string_view>

namespace stela {

namespace {

// In the order of the enum.
constexpr std::string_view kCanaryNames[] = {
    "none",                "skip_checksum",      "skip_log_checksum", "replay_twice",    "forget_member",
    "publish_before_sync", "ignore_failed_sync", "release_log_early", "ignore_conflict", "stale_base",
    "lose_patch_in_fold",  "reuse_row_ids",      "lose_deleted_rows", "merge_loses_erasure",
};

Canary from_environment() {
  const char* text = std::getenv("STELA_CANARY");
  if (text == nullptr || *text == '\0') return Canary::kNone;
  for (size_t i = 0; i < std::size(kCanaryNames); ++i) {
    if (kCanaryNames[i] == text) return static_cast<Canary>(i);
  }
  std::fprintf(stderr, "STELA_CANARY=%s: there is no such canary\n", text);
  std::abort();  // a misspelt one would find every suite green
}

}  // namespace

bool planted(Canary canary) {
  static const Canary kPlanted = from_environment();
  return canary == kPlanted;
}

}  // namespace stela
#endif

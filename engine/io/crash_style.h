// What of the unsynced state is there after a simulated crash.
#pragma once

#include <cstdint>

namespace stela {

enum class CrashStyle : uint8_t {
  kLoseUnsynced,   // power cut: exactly what was synced
  kKeepAll,        // power cut just after the kernel wrote everything by itself
  kRandomSubset,   // each unsynced block, 512-byte sector and directory entry kept or lost by itself
  kTorn,           // everything kept, but of the last write some 512-byte sectors have their old bytes
  kProcessKilled,  // kill -9: everything is visible, and still not durable until synced again
};
inline constexpr CrashStyle kCrashStyles[] = {CrashStyle::kLoseUnsynced, CrashStyle::kKeepAll,
                                              CrashStyle::kRandomSubset, CrashStyle::kTorn, CrashStyle::kProcessKilled};

}  // namespace stela

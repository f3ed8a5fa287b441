// Mounts of Stela as the kernel lists them, and taking them away.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace stela::fsd {

struct MountEntry {
  std::string mount_point;
  std::string source;         // the store's absolute path
  std::string device_number;  // "0:52": the name of its read-ahead settings
};

// Entries of type fuse.stela in a text in the format of /proc/self/mountinfo, in order; a later one hides an
// earlier one at the same place. Lines that do not parse are skipped.
std::vector<MountEntry> parse_stela_mounts(std::string_view mountinfo);
// Those this process sees.
Result<std::vector<MountEntry>> stela_mounts();
// The mount that `path` (absolute, normal) lies on, if it is one of Stela's.
std::optional<MountEntry> mount_containing(const std::vector<MountEntry>& mounts, std::string_view path);
std::optional<MountEntry> mount_at(const std::vector<MountEntry>& mounts, std::string_view mount_point);
std::optional<MountEntry> mount_of_store(const std::vector<MountEntry>& mounts, std::string_view store);

// Normal form without touching what is mounted there: absolute, "." and ".." resolved by name, symbolic links
// of the parent folder followed.
Result<std::string> absolute_path(const std::string& path);

// umount2 as root, fusermount3 otherwise. `lazy`: also while files are open. kBusy says that some are.
Status detach_mount(const std::string& mount_point, bool lazy);
// Detaches mounts of Stela at `mount_point` whose daemon is gone, until none is left; a place that
// is absent or answers is left alone. kBusy when something else there does not answer.
Status heal_mount_point(const std::string& mount_point);
// Lets the kernel read ahead `bytes` on that mount; only root may, others keep the default.
void set_read_ahead(const MountEntry& mount, uint64_t bytes);

}  // namespace stela::fsd

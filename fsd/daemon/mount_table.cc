#include "fsd/daemon/mount_table.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

extern char** environ;

namespace stela::fsd {
namespace {

constexpr int kStackedMountsMax = 16;

// \040 and the like stand for bytes that would end a field.
std::string unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    auto is_octal = [&](size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '7'; };
    if (text[i] == '\\' && is_octal(i + 1) && is_octal(i + 2) && is_octal(i + 3)) {
      int value = (text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0');
      out.push_back(static_cast<char>(value));
      i += 3;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::vector<std::string_view> split_words(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    size_t end = std::min(line.find(' '), line.size());
    if (end > 0) words.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return words;
}

// "36 35 98:0 /root /mount options [optional...] - type source options"
std::optional<MountEntry> parse_line(std::string_view line) {
  std::vector<std::string_view> words = split_words(line);
  size_t dash = 6;
  while (dash < words.size() && words[dash] != "-") ++dash;
  if (dash + 2 >= words.size() || words[dash + 1] != "fuse.stela") return std::nullopt;
  return MountEntry{unescape(words[4]), unescape(words[dash + 2]), std::string(words[2])};
}

bool is_at_or_below(std::string_view path, std::string_view folder) {
  if (folder == "/") return true;
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

Status run_fusermount(const std::string& mount_point, bool lazy) {
  std::string program = "fusermount3", flags = lazy ? "-uz" : "-u", dashes = "--", target = mount_point;
  char* words[] = {program.data(), flags.data(), dashes.data(), target.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  int error = posix_spawnp(&pid, program.c_str(), &actions, nullptr, words, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return status_from_errno(error, "starting fusermount3 (package fuse3)");
  int result = 0;
  while (waitpid(pid, &result, 0) < 0 && errno == EINTR) continue;
  if (WIFEXITED(result) && WEXITSTATUS(result) == 0) return {};
  return Status(Code::kBusy, mount_point + " cannot be unmounted: files on it are open, or it is not yours");
}

}  // namespace

std::vector<MountEntry> parse_stela_mounts(std::string_view mountinfo) {
  std::vector<MountEntry> mounts;
  while (!mountinfo.empty()) {
    size_t end = std::min(mountinfo.find('\n'), mountinfo.size());
    if (auto entry = parse_line(mountinfo.substr(0, end))) mounts.push_back(std::move(*entry));
    mountinfo.remove_prefix(std::min(end + 1, mountinfo.size()));
  }
  return mounts;
}

Result<std::vector<MountEntry>> stela_mounts() {
  std::ifstream file("/proc/self/mountinfo", std::ios::binary);
  if (!file) return status_from_errno(errno, "reading /proc/self/mountinfo");
  std::ostringstream text;
  text << file.rdbuf();
  return parse_stela_mounts(text.str());
}

std::optional<MountEntry> mount_containing(const std::vector<MountEntry>& mounts, std::string_view path) {
  std::optional<MountEntry> best;
  for (const MountEntry& mount : mounts) {
    if (!is_at_or_below(path, mount.mount_point)) continue;
    if (!best || mount.mount_point.size() >= best->mount_point.size()) best = mount;
  }
  return best;
}

std::optional<MountEntry> mount_at(const std::vector<MountEntry>& mounts, std::string_view mount_point) {
  for (auto mount = mounts.rbegin(); mount != mounts.rend(); ++mount) {
    if (mount->mount_point == mount_point) return *mount;
  }
  return std::nullopt;
}

std::optional<MountEntry> mount_of_store(const std::vector<MountEntry>& mounts, std::string_view store) {
  for (auto mount = mounts.rbegin(); mount != mounts.rend(); ++mount) {
    if (mount->source == store) return *mount;
  }
  return std::nullopt;
}

Result<std::string> absolute_path(const std::string& path) {
  if (path.empty()) return invalid("an empty path names nothing");
  std::error_code error;
  std::filesystem::path absolute = std::filesystem::absolute(path, error).lexically_normal();
  if (error) return status_from_errno(error.value(), path);
  // The last component is not looked at: it may be a mount whose daemon does not answer.
  if (!absolute.has_filename()) absolute = absolute.parent_path();
  std::filesystem::path parent = std::filesystem::weakly_canonical(absolute.parent_path(), error);
  if (error) parent = absolute.parent_path();
  std::string result = (parent / absolute.filename()).string();
  return result;
}

Status detach_mount(const std::string& mount_point, bool lazy) {
  int flags = UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0);
  if (umount2(mount_point.c_str(), flags) == 0) return {};
  if (errno == EBUSY) {
    return Status(Code::kBusy, mount_point + " is in use: files on it are open, or someone's working folder is there");
  }
  if (errno != EPERM) return status_from_errno(errno, "unmounting " + mount_point);
  return run_fusermount(mount_point, lazy);
}

Status heal_mount_point(const std::string& mount_point) {
  for (int i = 0; i < kStackedMountsMax; ++i) {
    // Unlike stat, never answered from what the kernel remembers of a daemon that is gone.
    struct statfs filesystem;
    if (statfs(mount_point.c_str(), &filesystem) == 0) return {};
    if (errno == ENOENT) return {};
    if (errno != ENOTCONN && errno != ECONNABORTED) return status_from_errno(errno, "the mount point " + mount_point);
    STELA_ASSIGN(std::vector<MountEntry> mounts, stela_mounts());
    if (!mount_at(mounts, mount_point)) {
      return Status(Code::kBusy,
                    mount_point + " holds a mount of another program that does not answer; unmount it first");
    }
    STELA_TRY(detach_mount(mount_point, true));
  }
  return Status(Code::kBusy, mount_point + " holds too many dead mounts; unmount them first");
}

void set_read_ahead(const MountEntry& mount, uint64_t bytes) {
  std::ofstream file("/sys/class/bdi/" + mount.device_number + "/read_ahead_kb");
  file << bytes / 1024 << std::flush;
}

}  // namespace stela::fsd

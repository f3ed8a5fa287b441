// The store's directory on a POSIX filesystem: everything is opened beneath one descriptor (openat2 with
// RESOLVE_BENEATH; where the kernel lacks it, openat of checked names that follows no link at the end).
// Thread-safe.
#pragma once

#include <sys/types.h>

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/io/posix_descriptor.h"

namespace stela {

struct PosixOptions {
  bool create_directory = true;  // with mode 0700, when absent; its parent must exist
  bool use_openat2 = true;       // false acts as on a kernel before 5.6
  bool use_tmpfile = true;       // false acts as on a filesystem without O_TMPFILE
};

class PosixDirectory {
 public:
  // Where names of unfinished files live on filesystems without O_TMPFILE.
  static constexpr std::string_view kScratchFolder = "scratch";

  // Never null: when the directory cannot be opened, every later operation returns why; see status().
  static std::shared_ptr<PosixDirectory> open(const std::string& path, const PosixOptions& options);

  const Status& status() const { return status_; }
  const std::string& path() const { return path_; }
  const PosixOptions& options() const { return options_; }
  int fd() const { return fd_.get(); }
  // For sentences: the path of a name.
  std::string full_path(std::string_view name) const;

  // `name` is checked by the caller; "" is the directory itself. O_CLOEXEC is added.
  Result<Descriptor> open_beneath(std::string_view name, int flags, mode_t mode = 0) const;
  // The folder's descriptor, the folder and those above it made when absent.
  Result<Descriptor> make_folder(std::string_view folder) const;
  // Whether O_TMPFILE files can be linked into this filesystem; tried until it is known. An error where the
  // trial failed for a reason that passes, such as a lack of descriptors.
  Result<bool> can_link_unnamed();

  // A sync of folders comes in two steps, so that a lack of descriptors is met before names are changed: open
  // the folders (each once, and those above that are not known to be durable), change, sync.
  struct OpenFolders {
    std::vector<Descriptor> opened;
    std::vector<std::string> names;  // of `opened`
    std::set<std::string> settled;   // whose own entries the sync makes durable
  };
  Result<OpenFolders> open_folders(const std::set<std::string>& folders);
  // After one failure it fails for ever: what a failed sync lost cannot be written again.
  Status sync_folders(const OpenFolders& folders);

 private:
  PosixDirectory(std::string path, const PosixOptions& options) : path_(std::move(path)), options_(options) {}
  Status open_root();
  Status try_link_unnamed() const;
  Status failed_at(int error, const std::string& what) const;

  std::string path_;
  PosixOptions options_;
  Status status_;
  Descriptor fd_;

  std::mutex mutex_;
  std::optional<bool> unnamed_works_;
  std::set<std::string> durable_folders_;  // whose own entry in the folder above is durable
  Status sync_failure_;
};

}  // namespace stela

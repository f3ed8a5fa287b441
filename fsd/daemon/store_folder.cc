#include "fsd/daemon/store_folder.h"

#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "engine/catalog/keys.h"
#include "engine/io/posix_env.h"

namespace stela::fsd {
namespace {

// The same environment, but for what the lease says of its holder.
class NamedHolderEnv : public Env {
 public:
  NamedHolderEnv(std::shared_ptr<Env> base, std::string holder) : base_(std::move(base)), holder_(std::move(holder)) {}
  Files& files() override { return base_->files(); }
  Result<std::unique_ptr<LogDevice>> open_log(uint64_t segment_bytes) override {
    return base_->open_log(segment_bytes);
  }
  Result<std::unique_ptr<Lease>> acquire_lease(const std::string&) override { return base_->acquire_lease(holder_); }
  Clock& clock() override { return base_->clock(); }
  Random& random() override { return base_->random(); }
  void crash_point(const char* name) override { base_->crash_point(name); }

 private:
  const std::shared_ptr<Env> base_;
  const std::string holder_;
};

// What a store's folder may hold before its STELA file is there: the leavings of a creation that was cut off,
// and what belongs to filesystems and to the user.
bool may_precede_store(std::string_view name) {
  static constexpr std::string_view kNames[] = {".",          "..",      "LOCK",       "log",     "catalog",
                                                "data",       "view",    "lost+found", "reserve", "stela.conf",
                                                "daemon.log", "control", "scratch"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

Status check_is_free(const std::string& directory) {
  DIR* folder = opendir(directory.c_str());
  if (folder == nullptr) {
    if (errno == ENOENT) return {};
    return status_from_errno(errno, "opening " + directory);
  }
  std::string found;
  while (const dirent* entry = readdir(folder)) {
    if (!may_precede_store(entry->d_name)) found = entry->d_name;
  }
  closedir(folder);
  if (found.empty()) return {};
  return invalid(directory + " is not a Stela store and is not empty (it holds '" + found +
                 "'): name a folder that is empty or absent");
}

Status check_is_folder(const std::string& directory) {
  struct stat attributes;
  if (stat(directory.c_str(), &attributes) != 0) {
    if (errno == ENOENT) return not_found("there is no store at " + directory);
    return status_from_errno(errno, directory);
  }
  if (!S_ISDIR(attributes.st_mode)) return Status(Code::kNotDirectory, directory + " is not a folder");
  return {};
}

// The root folder belongs to whoever the store's folder belongs to, until somebody changes it: who made a store may
// write to it through a mount.
Status give_root_an_owner(Store& store, const std::string& directory) {
  std::string value;
  Status entry = store.get(catalog::key(kRootNode, catalog::KeyKind::kNode), &value);
  if (entry.code() != Code::kNotFound) return entry;
  struct stat folder;
  if (stat(directory.c_str(), &folder) != 0) return status_from_errno(errno, directory);
  if (folder.st_uid == 0 && folder.st_gid == 0) return {};
  NodeAttributes attributes{.uid = folder.st_uid, .gid = folder.st_gid};
  return store.set_attributes(kRootNode, attributes, {.author = "stela", .operation = "create", .message = {}});
}

}  // namespace

std::string holder_text(const std::string& what) {
  char host[HOST_NAME_MAX + 1] = {};
  if (gethostname(host, HOST_NAME_MAX) != 0) host[0] = '\0';
  return "pid " + std::to_string(getpid()) + " on " + (host[0] == '\0' ? "an unnamed host" : host) + ", " + what;
}

Result<std::unique_ptr<Store>> open_store_folder(const std::string& directory, const StoreOptions& store_options,
                                                 const OpenStoreOptions& options) {
  Status folder = check_is_folder(directory);
  if (!folder.ok() && !(folder.code() == Code::kNotFound && options.create_if_absent)) return folder;
  PosixOptions posix;
  posix.create_directory = options.create_if_absent;
  if (options.create_if_absent && access((directory + "/STELA").c_str(), F_OK) != 0)
    STELA_TRY(check_is_free(directory));
  STELA_ASSIGN(std::shared_ptr<Env> base, open_posix_env(directory, posix));
  auto env = std::make_shared<NamedHolderEnv>(std::move(base), holder_text(options.holder));
  Result<std::unique_ptr<Store>> store = Store::open(env, store_options);
  if (!store.ok() && store.status().code() != Code::kNotFound) return store;
  if (!store.ok() && !options.create_if_absent)
    return not_found("there is no store at " + directory + ": " + store.status().message());
  if (!store.ok()) store = Store::create(env, store_options);
  // A full disk keeps nobody from reading: the root then stays as it is until the next time.
  if (store.ok() && !store_options.read_only) (void)give_root_an_owner(**store, directory);
  return store;
}

}  // namespace stela::fsd

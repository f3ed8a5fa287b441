// One FUSE mount: from mount(2) to its end. The daemon uses it in this order: mount (the INIT exchange is
// done, so the tree can be told what the kernel grants), attach, run, stop from another thread, unmount.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "fsd/fuse/init_exchange.h"
#include "fsd/tree/tree.h"

struct fuse_session;

namespace stela::fsd::fuse {

class Adapter;
class Notifier;

struct MountOptions {
  std::string mount_point;  // absolute, an existing folder
  std::string source;       // shown as the device in mount tables: the store's absolute path
  bool read_only = false;
  bool allow_other = false;
  std::vector<std::string> kernel_options;  // "nosuid", "noexec", ...: handed on as they are
  InitWishes wishes;
  uint32_t workers_max = 16;          // threads that read /dev/fuse
  uint32_t waiting_threads_max = 64;  // for requests that may wait
};

class Session {
 public:
  // Mounts and answers INIT. On error nothing stays mounted; libfuse's own message goes to stderr as well.
  static Result<std::unique_ptr<Session>> mount(const MountOptions& options);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // What the kernel offered, less what this process may not use.
  InitGrants grants() const { return grants_; }
  // `tree` outlives run(), and has been shut down before this is destroyed. Becomes the tree's observer.
  void attach(Tree& tree);
  // Answers requests until the mount is detached or stop() is called; afterwards every request that was
  // taken has been answered. Blocks.
  Status run();
  // Makes run() return. From any thread, any number of times.
  void stop();
  // Detaches the mount, at once for those who look its path up; handles served by the kernel go on.
  void unmount();

  // What callbacks reach through a request's userdata.
  static Adapter& adapter(void* wire);

 private:
  struct Wire;
  explicit Session(const MountOptions& options);
  Status start();
  Status answer_init();
  void use_grants();

  const MountOptions options_;
  std::unique_ptr<Wire> wire_;
  InitGrants grants_;
  fuse_session* session_ = nullptr;
  bool mounted_ = false;
  Tree* tree_ = nullptr;
  std::unique_ptr<Notifier> notifier_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> finished_{false};
  std::atomic<unsigned long> loop_thread_{0};
};

}  // namespace stela::fsd::fuse

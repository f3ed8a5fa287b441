#include "fsd/cli/channel.h"

#include <unistd.h>

#include <chrono>
#include <thread>

#include "fsd/cli/verb_spec.h"
#include "fsd/daemon/configuration.h"
#include "fsd/daemon/control_client.h"
#include "fsd/daemon/store_folder.h"

namespace stela::fsd {
namespace {

constexpr auto kBusyLimit = std::chrono::seconds(5);

class LocalChannel : public Channel {
 public:
  LocalChannel(std::unique_ptr<Store> store, std::unique_ptr<Tree> tree)
      : store_(std::move(store)), tree_(std::move(tree)) {}

  Result<VerbOutcome> call(const VerbRequest& request, int output, const std::vector<int>& inputs,
                           const ProgressFunction& progress) override {
    Caller caller{.uid = geteuid(), .gid = getegid(), .pid = static_cast<uint32_t>(getpid())};
    return run_verb({.store = *store_,
                     .tree = *tree_,
                     .request = request,
                     .caller = caller,
                     .inputs = inputs,
                     .output = output,
                     .progress = progress});
  }
  Status close() override {
    tree_->shut_down();
    tree_.reset();
    return store_->close();
  }

 private:
  std::unique_ptr<Store> store_;
  std::unique_ptr<Tree> tree_;
};

// A connection carries one command, so each call makes its own.
class RemoteChannel : public Channel {
 public:
  explicit RemoteChannel(std::string store) : store_(std::move(store)) {}
  Result<VerbOutcome> call(const VerbRequest& request, int output, const std::vector<int>& inputs,
                           const ProgressFunction& progress) override {
    Result<std::unique_ptr<ControlConnection>> connection = connect_control(store_);
    if (!connection.ok()) return Status(Code::kBusy, connection.status().message());
    return call_control(**connection, request, output, inputs, progress);
  }

 private:
  const std::string store_;
};

Result<std::unique_ptr<Channel>> open_local(const ChannelOptions& options) {
  STELA_ASSIGN(Configuration configuration, Configuration::load(options.store));
  StoreOptions store_options = configuration.settings().store;
  OpenStoreOptions how{.create_if_absent = options.create_if_absent, .holder = "stela " + options.verb};
  STELA_ASSIGN(std::unique_ptr<Store> store, open_store_folder(options.store, store_options, how));
  TreeOptions tree_options = configuration.settings().tree;
  tree_options.passthrough = false;
  tree_options.version = program_version();
  tree_options.daemon_log = "/dev/null";  // a command tells its errors itself
  tree_options.config_json = [text = configuration.json()] { return text; };
  STELA_ASSIGN(std::unique_ptr<Tree> tree, Tree::create(*store, std::move(tree_options)));
  return std::unique_ptr<Channel>(std::make_unique<LocalChannel>(std::move(store), std::move(tree)));
}

}  // namespace

Result<std::unique_ptr<Channel>> open_channel(const ChannelOptions& options) {
  auto limit = std::chrono::steady_clock::now() + kBusyLimit;
  for (;;) {
    if (connect_control(options.store).ok())
      return std::unique_ptr<Channel>(std::make_unique<RemoteChannel>(options.store));
    // Another command may hold the store for a moment, or a daemon may be about to listen.
    Result<std::unique_ptr<Channel>> local = open_local(options);
    if (local.ok() || local.status().code() != Code::kBusy || std::chrono::steady_clock::now() > limit) return local;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace stela::fsd

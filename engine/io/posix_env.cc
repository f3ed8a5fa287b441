#include "engine/io/posix_env.h"

#include <utility>

#include "engine/io/posix_files.h"
#include "engine/io/posix_lease.h"
#include "engine/io/posix_log.h"
#include "engine/io/system_clock.h"

namespace stela {

namespace {

class PosixEnv final : public Env {
 public:
  explicit PosixEnv(std::shared_ptr<PosixDirectory> directory)
      : directory_(std::move(directory)), files_(make_posix_files(directory_)) {}

  Files& files() override { return *files_; }
  Result<std::unique_ptr<LogDevice>> open_log(uint64_t segment_bytes) override {
    return open_posix_log(directory_, segment_bytes);
  }
  Result<std::unique_ptr<Lease>> acquire_lease(const std::string& text) override {
    return acquire_posix_lease(directory_, text);
  }
  Clock& clock() override { return clock_; }
  Random& random() override { return random_; }

 private:
  std::shared_ptr<PosixDirectory> directory_;
  std::unique_ptr<Files> files_;
  SystemClock clock_;
  SystemRandom random_;
};

}  // namespace

Result<std::shared_ptr<Env>> open_posix_env(const std::string& directory, const PosixOptions& options) {
  auto opened = PosixDirectory::open(directory, options);
  STELA_TRY(opened->status());
  return std::shared_ptr<Env>(std::make_shared<PosixEnv>(std::move(opened)));
}

std::shared_ptr<Env> posix_env(std::string directory) {
  return std::make_shared<PosixEnv>(PosixDirectory::open(directory, {}));
}

}  // namespace stela

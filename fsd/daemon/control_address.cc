#include "fsd/daemon/control_address.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

namespace stela::fsd {

Result<ControlAddress> ControlAddress::of_store(const std::string& store_directory) {
  int folder = open(store_directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return status_from_errno(errno, "opening " + store_directory);
  return ControlAddress(folder);
}

ControlAddress::ControlAddress(int folder) : folder_(folder) {
  address_.sun_family = AF_UNIX;
  std::snprintf(address_.sun_path, sizeof(address_.sun_path), "/proc/self/fd/%d/control", folder);
}

ControlAddress::ControlAddress(ControlAddress&& other) noexcept
    : folder_(std::exchange(other.folder_, -1)), address_(other.address_) {}

ControlAddress::~ControlAddress() {
  if (folder_ >= 0) close(folder_);
}

void ControlAddress::remove() const { (void)unlinkat(folder_, "control", 0); }

}  // namespace stela::fsd

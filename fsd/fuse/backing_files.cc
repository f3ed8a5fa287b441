#include "fsd/fuse/backing_files.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "fsd/fuse/kernel_protocol.h"

namespace stela::fsd::fuse {

BackingFiles::~BackingFiles() {
  for (const auto& [key, registration] : registrations_) close_backing(registration.id);
}

bool BackingFiles::probe() const {
  int fd = memfd_create("stela-probe", MFD_CLOEXEC);
  if (fd < 0) return false;
  Result<int32_t> id = open_backing(fd);
  if (id.ok()) close_backing(*id);
  close(fd);
  return id.ok();
}

Result<int32_t> BackingFiles::acquire(uint64_t key, int fd) {
  std::lock_guard lock(mutex_);
  auto found = registrations_.find(key);
  if (found == registrations_.end()) {
    STELA_ASSIGN(int32_t id, open_backing(fd));
    found = registrations_.emplace(key, Registration{id, 0}).first;
  }
  ++found->second.handles;
  return found->second.id;
}

void BackingFiles::release(uint64_t key) {
  std::lock_guard lock(mutex_);
  auto found = registrations_.find(key);
  if (found == registrations_.end() || --found->second.handles > 0) return;
  close_backing(found->second.id);
  registrations_.erase(found);
}

Result<int32_t> BackingFiles::open_backing(int fd) const {
  BackingMap map{fd, 0, 0};
  int id = ioctl(device_, kIoctlBackingOpen, &map);
  if (id <= 0) return status_from_errno(id < 0 ? errno : EINVAL, "registering a backing file with the kernel");
  return id;
}

void BackingFiles::close_backing(int32_t id) const {
  auto number = static_cast<uint32_t>(id);
  // The connection may be gone already, and its registrations with it.
  (void)ioctl(device_, kIoctlBackingClose, &number);
}

}  // namespace stela::fsd::fuse

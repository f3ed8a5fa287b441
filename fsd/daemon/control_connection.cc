#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "fsd/daemon/control_message.h"

namespace stela::fsd {
namespace {

constexpr size_t kChunkBytes = 16 << 10;

union DescriptorSpace {
  cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int) * kControlDescriptorsMax)];
};

void attach(msghdr& message, DescriptorSpace& space, const std::vector<int>& descriptors) {
  if (descriptors.empty()) return;
  std::memset(&space, 0, sizeof(space));
  size_t size = sizeof(int) * descriptors.size();
  message.msg_control = space.bytes;
  message.msg_controllen = CMSG_SPACE(size);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(size);
  std::memcpy(CMSG_DATA(header), descriptors.data(), size);
}

void collect(msghdr& message, std::vector<int>& descriptors) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
      descriptors.push_back(fd);
    }
  }
}

}  // namespace

ControlConnection::~ControlConnection() {
  for (int fd : descriptors_) close(fd);
  close(fd_);
}

Status ControlConnection::send_line(std::string_view line, const std::vector<int>& descriptors) {
  if (line.size() >= kControlLineBytesMax || descriptors.size() > kControlDescriptorsMax) {
    return Status(Code::kLimit, "the command is too long for the control socket");
  }
  std::string bytes(line);
  bytes.push_back('\n');
  DescriptorSpace space;
  for (size_t sent = 0; sent < bytes.size();) {
    iovec part{bytes.data() + sent, bytes.size() - sent};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (sent == 0) attach(message, space, descriptors);
    ssize_t count = sendmsg(fd_, &message, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return status_from_errno(errno, "writing to the control socket");
    sent += static_cast<size_t>(count);
  }
  return {};
}

Status ControlConnection::receive_some(int timeout_ms) {
  pollfd wait{fd_, POLLIN, 0};
  int ready = poll(&wait, 1, timeout_ms);
  if (ready < 0 && errno == EINTR) return {};
  if (ready < 0) return status_from_errno(errno, "waiting for the control socket");
  if (ready == 0) return Status(Code::kDeadline, "no answer on the control socket");
  std::array<char, kChunkBytes> bytes;
  DescriptorSpace space;
  iovec part{bytes.data(), bytes.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = space.bytes;
  message.msg_controllen = sizeof(space.bytes);
  ssize_t count = recvmsg(fd_, &message, MSG_CMSG_CLOEXEC);
  if (count < 0 && errno == EINTR) return {};
  if (count < 0) return status_from_errno(errno, "reading the control socket");
  collect(message, descriptors_);
  if (count == 0) return not_found("the control socket was closed");
  if (descriptors_.size() > kControlDescriptorsMax) return Status(Code::kLimit, "too many open files were sent");
  received_.append(bytes.data(), static_cast<size_t>(count));
  return {};
}

Result<std::string> ControlConnection::receive_line(int timeout_ms) {
  for (;;) {
    size_t end = received_.find('\n');
    if (end != std::string::npos) {
      std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      return line;
    }
    if (received_.size() > kControlLineBytesMax)
      return Status(Code::kLimit, "a line of the control socket is too long");
    STELA_TRY(receive_some(timeout_ms));
  }
}

std::vector<int> ControlConnection::take_descriptors() { return std::exchange(descriptors_, {}); }

bool ControlConnection::is_closed() const {
  pollfd wait{fd_, POLLRDHUP, 0};
  return poll(&wait, 1, 0) > 0 && (wait.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

}  // namespace stela::fsd

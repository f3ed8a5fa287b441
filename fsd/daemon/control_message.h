// What goes over a store's control socket: one line of JSON each way (more lines of progress before the last),
// with open files attached to the request. Format: control_protocol.md.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "fsd/daemon/verb.h"

namespace stela::fsd {

inline constexpr size_t kControlLineBytesMax = 1 << 20;
inline constexpr size_t kControlDescriptorsMax = 16;

std::string encode_request(const VerbRequest& request);
// kInvalid when it is not a request; sizes are bounded by the line's.
Result<VerbRequest> decode_request(std::string_view line);

struct ControlReply {
  std::optional<VerbProgress> progress;  // or else
  VerbOutcome outcome;
};
std::string encode_reply(const ControlReply& reply);
Result<ControlReply> decode_reply(std::string_view line);

// One end of a connection. Owns its descriptor and what was received and not taken. One thread; bytes go out
// without SIGPIPE.
class ControlConnection {
 public:
  explicit ControlConnection(int fd) : fd_(fd) {}
  ~ControlConnection();
  ControlConnection(const ControlConnection&) = delete;
  ControlConnection& operator=(const ControlConnection&) = delete;

  int fd() const { return fd_; }
  // Appends the newline. `descriptors` go with the first byte.
  Status send_line(std::string_view line, const std::vector<int>& descriptors = {});
  // Without its newline. kNotFound: the other end closed. kDeadline after `timeout_ms` (-1: none).
  Result<std::string> receive_line(int timeout_ms);
  // Descriptors received so far; the caller closes them.
  std::vector<int> take_descriptors();
  // Nobody is at the other end any more.
  bool is_closed() const;

 private:
  Status receive_some(int timeout_ms);
  int fd_;
  std::string received_;
  std::vector<int> descriptors_;
};

}  // namespace stela::fsd

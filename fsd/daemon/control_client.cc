#include "fsd/daemon/control_client.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "fsd/daemon/control_address.h"

namespace stela::fsd {

Result<std::unique_ptr<ControlConnection>> connect_control(const std::string& store_directory) {
  STELA_ASSIGN(ControlAddress address, ControlAddress::of_store(store_directory));
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return status_from_errno(errno, "making a socket");
  auto connection = std::make_unique<ControlConnection>(fd);
  while (connect(fd, address.name(), address.length()) != 0) {
    if (errno == EINTR) continue;
    if (errno == ENOENT || errno == ECONNREFUSED)
      return not_found("no daemon listens at " + store_directory + "/control");
    return status_from_errno(errno, "connecting to " + store_directory + "/control");
  }
  return connection;
}

Result<VerbOutcome> call_control(ControlConnection& connection, const VerbRequest& request, int output,
                                 const std::vector<int>& inputs, const ProgressFunction& progress) {
  std::vector<int> descriptors{output};
  descriptors.insert(descriptors.end(), inputs.begin(), inputs.end());
  Status ending(Code::kBusy, "the daemon is ending");
  Status sent = connection.send_line(encode_request(request), descriptors);
  if (!sent.ok()) return sent.code() == Code::kLimit ? sent : ending;
  for (bool begun = false;; begun = true) {
    Result<std::string> line = connection.receive_line(-1);
    if (!line.ok() && !begun) return ending;
    if (!line.ok()) {
      return Status(Code::kIo,
                    "the daemon ended or refused before the command was done; what it had committed stays (" +
                        line.status().message() + ")");
    }
    STELA_ASSIGN(ControlReply reply, decode_reply(*line));
    if (!reply.progress) return reply.outcome;
    if (progress && !progress(*reply.progress)) return VerbOutcome{130, "interrupted"};
  }
}

}  // namespace stela::fsd

// Texts the daemon and the program take in: control messages, settings, mount tables.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "fsd/daemon/configuration.h"
#include "fsd/daemon/control_message.h"
#include "fsd/daemon/mount_table.h"

using namespace stela::fsd;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  stela::Result<VerbRequest> request = decode_request(text);
  if (request.ok() && request->options.empty()) {
    stela::Result<VerbRequest> again = decode_request(encode_request(*request));
    if (!again.ok() || again->args != request->args || again->input_names != request->input_names) std::abort();
  }
  stela::Result<ControlReply> reply = decode_reply(text);
  if (reply.ok() && !decode_reply(encode_reply(*reply)).ok()) std::abort();
  Configuration configuration;
  if (configuration.apply_file(text, "f").ok() && configuration.json().empty()) std::abort();
  if (configuration.apply_options(text).ok() && configuration.json().empty()) std::abort();
  for (const MountEntry& mount : parse_stela_mounts(text)) {
    if (mount.mount_point.size() > size) std::abort();
  }
  return 0;
}

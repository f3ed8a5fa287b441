// The log from hostile bytes. The first byte of an input chooses what the rest is:
//   0  segments of a log as they are
//   1  payloads, each after its length in two bytes, as groups a writer has written: what lies behind right checksums
//   2  a record
#include <cstdlib>

#include "engine/io/memory_env.h"
#include "engine/log/log_reader.h"
#include "engine/store/record.h"

namespace stela {
namespace {

constexpr uint64_t kSegmentBytes = 4 * kLogBlock;
constexpr uint64_t kStoreId = 7;

void require(bool condition) {
  if (!condition) std::abort();
}

// What decodes comes back the same from its own bytes.
Status read_record(std::string_view bytes) {
  auto record = store::Record::decode(bytes);
  if (!record.ok()) {
    require(!record.status().message().empty());
    return record.status();
  }
  std::string again, third;
  record->encode(again);
  auto back = store::Record::decode(again);
  require(back.ok());
  back->encode(third);
  require(again == third);
  return {};
}

void replay(LogDevice& device) {
  uint64_t records = 0;
  auto result = log::replay(device, kStoreId, {}, [&](std::string_view record) {
    ++records;
    (void)read_record(record);
    return Status();
  });
  if (!result.ok()) return;
  require(result->tail.position % kLogBlock == 0);
  require(records == 0 || result->groups > 0);
}

void as_segments(std::string_view bytes) {
  auto device = memory_env()->open_log(kSegmentBytes).value();
  const uint64_t blocks = std::min<uint64_t>((bytes.size() + kLogBlock - 1) / kLogBlock, 12);
  for (uint64_t block = 0; block < blocks; ++block) {
    std::string padded(bytes.substr(block * kLogBlock, kLogBlock));
    padded.resize(kLogBlock, '\0');
    if (block * kLogBlock % kSegmentBytes == 0) require(device->prepare(block * kLogBlock / kSegmentBytes).ok());
    require(device->append(block * kLogBlock, as_bytes(padded)).ok());
  }
  replay(*device);
}

void as_groups(std::string_view bytes) {
  auto device = memory_env()->open_log(kSegmentBytes).value();
  log::LogWriter writer(*device, kStoreId, {});
  for (int group = 0; group < 12 && bytes.size() >= 2; ++group) {
    const uint64_t length =
        std::min<uint64_t>({get_fixed<uint16_t>(bytes.data()), bytes.size() - 2, writer.payload_bytes_max()});
    const std::string_view payload = bytes.substr(2, length);
    require(device->prepare(writer.segment_for(length)).ok());
    require(writer.append(group % 4 == 3 ? log::GroupKind::kEpoch : log::GroupKind::kCommits, payload).ok());
    bytes.remove_prefix(2 + length);
  }
  replay(*device);
}

}  // namespace
}  // namespace stela

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0: stela::as_segments(rest); break;
    case 1: stela::as_groups(rest); break;
    default: (void)stela::read_record(rest);
  }
  return 0;
}

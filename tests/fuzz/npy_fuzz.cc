// .npy files from hostile bytes: a refusal, or as many rows as the header says, of a valid type.
#include "fsd/ingest/npy_ingest.h"
#include "fsd/ingest/npy_values.h"
#include "tests/fsd/ingest_fakes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stela;
  using namespace stela::fsd;
  if (size > 65536) return 0;
  // A text without the magic is a header's dictionary, so that mutation need not keep lengths right.
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (size > 0 && data[0] == '{') {
    size_t end = std::min(bytes.find('}'), bytes.size() - 1) + 1;
    std::string header("\x93NUMPY\2\0", 8);
    put_fixed(header, static_cast<uint32_t>(end));
    bytes = header + bytes;
  }
  MemorySource source(bytes);
  FakeDataset dataset;
  FakeColumnSink sink(dataset);
  auto version = commit_npy_column(source, "f.npy", sink, "x", false, {});
  if (!version.ok()) {
    STELA_CHECK(!version.status().message().empty() && dataset.versions == 0, "refused without a sentence");
    return 0;
  }
  if (!version->has_value()) return 0;
  auto header = read_npy_header(source, 0);
  STELA_CHECK(header.ok() && header->rows == dataset.rows(), "rows lost");
  STELA_CHECK(dataset.columns[0].type().validate().ok(), "a type that is not valid");
  (void)picture(dataset);
  return 0;
}

// Rows of Arrow files and streams from hostile bytes: a refusal with a sentence that changes nothing, or rows whose
// columns have one length. The first byte chooses whether the dataset has types already.
#include "fsd/ingest/arrow_rows.h"
#include "tests/fsd/ingest_fakes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stela;
  using namespace stela::fsd;
  if (size < 2 || size > 65536) return 0;
  FakeDataset dataset;
  if ((data[0] & 1) != 0) {
    dataset.fields = {{"i", DataType::of(TypeKind::kInt64), true}, {"s", DataType::of(TypeKind::kBinary), true}};
    for (const Field& field : dataset.fields) dataset.columns.emplace_back(field.type);
  }
  IngestOptions options;
  options.extra_ignore = options.missing_null = true;
  options.memory_bytes = 1 << 20;
  std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  // With the second bit, a stream of which a first part arrives earlier.
  size_t part = (data[0] & 2) != 0 ? (bytes.size() * (data[0] >> 2)) / 64 : bytes.size();
  MemorySource source(bytes.substr(0, part));
  auto ingest = start_arrow_ingest(source, "f.arrow", std::make_unique<FakeRowSink>(dataset), options);
  if (part < bytes.size()) {
    (void)ingest->commit(false, {});
    source.append(bytes.substr(part));
  }
  const uint64_t versions = dataset.versions;
  auto version = ingest->commit(true, {});
  if (!version.ok()) {
    STELA_CHECK(!version.status().message().empty() && dataset.versions == versions, "refused without a sentence");
  }
  for (const ColumnData& column : dataset.columns) {
    STELA_CHECK(column.rows() == dataset.rows() && column.type().validate().ok(), "ragged columns");
  }
  return 0;
}

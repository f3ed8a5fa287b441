// JSON lines from hostile bytes. The first byte chooses how the rest is cut and read; the rows, or the refusal, must
// not depend on the cutting, and what is committed must have equal columns.
#include "fsd/ingest/jsonl_ingest.h"
#include "tests/fsd/ingest_fakes.h"

namespace {

using namespace stela;
using namespace stela::fsd;

std::string taken(std::string_view text, const IngestOptions& given, const CsvTuning& tuning, size_t first_part) {
  FakeDataset dataset;
  auto rejected = std::make_shared<FakeRejectedRows>();
  IngestOptions options = given;
  options.rejected = rejected;
  MemorySource source{std::string(text.substr(0, first_part))};
  auto ingest = start_jsonl_ingest(source, "f.jsonl", std::make_unique<FakeRowSink>(dataset), options, tuning);
  std::string out;
  if (first_part < text.size()) {
    auto early = ingest.value()->commit(false, {});
    if (!early.ok()) out += "early: " + early.status().message() + "\n";
    source.append(text.substr(first_part));
  }
  auto version = ingest.value()->commit(true, {});
  out += version.ok() ? picture(dataset) : version.status().message();
  for (const ColumnData& column : dataset.columns) STELA_CHECK(column.rows() == dataset.rows(), "ragged columns");
  STELA_CHECK(!version.ok() || ingest.value()->is_drained(), "bytes left after the last commit");
  return out + rejected->lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size > 4096) return 0;
  IngestOptions options;
  options.missing_null = options.extra_ignore = (data[0] & 1) != 0;
  if ((data[0] & 2) != 0) options.null_texts = {"NA", "-1"};
  if ((data[0] & 4) != 0) options.field_bytes_max = 64;
  options.skip_errors = (data[0] & 8) != 0;
  size_t piece = data[1] % 61 + 1;
  std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::string whole = taken(text, options, {}, text.size());
  std::string pieces = taken(text, options, {piece, piece % 7 + 1, piece * 3}, text.size());
  STELA_CHECK(whole == pieces, whole + " / " + pieces);
  (void)taken(text, options, {piece, 1, 1}, text.size() * (data[1] / 61) / 5);
  return 0;
}

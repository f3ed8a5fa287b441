// Arrow files and streams from hostile bytes: a refusal with a sentence, or rows of a valid type.
#include "fsd/ingest/arrow_column.h"
#include "fsd/ingest/utf8_text.h"
#include "tests/fsd/ingest_fakes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stela;
  using namespace stela::fsd;
  if (size > 65536) return 0;
  MemorySource source(std::string(reinterpret_cast<const char*>(data), size));
  FakeDataset dataset;
  FakeColumnSink sink(dataset, 1 << 20);
  auto version = commit_arrow_column(source, "f.arrow", sink, "x", false, {}, 1 << 20);
  if (!version.ok()) {
    STELA_CHECK(!version.status().message().empty() && dataset.versions == 0, "refused without a sentence");
    return 0;
  }
  if (!version->has_value()) return 0;
  const DataType& type = dataset.columns[0].type();
  STELA_CHECK(type.validate().ok(), "a type that is not valid");
  if (type.kind != TypeKind::kUtf8) return 0;
  ColumnView view = dataset.columns[0].view();
  for (uint64_t row = 0; row < view.rows; ++row) {
    std::string_view text = as_text(view.value(row));
    STELA_CHECK(find_bad_utf8(text) == text.size(), "text that is not UTF-8");
  }
  return 0;
}

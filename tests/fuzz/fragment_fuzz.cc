// Any bytes as a fragment file: opened, every column read, verified. Checksums do not hide what lies
// behind them: seals always match (CMakeLists.txt).
#include <algorithm>
#include <cstdlib>

#include "engine/format/fragment.h"

namespace stela::format {
namespace {

constexpr uint64_t kRowsMax = 4096;  // read at once
constexpr size_t kColumnsMax = 16;   // looked at

void require(bool condition) {
  if (!condition) std::abort();
}

class InputReader final : public FileReader {
 public:
  explicit InputReader(ByteSpan bytes) : bytes_(bytes) {}
  Status read(std::span<const ReadRange> ranges) override {
    for (const ReadRange& range : ranges) {
      if (range.into.size() > bytes_.size() || range.offset > bytes_.size() - range.into.size()) {
        return damaged("read past the end");
      }
      if (!range.into.empty()) std::memcpy(range.into.data(), bytes_.data() + range.offset, range.into.size());
    }
    return {};
  }
  uint64_t size() const override { return bytes_.size(); }

 private:
  ByteSpan bytes_;
};

// The input is the fragment, and every flat file that it names.
class InputSource final : public FileSource {
 public:
  explicit InputSource(ByteSpan bytes) : bytes_(bytes) {}
  Result<std::shared_ptr<FileReader>> open(FileId, FileKind) override {
    return std::shared_ptr<FileReader>(std::make_shared<InputReader>(bytes_));
  }

 private:
  ByteSpan bytes_;
};

void read_column(const ColumnChunk& chunk) {
  require(chunk.nulls() <= chunk.rows());
  uint64_t count = std::min(chunk.rows(), kRowsMax);
  if (chunk.type().value_width() > 4096) count = std::min<uint64_t>(count, 16);
  for (uint64_t first : {uint64_t{0}, chunk.rows() - count, (chunk.rows() - count) / 2}) {
    ColumnData out(chunk.type());
    Status status = chunk.read(first, count, out);
    require(!status.ok() || out.rows() == count);
    uint64_t rows[] = {first, first + count / 2, first + (count == 0 ? 0 : count - 1)};
    if (count > 0) (void)chunk.read_rows(rows, out);
    (void)chunk.nulls_in(first, count);
    (void)chunk.value_bytes_in(first, count);
  }
}

void read_section(ByteSpan bytes) {
  InputSource source(bytes);
  FragmentContext context{1, &source, std::make_shared<catalog::BlockCache>(1 << 20), nullptr};
  auto reader = FragmentReader::open(context, FileId(1), 0, bytes.size());
  if (!reader.ok()) return;
  auto ids = (*reader)->column_ids();
  if (!ids.ok()) return;
  ids->resize(std::min(ids->size(), kColumnsMax));
  for (ColumnId id : *ids) {
    auto chunk = (*reader)->column(id);
    if (!chunk.ok()) continue;
    read_column(**chunk);
    (void)(*chunk)->fine_statistics();
    (void)(*chunk)->pages();
    (void)(*chunk)->verify([](const Damage&) {});
  }
}

}  // namespace
}  // namespace stela::format

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  stela::format::read_section({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}

// What it costs to read values that are stored packed: pread of the encoded page and its decoding, against pread of the
// same values stored plain; both files in the page cache.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <random>
#include <vector>

#include "bench/support/arguments.h"
#include "bench/support/report.h"
#include "bench/support/samples.h"
#include "bench/support/workspace.h"
#include "engine/format/encoding.h"
#include "engine/format/page_measure.h"

namespace stela::bench {
namespace {

// Pages in a file one behind the other.
class PageFile {
 public:
  explicit PageFile(const std::string& path) : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600)) {
    STELA_CHECK(file_ >= 0, path);
  }
  ~PageFile() { ::close(file_); }
  PageFile(const PageFile&) = delete;
  PageFile& operator=(const PageFile&) = delete;
  void add(ByteSpan bytes) {
    STELA_CHECK(::pwrite(file_, bytes.data(), bytes.size(), end()) == static_cast<ssize_t>(bytes.size()), "write");
    sizes_.push_back(bytes.size());
    ends_.push_back(end() + static_cast<off_t>(bytes.size()));
  }
  size_t bytes_of(size_t page) const { return sizes_[page]; }
  void read(size_t page, std::byte* into) const {
    const off_t at = ends_[page] - static_cast<off_t>(sizes_[page]);
    STELA_CHECK(::pread(file_, into, sizes_[page], at) == static_cast<ssize_t>(sizes_[page]), "read");
  }
  uint64_t bytes() const { return static_cast<uint64_t>(end()); }

 private:
  off_t end() const { return ends_.empty() ? 0 : ends_.back(); }
  int file_;
  std::vector<size_t> sizes_;
  std::vector<off_t> ends_;
};

// `next` gives the values. All pages by `id`, decoded one after the other into the same memory, as a scan does.
void measure(const Workspace& workspace, Report& report, const std::string& name, TypeKind kind, format::EncodingId id,
             uint64_t rows, const std::function<int64_t()>& next) {
  ColumnData column(DataType::of(kind));
  for (uint64_t row = 0; row < rows; ++row) {
    if (kind == TypeKind::kInt64) column.append_value<int64_t>(next());
    if (kind == TypeKind::kInt32) column.append_value<int32_t>(static_cast<int32_t>(next()));
  }
  const DataType type = column.type();
  const format::Encoding& encoding = *format::find_encoding(id);
  const std::vector<ColumnView> pages =
      format::pages_of(column.view(), format::page_bytes_of(format::EncodingMode::kLight));
  PageFile packed(workspace.path("packed")), plain(workspace.path("plain"));
  size_t largest = 0;
  for (const ColumnView& page : pages) {
    Buffer bytes;
    require(encoding.encode(page, format::EncodingMode::kLight, bytes));
    packed.add(bytes.span());
    plain.add(ByteSpan(page.values, page.rows * type.value_width()));
    largest = std::max<size_t>({largest, bytes.size(), page.rows * type.value_width()});
  }
  Buffer encoded(largest), values(largest);
  ColumnData decoded(type);
  Samples of_packed, of_plain;
  for (int round = 0; round < 21; ++round) {
    of_plain.time([&] {
      for (size_t page = 0; page < pages.size(); ++page) plain.read(page, values.data());
    });
    of_packed.time([&] {
      for (size_t page = 0; page < pages.size(); ++page) {
        packed.read(page, encoded.data());
        decoded.clear();
        require(encoding.decode_range(encoded.span(0, packed.bytes_of(page)), type, pages[page].rows, 0, pages[page].rows,
                                      decoded));
      }
    });
  }
  report.add_time(name + ", " + format_bytes(packed.bytes()) + " for " + format_bytes(plain.bytes()), of_packed.median(),
                  of_plain.median(), "<= 1.05x");
}

}  // namespace
}  // namespace stela::bench

int main(int argc, char** argv) {
  using namespace stela;
  using namespace stela::bench;
  using format::EncodingId;
  Arguments arguments(argc, argv, "reads of packed pages",
                      {{"dir", "/var/tmp", "folder on the disk to measure"}, {"rows", "8000000", "of each column"}});
  Workspace workspace(arguments.text("dir"));
  const uint64_t rows = arguments.number("rows");
  std::mt19937_64 random(7);
  auto below = [&](uint64_t limit) { return [&random, limit] { return static_cast<int64_t>(random() % limit); }; };
  std::vector<int64_t> few(60);
  for (int64_t& value : few) value = static_cast<int64_t>(random());
  Report report("pread and decoding of packed pages, page cache warm (plain: pread of the same values stored plain)");
  measure(workspace, report, "int64 0..5000, packed", TypeKind::kInt64, EncodingId::kPacked, rows, below(5001));
  measure(workspace, report, "int32 0..2359, packed", TypeKind::kInt32, EncodingId::kPacked, rows, below(2360));
  measure(workspace, report, "int64 of 17 bits, packed", TypeKind::kInt64, EncodingId::kPacked, rows, below(1 << 17));
  int64_t row = 0;
  measure(workspace, report, "int64 ascending, delta", TypeKind::kInt64, EncodingId::kDelta, rows,
          [&] { return row += static_cast<int64_t>(random() % 16); });
  measure(workspace, report, "int64, 60 values, dictionary", TypeKind::kInt64, EncodingId::kDictionary, rows,
          [&] { return few[random() % few.size()]; });
  measure(workspace, report, "int32, 60 values, dictionary", TypeKind::kInt32, EncodingId::kDictionary, rows,
          [&] { return static_cast<int64_t>(static_cast<int32_t>(few[random() % few.size()])); });
  return 0;
}

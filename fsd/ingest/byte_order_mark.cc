#include "fsd/ingest/byte_order_mark.h"

#include <algorithm>

namespace stela::fsd {

Result<std::optional<uint64_t>> find_text_begin(ByteSource& source, uint64_t end, bool final,
                                                const std::string& file_name) {
  uint8_t mark[4] = {1, 1, 1, 1};
  size_t size = std::min<uint64_t>(sizeof(mark), end);
  STELA_TRY(source.read(0, {reinterpret_cast<std::byte*>(mark), size}));
  if ((mark[0] == 0xFF && mark[1] == 0xFE) || (mark[0] == 0xFE && mark[1] == 0xFF)) {
    return invalid(file_name + ": the text is UTF-16; convert it to UTF-8 first (iconv -f UTF-16 -t UTF-8)");
  }
  bool may_be_cut = !final && size < 3 && mark[0] == 0xEF;
  if (may_be_cut) return std::optional<uint64_t>();
  bool marked = size >= 3 && mark[0] == 0xEF && mark[1] == 0xBB && mark[2] == 0xBF;
  return std::optional<uint64_t>(marked ? 3 : 0);
}

}  // namespace stela::fsd

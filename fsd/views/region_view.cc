#include "fsd/views/region_view.h"

#include <algorithm>
#include <cstring>

namespace stela::fsd {

void RegionView::add(uint64_t bytes, FillRegion fill) {
  if (bytes == 0) return;
  regions_.push_back({size_, std::move(fill)});
  size_ += bytes;
}

void RegionView::add_bytes(std::string bytes) {
  uint64_t count = bytes.size();
  add(count, [held = std::move(bytes)](uint64_t offset, MutableByteSpan into) {
    if (!into.empty()) std::memcpy(into.data(), held.data() + offset, into.size());
    return Status();
  });
}

void RegionView::add_zeros(uint64_t bytes) {
  add(bytes, [](uint64_t, MutableByteSpan into) {
    std::memset(into.data(), 0, into.size());
    return Status();
  });
}

Result<size_t> RegionView::read(uint64_t offset, MutableByteSpan into) {
  if (offset >= size_ || into.empty()) return size_t{0};
  into = into.first(std::min<uint64_t>(into.size(), size_ - offset));
  auto region = std::upper_bound(regions_.begin(), regions_.end(), offset,
                                 [](uint64_t at, const Region& r) { return at < r.begin; });
  --region;
  size_t done = 0;
  for (; done < into.size(); ++region) {
    auto next = region + 1;
    uint64_t end = next == regions_.end() ? size_ : next->begin;
    uint64_t at = offset + done;
    auto part = into.subspan(done, std::min<uint64_t>(into.size() - done, end - at));
    STELA_TRY(region->fill(at - region->begin, part));
    done += part.size();
  }
  return done;
}

}  // namespace stela::fsd

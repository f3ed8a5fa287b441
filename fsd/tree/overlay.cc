#include "fsd/tree/overlay.h"

#include <algorithm>
#include <cstring>

namespace stela::fsd {

namespace {
constexpr uint64_t kStretchPagesMax = (1 << 20) / Overlay::kPageBytes;
}

Result<std::unique_ptr<Overlay>> Overlay::create(Files& files, DraftBudget& budget, std::shared_ptr<View> below,
                                                 std::string header) {
  STELA_ASSIGN(uint64_t size, below->size());
  STELA_ASSIGN(auto spool, Spool::create(files, budget));
  return std::unique_ptr<Overlay>(new Overlay(std::move(spool), std::move(below), size, std::move(header)));
}

size_t Overlay::page_bytes(uint64_t page) const {
  return static_cast<size_t>(std::min<uint64_t>(kPageBytes, size_ - page * kPageBytes));
}

Status Overlay::read_below(uint64_t offset, MutableByteSpan into) {
  STELA_ASSIGN(size_t count, below_->read(offset, into));
  return count == into.size() ? Status() : damaged("a view ended before its size");
}

Status Overlay::read(uint64_t offset, MutableByteSpan into) {
  uint64_t end = offset + into.size();
  for (uint64_t at = offset; at < end;) {
    auto next = pages_.lower_bound(at / kPageBytes);
    MutableByteSpan to = into.subspan(at - offset);
    if (next != pages_.end() && next->first == at / kPageBytes) {
      uint64_t from = at - next->first * kPageBytes;
      to = to.first(std::min<uint64_t>(to.size(), kPageBytes - from));
      STELA_TRY(spool_->read(next->second.now * kPageBytes + from, to));
    } else {
      uint64_t stop = next == pages_.end() ? end : std::min(end, next->first * kPageBytes);
      to = to.first(stop - at);
      STELA_TRY(read_below(at, to));
    }
    at += to.size();
  }
  return {};
}

Result<size_t> Overlay::read_up_to(uint64_t offset, MutableByteSpan into) {
  if (offset >= size_) return size_t{0};
  size_t count = static_cast<size_t>(std::min<uint64_t>(into.size(), size_ - offset));
  STELA_TRY(read(offset, into.first(count)));
  return count;
}

Status Overlay::check_header(uint64_t offset, ByteSpan bytes) const {
  if (offset >= header_.size()) return {};
  size_t count = std::min<size_t>(bytes.size(), header_.size() - static_cast<size_t>(offset));
  if (std::memcmp(bytes.data(), header_.data() + offset, count) == 0) return {};
  return invalid(
      "the header of a column, which says its type and length, cannot be changed in place: write the whole column "
      "again (cp, np.save)");
}

uint64_t Overlay::take_place() {
  if (free_places_.empty()) return places_++;
  uint64_t place = free_places_.back();
  free_places_.pop_back();
  return place;
}

Status Overlay::write_page(uint64_t page, size_t from, ByteSpan bytes) {
  auto found = pages_.find(page);
  if (found != pages_.end() && found->second.now != found->second.before) {
    return spool_->write(found->second.now * kPageBytes + from, bytes);
  }
  // The page as it was stays where it is.
  Buffer whole(kPageBytes);
  size_t held = page_bytes(page);
  std::fill(whole.data() + held, whole.data() + kPageBytes, std::byte{0});
  if (bytes.size() < held) STELA_TRY(read(page * kPageBytes, whole.span().first(held)));
  std::memcpy(whole.data() + from, bytes.data(), bytes.size());
  uint64_t place = take_place();
  Status written = spool_->write(place * kPageBytes, whole.span());
  if (!written.ok()) {
    free_places_.push_back(place);
    return written;
  }
  if (found == pages_.end()) {
    pages_.emplace(page, Page{place, kBelow});
  } else {
    found->second.now = place;
  }
  return {};
}

Status Overlay::write(uint64_t offset, ByteSpan bytes) {
  if (offset > size_ || bytes.size() > size_ - offset) {
    return invalid("a column of " + std::to_string(size_) +
                   " bytes cannot grow by writing beyond its end: append rows through .append/");
  }
  STELA_TRY(check_header(offset, bytes));
  for (size_t done = 0; done < bytes.size();) {
    uint64_t page = (offset + done) / kPageBytes;
    size_t from = static_cast<size_t>(offset + done - page * kPageBytes);
    size_t count = std::min(bytes.size() - done, kPageBytes - from);
    STELA_TRY(write_page(page, from, bytes.subspan(done, count)));
    done += count;
  }
  return {};
}

Status Overlay::truncate(uint64_t size) {
  if (size == size_) return {};
  return invalid("a column of " + std::to_string(size_) +
                 " bytes cannot be cut or grown in place: open it with O_TRUNC and write it whole, or append rows "
                 "through .append/");
}

void Overlay::drop() {
  pages_.clear();
  free_places_.clear();
  places_ = 0;
  (void)spool_->truncate(0);
}

Status Overlay::for_each_stretch(const std::function<Status(uint64_t offset, ByteSpan before, ByteSpan now)>& visit) {
  Buffer before;
  Buffer now;
  for (auto at = pages_.begin(); at != pages_.end();) {
    if (at->second.now == at->second.before) {
      ++at;
      continue;
    }
    uint64_t first = at->first;
    uint64_t end = first;
    bool below = at->second.before == kBelow;
    while (at != pages_.end() && at->first == end && end - first < kStretchPagesMax &&
           (at->second.before == kBelow) == below && at->second.now != at->second.before) {
      ++end;
      ++at;
    }
    uint64_t bytes = (end - 1 - first) * kPageBytes + page_bytes(end - 1);
    now.resize(bytes);
    before.resize(bytes);
    STELA_TRY(read(first * kPageBytes, now.span()));
    if (below) {
      STELA_TRY(read_below(first * kPageBytes, before.span()));
    } else {
      for (uint64_t page = first; page < end; ++page) {
        STELA_TRY(spool_->read(pages_.at(page).before * kPageBytes,
                               before.span().subspan((page - first) * kPageBytes, page_bytes(page))));
      }
    }
    STELA_TRY(visit(first * kPageBytes, before.span(), now.span()));
  }
  return {};
}

void Overlay::committed(std::shared_ptr<View> below) {
  if (below != nullptr) {
    below_ = std::move(below);
    drop();
    return;
  }
  for (auto& [number, page] : pages_) {
    if (page.before != kBelow && page.before != page.now) free_places_.push_back(page.before);
    page.before = page.now;
  }
}

}  // namespace stela::fsd

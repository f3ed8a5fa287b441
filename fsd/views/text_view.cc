#include "fsd/views/text_view.h"

#include <algorithm>
#include <cstring>

namespace stela::fsd {

TextView::TextView(std::unique_ptr<LineSource> lines, std::optional<uint64_t> remembered_size, TextViewOptions options)
    : lines_(std::move(lines)),
      remembered_size_(remembered_size),
      options_(options),
      segment_bytes_(options.segment_bytes),
      boundaries_{{0, 0}} {}

Result<uint64_t> TextView::size() {
  while (true) {
    std::lock_guard lock(mutex_);
    if (complete_) return boundaries_.back().offset;
    if (remembered_size_.has_value()) return *remembered_size_;
    STELA_TRY(extend());
  }
}

Result<size_t> TextView::read(uint64_t offset, MutableByteSpan into) {
  size_t done = 0;
  while (done < into.size()) {
    STELA_ASSIGN(std::optional<SegmentText> segment, text_at(offset + done));
    if (!segment.has_value()) break;
    size_t skip = offset + done - segment->offset;
    size_t bytes = std::min(into.size() - done, segment->text->size() - skip);
    std::memcpy(into.data() + done, segment->text->data() + skip, bytes);
    done += bytes;
  }
  return done;
}

// Empty past the end.
Result<std::optional<TextView::SegmentText>> TextView::text_at(uint64_t offset) {
  while (true) {
    STELA_ASSIGN(Search search, this->search(offset));
    if (search.past_end) return std::optional<SegmentText>();
    if (search.found.has_value()) return search.found;
    if (!search.segment.has_value()) continue;
    STELA_ASSIGN(SegmentText made, make(*search.segment));
    std::lock_guard lock(mutex_);
    keep(made);
    return std::optional<SegmentText>(std::move(made));
  }
}

Result<TextView::Search> TextView::search(uint64_t offset) {
  std::lock_guard lock(mutex_);
  Search result;
  for (auto cached = cache_.begin(); cached != cache_.end(); ++cached) {
    if (!cached->holds(offset)) continue;
    cache_.splice(cache_.begin(), cache_, cached);
    result.found = *cached;
    return result;
  }
  if (offset >= boundaries_.back().offset) {
    result.past_end = complete_;
    if (!complete_) STELA_TRY(extend());
    return result;
  }
  auto end = std::upper_bound(boundaries_.begin(), boundaries_.end(), offset,
                              [](uint64_t at, const Boundary& boundary) { return at < boundary.offset; });
  result.segment = Segment{*(end - 1), *end};
  return result;
}

// One step further; mutex_ is held.
Status TextView::extend() {
  if (!begun_) {
    growing_ = lines_->header();
    begun_ = true;
  }
  if (growing_row_ < lines_->rows()) {
    STELA_ASSIGN(uint64_t count, lines_->append_lines(growing_row_, lines_->rows(), growing_));
    growing_row_ += count;
  }
  complete_ = growing_row_ == lines_->rows();
  if (complete_ || growing_.size() >= segment_bytes_) seal();
  return {};
}

// What has grown becomes a segment; mutex_ is held.
void TextView::seal() {
  if (growing_.empty()) return;
  uint64_t begin = boundaries_.back().offset;
  boundaries_.push_back({growing_row_, begin + growing_.size()});
  keep({begin, std::make_shared<const std::string>(std::move(growing_))});
  growing_.clear();
  if (boundaries_.size() <= options_.segments_max) return;
  // Too many: two neighbours become one, and those to come are twice as long.
  Boundary last = boundaries_.back();
  size_t kept = 0;
  for (size_t i = 0; i < boundaries_.size(); i += 2) boundaries_[kept++] = boundaries_[i];
  boundaries_.resize(kept);
  if (boundaries_.back().offset != last.offset) boundaries_.push_back(last);
  segment_bytes_ *= 2;
}

// mutex_ is held.
void TextView::keep(SegmentText segment) {
  for (const SegmentText& cached : cache_) {
    if (cached.offset == segment.offset && cached.text->size() == segment.text->size()) return;
  }
  cache_bytes_ += segment.text->size();
  cache_.push_front(std::move(segment));
  while (cache_.size() > 1 && cache_bytes_ > options_.cache_bytes_max) {
    cache_bytes_ -= cache_.back().text->size();
    cache_.pop_back();
  }
}

Result<TextView::SegmentText> TextView::make(const Segment& segment) const {
  std::string text = segment.begin.offset == 0 ? lines_->header() : std::string();
  for (uint64_t row = segment.begin.row; row < segment.end.row;) {
    STELA_ASSIGN(uint64_t count, lines_->append_lines(row, segment.end.row, text));
    row += count;
  }
  if (text.size() != segment.end.offset - segment.begin.offset) {
    return damaged("rows " + std::to_string(segment.begin.row) + " to " + std::to_string(segment.end.row) +
                   " give other text than when they were read before; run stela check");
  }
  return SegmentText{segment.begin.offset, std::make_shared<const std::string>(std::move(text))};
}

}  // namespace stela::fsd

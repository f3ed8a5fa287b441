#include "fsd/views/text_view.h"

#include <algorithm>
#include <cstring>
#include <thread>

namespace stela::fsd {

namespace {
size_t threads_for(const TextViewOptions& options) {
  if (options.threads > 0) return options.threads;
  return std::clamp<size_t>(std::thread::hardware_concurrency(), 1, 4);
}
}  // namespace

TextView::TextView(std::unique_ptr<LineSource> lines, std::optional<uint64_t> remembered_size, TextViewOptions options)
    : lines_(std::move(lines)),
      remembered_size_(remembered_size),
      options_(options),
      threads_(threads_for(options)),
      segment_bytes_(options.segment_bytes),
      boundaries_{{0, 0}} {}

Result<uint64_t> TextView::size() {
  while (true) {
    std::lock_guard lock(mutex_);
    if (complete_) return boundaries_.back().offset;
    if (remembered_size_.has_value()) return *remembered_size_;
    STELA_TRY(extend(threads_));
  }
}

Result<size_t> TextView::read(uint64_t offset, MutableByteSpan into) {
  size_t done = 0;
  while (done < into.size()) {
    STELA_ASSIGN(std::optional<SegmentText> segment, text_at(offset + done));
    if (!segment.has_value()) break;
    size_t skip = offset + done - segment->offset;
    size_t bytes = std::min(into.size() - done, segment->text->size() - skip);
    if (bytes > 0) std::memcpy(into.data() + done, segment->text->data() + skip, bytes);
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
    if (!search.making.has_value()) continue;
    Result<SegmentText> made = search.making->get();
    std::lock_guard lock(mutex_);
    making_.erase(search.offset);
    STELA_TRY(made.status());
    keep(*made);
    return std::optional<SegmentText>(std::move(*made));
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
    // Whoever reads on from the start gets ever more help; a look at the first lines costs no more than those.
    if (!complete_) STELA_TRY(extend(std::min<size_t>(threads_, steps_)));
    return result;
  }
  auto end = std::upper_bound(boundaries_.begin(), boundaries_.end(), offset,
                              [](uint64_t at, const Boundary& boundary) { return at < boundary.offset; });
  auto segment = static_cast<size_t>(end - boundaries_.begin()) - 1;
  bool reads_on = segment == last_segment_ + 1;
  last_segment_ = segment;
  result.offset = boundaries_[segment].offset;
  result.making = start(segment, reads_on ? std::launch::async : std::launch::deferred);
  if (reads_on) start_next(segment);
  return result;
}

// mutex_ is held.
TextView::Making TextView::start(size_t segment, std::launch how) {
  Segment rows{boundaries_[segment], boundaries_[segment + 1]};
  auto [found, fresh] = making_.try_emplace(rows.begin.offset);
  if (fresh) found->second = std::async(how, [this, rows] { return make(rows); }).share();
  return found->second;
}

// The segments after it are begun, as many as are kept beside each other; mutex_ is held.
void TextView::start_next(size_t segment) {
  uint64_t begin = boundaries_[segment].offset;
  for (size_t next = segment + 1; next < segment + threads_ && next + 1 < boundaries_.size(); ++next) {
    if (boundaries_[next + 1].offset - begin > options_.cache_bytes_max) return;
    if (making_.size() >= 4 * threads_) return;  // nobody came for those
    uint64_t at = boundaries_[next].offset;
    bool known = std::any_of(cache_.begin(), cache_.end(), [at](const SegmentText& kept) { return kept.offset == at; });
    if (!known) (void)start(next, std::launch::async);
  }
}

// So many parts are under way, if there are rows for them; mutex_ is held.
Status TextView::plan(size_t parts) {
  constexpr uint64_t kFirstRows = 1024;
  while (parts_.size() < std::max<size_t>(parts, 1) && planned_row_ < lines_->rows()) {
    // As many rows as fill a segment, by the average so far.
    uint64_t bytes = boundaries_.back().offset + growing_.size();
    uint64_t rows = kFirstRows;
    if (growing_row_ > 0 && bytes > 0) {
      rows = static_cast<uint64_t>(static_cast<double>(segment_bytes_) / static_cast<double>(bytes) *
                                   static_cast<double>(growing_row_));
    }
    uint64_t last = std::min(lines_->rows(), planned_row_ + std::clamp<uint64_t>(rows, 1, 1 << 20));
    STELA_ASSIGN(uint64_t count, lines_->rows_at_once(planned_row_, last));
    auto work = [this, first = planned_row_, count]() -> Result<std::string> {
      std::string text;
      STELA_TRY(lines_->append_lines(first, count, text));
      return text;
    };
    auto how = parts > 1 ? std::launch::async : std::launch::deferred;
    parts_.push_back({planned_row_, count, std::async(how, work)});
    planned_row_ += count;
  }
  return {};
}

// One step further, with so many parts under way; mutex_ is held.
Status TextView::extend(size_t parts) {
  if (!begun_) {
    growing_ = lines_->header();
    begun_ = true;
  }
  if (growing_row_ < lines_->rows()) {
    STELA_TRY(plan(parts));
    Part part = std::move(parts_.front());
    parts_.pop_front();
    Result<std::string> text = part.text.get();
    if (!text.ok()) {
      parts_.clear();
      planned_row_ = growing_row_;
      return text.status();
    }
    if (growing_.empty()) {
      growing_ = std::move(*text);
    } else {
      growing_ += *text;
    }
    growing_row_ += part.rows;
    ++steps_;
  }
  complete_ = growing_row_ == lines_->rows();
  // A part is about as long as a segment: one that falls a little short is one.
  if (complete_ || growing_.size() >= segment_bytes_ / 2) seal();
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
    STELA_ASSIGN(uint64_t count, lines_->rows_at_once(row, segment.end.row));
    STELA_TRY(lines_->append_lines(row, count, text));
    row += count;
  }
  if (text.size() != segment.end.offset - segment.begin.offset) {
    return damaged("rows " + std::to_string(segment.begin.row) + " to " + std::to_string(segment.end.row) +
                   " give other text than when they were read before; run stela check");
  }
  return SegmentText{segment.begin.offset, std::make_shared<const std::string>(std::move(text))};
}

}  // namespace stela::fsd

#include "fsd/views/value_offsets.h"

#include <algorithm>
#include <string>

namespace stela::fsd {
namespace {

constexpr uint64_t kStrideRowsMin = 8192;
constexpr uint64_t kEntriesMax = 65536;
constexpr uint64_t kNearRows = 64;
constexpr uint64_t kNearBytes = 64 << 10;

uint64_t stride_for(uint64_t rows) {
  uint64_t stride = kStrideRowsMin;
  while (rows / stride >= kEntriesMax) stride *= 2;
  return stride;
}

}  // namespace

ValueOffsets::ValueOffsets(std::shared_ptr<const ColumnSource> column, uint64_t total)
    : column_(std::move(column)), total_(total), stride_(stride_for(column_->rows())), begins_{0} {}

Status ValueOffsets::check(Place place) const {
  if (place.begin <= total_ && (place.row < column_->rows() || place.begin == total_)) return {};
  return damaged("column '" + column_->info().name + "': the values before row " + std::to_string(place.row) +
                 " have " + std::to_string(place.begin) + " bytes, but its totals say " + std::to_string(total_) +
                 "; run stela check");
}

// One more entry; mutex_ is held.
Status ValueOffsets::extend() {
  Place next{begins_.size() * stride_, begins_.back()};
  STELA_ASSIGN(uint64_t bytes, column_->value_bytes(next.row - stride_, stride_));
  next.begin += bytes;
  STELA_TRY(check(next));
  begins_.push_back(next.begin);
  return {};
}

Result<ValueOffsets::Place> ValueOffsets::place_of_row(uint64_t row) {
  if (row >= column_->rows()) return Place{column_->rows(), total_};
  Place start;
  {
    std::lock_guard lock(mutex_);
    if (last_.row == row) return last_;
    while (begins_.size() <= row / stride_) STELA_TRY(extend());
    start = {row / stride_ * stride_, begins_[row / stride_]};
    if (last_.row > start.row && last_.row < row) start = last_;
  }
  if (start.row == row) return start;
  STELA_ASSIGN(uint64_t bytes, column_->value_bytes(start.row, row - start.row));
  Place place{row, start.begin + bytes};
  STELA_TRY(check(place));
  return place;
}

Result<ValueOffsets::Place> ValueOffsets::place_before(uint64_t byte) {
  Place place;
  uint64_t rows = 0;  // the byte lies in one of this many from place.row on
  {
    std::lock_guard lock(mutex_);
    while (begins_.back() <= byte && begins_.size() * stride_ < column_->rows()) STELA_TRY(extend());
    auto after = std::upper_bound(begins_.begin(), begins_.end(), byte);
    auto entry = static_cast<uint64_t>(after - begins_.begin()) - 1;
    place = {entry * stride_, begins_[entry]};
    uint64_t end = std::min(place.row + stride_, column_->rows());
    if (last_.begin <= byte && last_.row > place.row && last_.row < end) place = last_;
    rows = end - place.row;
  }
  while (rows > kNearRows && byte - place.begin > kNearBytes) {
    uint64_t half = rows / 2;
    STELA_ASSIGN(uint64_t bytes, column_->value_bytes(place.row, half));
    if (bytes <= byte - place.begin) {
      place = {place.row + half, place.begin + bytes};
      rows -= half;
    } else {
      rows = half;
    }
  }
  return place;
}

void ValueOffsets::remember(Place place) {
  std::lock_guard lock(mutex_);
  last_ = place;
}

}  // namespace stela::fsd

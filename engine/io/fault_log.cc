#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "engine/io/fault_state.h"
#include "engine/io/log_geometry.h"

namespace stela {

namespace {

std::string segment_name(uint64_t number) { return "log/" + std::to_string(number); }

class FaultLog final : public LogDevice {
 public:
  FaultLog(std::shared_ptr<FaultState> state, uint64_t segment_bytes)
      : state_(std::move(state)), segment_bytes_(segment_bytes) {}

  Status load() {
    STELA_ASSIGN(auto names, state_->list("log"));
    for (const std::string& name : names) {
      uint64_t number = 0;
      auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
      if (error == std::errc() && std::to_string(number) == name) segments_.insert(number);
    }
    return segments_.empty() ? Status() : state_->sync_folders_of({"log/0"});
  }

  uint64_t segment_bytes() const override { return segment_bytes_; }

  Status append(uint64_t position, ByteSpan blocks) override {
    STELA_TRY(check_append_range(segment_bytes_, position, blocks.size()));
    if (blocks.empty()) return {};
    uint64_t number = position / segment_bytes_;
    STELA_ASSIGN(SimulatedFilePtr segment, find(number, true));
    return state_->write(*segment, segment_name(number), position % segment_bytes_, blocks, FileKind::kLog);
  }

  // One operation for each segment that was written, or read after an opening, since the last sync.
  Status sync() override {
    std::set<uint64_t> touched;
    {
      std::lock_guard lock(state_->mutex);
      touched.swap(touched_);
    }
    for (uint64_t number : touched) {
      SimulatedFilePtr segment = state_->find(segment_name(number));
      if (segment != nullptr) STELA_TRY(state_->sync_file(*segment, segment_name(number), FileKind::kLog));
    }
    return {};
  }

  Status read(uint64_t position, MutableByteSpan into) override {
    STELA_TRY(check_log_range(position, into.size()));
    while (!into.empty()) {
      uint64_t number = position / segment_bytes_;
      uint64_t within = position % segment_bytes_;
      size_t count = std::min<size_t>(into.size(), segment_bytes_ - within);
      STELA_ASSIGN(SimulatedFilePtr segment, find(number, false));
      STELA_TRY(state_->read(*segment, segment_name(number), within, into.first(count)));
      into = into.subspan(count);
      position += count;
    }
    return {};
  }

  Status prepare(uint64_t segment) override {
    if (!segment_addressable(segment_bytes_, segment)) return segment_number_too_large(segment);
    uint64_t recycled = 0;
    {
      std::lock_guard lock(state_->mutex);
      released_.erase(segment);
      if (segments_.contains(segment)) return {};
      if (!released_.empty()) recycled = *released_.begin() + 1;
    }
    if (recycled == 0) return make_fresh(segment);
    return recycle(recycled - 1, segment);
  }

  Status release(uint64_t position, uint32_t keep) override {
    std::set<uint64_t> surplus;
    {
      std::lock_guard lock(state_->mutex);
      uint64_t live = first_live_segment(segment_bytes_, position);
      released_.insert(segments_.begin(), segments_.lower_bound(live));
      while (released_.size() > keep) surplus.insert(forget(*released_.begin()));
    }
    Status first;
    for (uint64_t number : surplus) {
      Status removed = state_->remove(segment_name(number));
      if (!removed.ok() && removed.code() != Code::kNotFound && first.ok()) first = removed;
    }
    return first;
  }

  Result<std::vector<uint64_t>> segments() override {
    std::lock_guard lock(state_->mutex);
    return std::vector<uint64_t>(segments_.begin(), segments_.end());
  }

 private:
  Result<SimulatedFilePtr> find(uint64_t number, bool for_append) {
    std::lock_guard lock(state_->mutex);
    if (!segments_.contains(number)) return segment_missing(number);
    if (for_append && released_.contains(number)) return segment_released(number);
    SimulatedFilePtr segment = state_->find(segment_name(number));
    if (segment == nullptr) return segment_missing(number);
    if (segment->size() != segment_bytes_) {
      return damaged(segment_name(number) + " is a log segment of " + std::to_string(segment->size()) +
                     " bytes instead of " + std::to_string(segment_bytes_));
    }
    if (for_append || opened_.insert(number).second) touched_.insert(number);
    return segment;
  }

  uint64_t forget(uint64_t number) {
    segments_.erase(number);
    released_.erase(number);
    touched_.erase(number);
    opened_.erase(number);
    return number;
  }

  Status recycle(uint64_t old, uint64_t number) {
    SimulatedFilePtr segment = state_->find(segment_name(old));
    {
      std::lock_guard lock(state_->mutex);
      if (segment == nullptr || segment->size() != segment_bytes_) forget(old);
    }
    if (segment == nullptr || segment->size() != segment_bytes_) {
      Status ignored = state_->remove(segment_name(old));
      return make_fresh(number);
    }
    STELA_TRY(state_->rename(segment_name(old), segment_name(number)));
    {
      std::lock_guard lock(state_->mutex);
      forget(old);
    }
    STELA_TRY(state_->sync_folders_of({segment_name(number)}));
    std::lock_guard lock(state_->mutex);
    segments_.insert(number);
    return {};
  }

  Status make_fresh(uint64_t number) {
    std::string name = segment_name(number);
    STELA_TRY(state_->create(name));
    SimulatedFilePtr file = state_->make_unnamed();
    Buffer zeros;
    zeros.append_zeros(segment_bytes_);
    STELA_TRY(state_->write(*file, name, 0, zeros.span(), FileKind::kLog));
    STELA_TRY(state_->sync_file(*file, name, FileKind::kLog));
    STELA_TRY(state_->link(file, name));
    STELA_TRY(state_->sync_folders_of({name}));
    std::lock_guard lock(state_->mutex);
    segments_.insert(number);
    return {};
  }

  std::shared_ptr<FaultState> state_;
  uint64_t segment_bytes_;
  // Guarded by the state's mutex.
  std::set<uint64_t> segments_;
  std::set<uint64_t> released_;
  std::set<uint64_t> touched_;  // to be synced
  std::set<uint64_t> opened_;
};

}  // namespace

Result<std::unique_ptr<LogDevice>> open_fault_log(std::shared_ptr<FaultState> state, uint64_t segment_bytes) {
  STELA_TRY(check_segment_bytes(segment_bytes));
  auto log = std::make_unique<FaultLog>(std::move(state), segment_bytes);
  STELA_TRY(log->load());
  return std::unique_ptr<LogDevice>(std::move(log));
}

}  // namespace stela

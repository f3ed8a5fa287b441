#include "engine/io/memory_env.h"

#include <algorithm>
#include <set>
#include <utility>

#include "engine/io/log_geometry.h"
#include "engine/io/memory_files.h"

namespace stela {

namespace {

class MemoryLog final : public LogDevice {
 public:
  MemoryLog(std::shared_ptr<MemoryState> state, uint64_t segment_bytes)
      : state_(std::move(state)), segment_bytes_(segment_bytes) {}

  uint64_t segment_bytes() const override { return segment_bytes_; }

  Status append(uint64_t position, ByteSpan blocks) override {
    STELA_TRY(check_append_range(segment_bytes_, position, blocks.size()));
    if (blocks.empty()) return {};
    std::lock_guard lock(state_->mutex);
    uint64_t number = position / segment_bytes_;
    if (released_.contains(number)) return segment_released(number);
    STELA_ASSIGN(Buffer * segment, find(number));
    std::memcpy(segment->data() + position % segment_bytes_, blocks.data(), blocks.size());
    return {};
  }

  Status sync() override { return {}; }

  Status read(uint64_t position, MutableByteSpan into) override {
    STELA_TRY(check_log_range(position, into.size()));
    std::lock_guard lock(state_->mutex);
    while (!into.empty()) {
      STELA_ASSIGN(Buffer * segment, find(position / segment_bytes_));
      uint64_t within = position % segment_bytes_;
      size_t count = std::min<size_t>(into.size(), segment_bytes_ - within);
      std::memcpy(into.data(), segment->data() + within, count);
      into = into.subspan(count);
      position += count;
    }
    return {};
  }

  Status prepare(uint64_t segment) override {
    if (!segment_addressable(segment_bytes_, segment)) return segment_number_too_large(segment);
    std::lock_guard lock(state_->mutex);
    if (state_->segments.contains(segment)) {
      released_.erase(segment);
      return {};
    }
    if (released_.empty()) {
      auto fresh = std::make_shared<Buffer>();
      fresh->append_zeros(segment_bytes_);
      state_->segments.emplace(segment, std::move(fresh));
      return {};
    }
    auto recycled = state_->segments.extract(*released_.begin());
    released_.erase(released_.begin());
    recycled.key() = segment;
    if (recycled.mapped()->size() != segment_bytes_) {
      recycled.mapped()->clear();
      recycled.mapped()->append_zeros(segment_bytes_);
    }
    state_->segments.insert(std::move(recycled));
    return {};
  }

  Status release(uint64_t position, uint32_t keep) override {
    std::lock_guard lock(state_->mutex);
    auto end = state_->segments.lower_bound(first_live_segment(segment_bytes_, position));
    for (auto at = state_->segments.begin(); at != end; ++at) released_.insert(at->first);
    while (released_.size() > keep) {
      state_->segments.erase(*released_.begin());
      released_.erase(released_.begin());
    }
    return {};
  }

  Result<std::vector<uint64_t>> segments() override {
    std::lock_guard lock(state_->mutex);
    std::vector<uint64_t> numbers;
    for (const auto& [number, bytes] : state_->segments) numbers.push_back(number);
    return numbers;
  }

 private:
  Result<Buffer*> find(uint64_t number) {
    auto found = state_->segments.find(number);
    if (found == state_->segments.end()) return segment_missing(number);
    if (found->second->size() == segment_bytes_) return found->second.get();
    return damaged("log segment " + std::to_string(number) + " holds " + std::to_string(found->second->size()) +
                   " bytes instead of " + std::to_string(segment_bytes_));
  }

  std::shared_ptr<MemoryState> state_;
  uint64_t segment_bytes_;
  std::set<uint64_t> released_;
};

class MemoryLease final : public Lease {
 public:
  explicit MemoryLease(std::shared_ptr<MemoryState> state) : state_(std::move(state)) {}
  ~MemoryLease() override {
    std::lock_guard lock(state_->mutex);
    state_->leased = false;
  }

 private:
  std::shared_ptr<MemoryState> state_;
};

}  // namespace

MemoryEnv::MemoryEnv(uint64_t seed)
    : state_(std::make_shared<MemoryState>()), files_(make_memory_files(state_)), random_(seed) {}

MemoryEnv::~MemoryEnv() = default;

Result<std::unique_ptr<LogDevice>> MemoryEnv::open_log(uint64_t segment_bytes) {
  STELA_TRY(check_segment_bytes(segment_bytes));
  return std::unique_ptr<LogDevice>(std::make_unique<MemoryLog>(state_, segment_bytes));
}

Result<std::unique_ptr<Lease>> MemoryEnv::acquire_lease(const std::string& text) {
  std::lock_guard lock(state_->mutex);
  if (state_->leased) return Status(Code::kBusy, "the store in memory is in use by " + state_->holder);
  state_->leased = true;
  state_->holder = text;
  return std::unique_ptr<Lease>(std::make_unique<MemoryLease>(state_));
}

std::shared_ptr<MemoryEnv> memory_env(uint64_t seed) { return std::make_shared<MemoryEnv>(seed); }

}  // namespace stela

#include "engine/io/fault_env.h"

#include <utility>

#include "engine/io/fault_state.h"

namespace stela {

namespace {

constexpr int64_t kRebootTime_ns = 1'000'000'000;

class FaultLease final : public Lease {
 public:
  explicit FaultLease(std::shared_ptr<FaultState> state) : state_(std::move(state)) {}
  ~FaultLease() override { state_->give_back_lease(); }

 private:
  std::shared_ptr<FaultState> state_;
};

Status no_such_file(const std::string& name) { return not_found(name + " does not exist in the simulated store"); }

}  // namespace

FaultEnv::FaultEnv(uint64_t seed) : FaultEnv(std::make_shared<FaultState>(seed), seed, ManualClock::kStart_ns) {}

FaultEnv::FaultEnv(std::shared_ptr<FaultState> state, uint64_t seed, int64_t utc_ns)
    : state_(std::move(state)), files_(make_fault_files(state_)), clock_(utc_ns), random_(seed) {}

FaultEnv::~FaultEnv() = default;

Result<std::unique_ptr<LogDevice>> FaultEnv::open_log(uint64_t segment_bytes) {
  return open_fault_log(state_, segment_bytes);
}

Result<std::unique_ptr<Lease>> FaultEnv::acquire_lease(const std::string& text) {
  STELA_TRY(state_->lease(text));
  return std::unique_ptr<Lease>(std::make_unique<FaultLease>(state_));
}

void FaultEnv::crash_point(const char* name) { state_->crash_point(name); }

void FaultEnv::crash_at(uint64_t operation) {
  std::lock_guard lock(state_->mutex);
  state_->crash_operation = operation;
}

void FaultEnv::crash_now() {
  std::lock_guard lock(state_->mutex);
  state_->crashed = true;
}

bool FaultEnv::crashed() const {
  std::lock_guard lock(state_->mutex);
  return state_->crashed;
}

std::shared_ptr<FaultEnv> FaultEnv::reboot(CrashStyle style, uint64_t seed) const {
  auto after = state_->rebooted(style, seed);
  return std::shared_ptr<FaultEnv>(
      new FaultEnv(std::move(after), seed ^ 0xB007ull, clock_.peek_utc_ns() + kRebootTime_ns));
}

void FaultEnv::set_observer(Observer observer) {
  std::lock_guard lock(state_->mutex);
  state_->observer = std::move(observer);
}

void FaultEnv::fail_at(uint64_t operation, FaultKind kind, bool forever) {
  std::lock_guard lock(state_->mutex);
  state_->faults.push_back({operation, kind, forever});
}

void FaultEnv::fail_randomly(uint64_t one_in, FaultKind kind, uint64_t seed) {
  std::lock_guard lock(state_->mutex);
  state_->random_faults.emplace_back(one_in == 0 ? 1 : one_in, kind, seed);
}

void FaultEnv::clear_faults() {
  std::lock_guard lock(state_->mutex);
  state_->faults.clear();
  state_->random_faults.clear();
}

uint64_t FaultEnv::faults_fired() const {
  std::lock_guard lock(state_->mutex);
  return state_->faults_fired;
}

void FaultEnv::set_capacity(uint64_t bytes) {
  std::lock_guard lock(state_->mutex);
  state_->capacity = bytes;
}

void FaultEnv::ignore_syncs(IgnoredSyncs ignored) {
  std::lock_guard lock(state_->mutex);
  state_->ignored = ignored;
}

std::vector<std::string> FaultEnv::file_names() const {
  std::lock_guard lock(state_->mutex);
  std::vector<std::string> found;
  for (const auto& [name, file] : state_->names) found.push_back(name);
  return found;
}

Result<Buffer> FaultEnv::file_bytes(const std::string& name) const {
  std::lock_guard lock(state_->mutex);
  SimulatedFilePtr file = state_->find(name);
  if (file == nullptr) return no_such_file(name);
  Buffer bytes(file->size());
  file->read(0, bytes.span());
  return bytes;
}

Status FaultEnv::flip_bit(const std::string& name, uint64_t offset, unsigned bit) {
  std::lock_guard lock(state_->mutex);
  SimulatedFilePtr file = state_->find(name);
  if (file == nullptr) return no_such_file(name);
  if (offset >= file->size() || bit > 7) return invalid(name + " has no bit at " + std::to_string(offset));
  std::byte byte{};
  file->read(offset, {&byte, 1});
  byte ^= std::byte{1} << bit;
  file->write(offset, {&byte, 1}, 0);
  file->settle();
  return {};
}

Status FaultEnv::truncate_file(const std::string& name, uint64_t size) {
  std::lock_guard lock(state_->mutex);
  SimulatedFilePtr file = state_->find(name);
  if (file == nullptr) return no_such_file(name);
  if (size > file->size()) return invalid(name + " is shorter than " + std::to_string(size) + " bytes");
  file->truncate(size, 0);
  file->settle();
  return {};
}

Status FaultEnv::replace_file(const std::string& name, ByteSpan bytes) {
  std::lock_guard lock(state_->mutex);
  SimulatedFilePtr file = state_->find(name);
  if (file == nullptr) return no_such_file(name);
  file->truncate(0, 0);
  file->write(0, bytes, 0);
  file->settle();
  return {};
}

uint64_t FaultEnv::image_hash() const { return state_->image_hash(); }

uint64_t FaultEnv::operation_count() const {
  std::lock_guard lock(state_->mutex);
  return state_->operations;
}

std::vector<std::string> FaultEnv::trace() const {
  std::lock_guard lock(state_->mutex);
  return {state_->trace.begin(), state_->trace.end()};
}

void FaultEnv::set_trace_limit(size_t operations) {
  std::lock_guard lock(state_->mutex);
  state_->trace_limit = operations;
}

const IoCounters& FaultEnv::counters() const { return state_->counters; }

std::shared_ptr<FaultEnv> fault_env(uint64_t seed) { return std::make_shared<FaultEnv>(seed); }

}  // namespace stela

#include "engine/io/fault_state.h"

#include <algorithm>
#include <utility>

#include "engine/io/file_name.h"

namespace stela {

namespace {

constexpr uint64_t kPretendedFreeBytes = uint64_t{1} << 40;

const char* label_of(Operation operation) {
  switch (operation) {
    case Operation::kCreate: return "create";
    case Operation::kOpen: return "open";
    case Operation::kRead: return "read";
    case Operation::kList: return "list";
    case Operation::kWrite: return "write";
    case Operation::kFileSync: return "sync_file";
    case Operation::kFolderSync: return "sync_folder";
    case Operation::kLink: return "link";
    case Operation::kRename: return "rename";
    case Operation::kRemove: return "remove";
    case Operation::kScratch: return "scratch";
    case Operation::kLease: return "lease";
    case Operation::kCrashPoint: return "crash_point";
  }
  return "unknown";
}

bool is_sync(Operation operation) { return operation == Operation::kFileSync || operation == Operation::kFolderSync; }

Status crash_status() { return {Code::kIo, "simulated crash"}; }

}  // namespace

bool fault_applies(FaultKind kind, Operation operation) {
  switch (kind) {
    case FaultKind::kIoError: return operation != Operation::kCrashPoint && operation != Operation::kLease;
    case FaultKind::kNoSpace:
    case FaultKind::kNoQuota:
      return operation == Operation::kCreate || operation == Operation::kWrite || operation == Operation::kLink ||
             operation == Operation::kScratch;
    case FaultKind::kShortWrite: return operation == Operation::kWrite;
    case FaultKind::kShortRead: return operation == Operation::kRead;
    case FaultKind::kFailedSync: return is_sync(operation);
    case FaultKind::kTooManyFiles:
      return operation == Operation::kCreate || operation == Operation::kOpen || operation == Operation::kList ||
             operation == Operation::kScratch || operation == Operation::kLink;
  }
  return false;
}

std::optional<FaultKind> FaultState::planned_fault(uint64_t index, Operation operation) {
  for (const Fault& fault : faults) {
    bool due = fault.forever ? index >= fault.operation : index == fault.operation;
    if (due && fault_applies(fault.kind, operation)) return fault.kind;
  }
  for (RandomFault& fault : random_faults) {
    if (fault_applies(fault.kind, operation) && fault.random.below(fault.one_in) == 0) return fault.kind;
  }
  return std::nullopt;
}

FaultState::Verdict FaultState::fault_verdict(FaultKind kind, Operation operation, std::string_view label,
                                              size_t bytes) {
  std::string where(label);
  Verdict verdict;
  verdict.apply = false;
  switch (kind) {
    case FaultKind::kIoError:
    case FaultKind::kFailedSync:
      verdict.fail_sync = is_sync(operation);
      verdict.status = {Code::kIo, "simulated I/O error: " + where};
      break;
    case FaultKind::kNoSpace: verdict.status = {Code::kNoSpace, "simulated full disk: " + where}; break;
    case FaultKind::kNoQuota: verdict.status = {Code::kQuota, "simulated end of the quota: " + where}; break;
    case FaultKind::kShortWrite:
      verdict.prefix = bytes == 0 ? 0 : chance.below(bytes);
      if (*verdict.prefix > SimulatedFile::kSector) *verdict.prefix -= *verdict.prefix % SimulatedFile::kSector;
      verdict.status = {Code::kIo, "simulated short write: " + where};
      break;
    case FaultKind::kShortRead:
      verdict.prefix = bytes == 0 ? 0 : chance.below(bytes);
      verdict.status = {Code::kDamaged, "simulated short read: " + where};
      break;
    case FaultKind::kTooManyFiles:
      verdict.status = {Code::kTooManyFiles, "simulated lack of descriptors: " + where};
      break;
  }
  return verdict;
}

FaultState::Verdict FaultState::begin(Operation operation, std::string_view name, size_t bytes) {
  Verdict verdict;
  if (crashed) {
    verdict.apply = false;
    verdict.status = crash_status();
    return verdict;
  }
  std::string label = std::string(label_of(operation)) + " " + std::string(name);
  uint64_t index = operations;
  if (observer) observer(index, label);
  ++operations;
  trace.push_back(std::to_string(index) + " " + label);
  while (trace.size() > trace_limit) trace.pop_front();
  if (crash_operation == index) {
    crashed = true;
    verdict.apply = !is_sync(operation);
    verdict.status = crash_status();
    return verdict;
  }
  if (auto fault = planned_fault(index, operation)) {
    ++faults_fired;
    return fault_verdict(*fault, operation, label, bytes);
  }
  bool log = name.starts_with("log/");
  verdict.ignore = (operation == Operation::kFileSync && (log ? ignored.log : ignored.files)) ||
                   (operation == Operation::kFolderSync && ignored.folders);
  return verdict;
}

uint64_t FaultState::used_bytes() const {
  uint64_t used = 0;
  for (const auto& [name, file] : names) used += file->size();
  for (const auto& each : unnamed) {
    if (auto file = each.lock()) used += file->size();
  }
  return used;
}

uint64_t FaultState::free_space() const {
  std::lock_guard lock(mutex);
  if (!capacity) return kPretendedFreeBytes;
  uint64_t used = used_bytes();
  return used < *capacity ? *capacity - used : 0;
}

Status FaultState::check_capacity(const SimulatedFile& file, std::string_view name, uint64_t end) const {
  if (!capacity || end <= file.size()) return {};
  uint64_t used = used_bytes();
  if (used <= *capacity && end - file.size() <= *capacity - used) return {};
  return {Code::kNoSpace,
          "cannot write " + std::string(name) + ": simulated disk of " + std::to_string(*capacity) + " bytes is full"};
}

SimulatedFilePtr FaultState::make_unnamed() {
  std::lock_guard lock(mutex);
  std::erase_if(unnamed, [](const auto& each) { return each.expired(); });
  auto file = std::make_shared<SimulatedFile>();
  unnamed.push_back(file);
  return file;
}

SimulatedFilePtr FaultState::find(const std::string& name) const {
  std::lock_guard lock(mutex);
  auto found = names.find(name);
  return found == names.end() ? nullptr : found->second;
}

Status FaultState::check_free(const std::string& name) const {
  if (!names.contains(name) && !folders.contains(name)) return {};
  return {Code::kExists, name + " exists already"};
}

Status FaultState::absent(const std::string& name) const {
  if (folders.contains(name)) return {Code::kIsDirectory, name + " is a folder"};
  return not_found(name + " does not exist");
}

Status FaultState::make_folders(const std::string& name) {
  std::vector<std::string> fresh;
  for (std::string_view at = folder_of(name); !at.empty(); at = folder_of(at)) {
    std::string folder(at);
    if (names.contains(folder)) return {Code::kNotDirectory, folder + " is a file, not a folder"};
    if (!folders.contains(folder)) fresh.push_back(std::move(folder));
  }
  for (auto at = fresh.rbegin(); at != fresh.rend(); ++at) {
    folders.insert(*at);
    pending.push_back({NameChange::Kind::kMakeFolder, std::string(folder_of(*at)), *at, "", nullptr});
  }
  return {};
}

Status FaultState::create(const std::string& name) {
  std::lock_guard lock(mutex);
  Verdict verdict = begin(Operation::kCreate, name);
  if (!verdict.apply) return verdict.status;
  STELA_TRY(check_free(name));
  STELA_TRY(make_folders(name));
  return verdict.status;
}

Status FaultState::write(SimulatedFile& file, std::string_view name, uint64_t offset, ByteSpan bytes, FileKind kind) {
  std::lock_guard lock(mutex);
  Verdict verdict = begin(Operation::kWrite, name, bytes.size());
  if (verdict.prefix) file.write(offset, bytes.first(*verdict.prefix), operations);
  if (!verdict.apply) return verdict.status;
  STELA_TRY(check_capacity(file, name, offset + bytes.size()));
  file.write(offset, bytes, operations);
  counters.add_write(kind, bytes.size());
  return verdict.status;
}

Status FaultState::truncate_scratch(SimulatedFile& file, uint64_t size) {
  std::lock_guard lock(mutex);
  Verdict verdict = begin(Operation::kWrite, "scratch");
  if (!verdict.apply) return verdict.status;
  STELA_TRY(check_capacity(file, "scratch", size));
  file.truncate(size, operations);
  return verdict.status;
}

Status FaultState::sync_file(SimulatedFile& file, std::string_view name, FileKind kind) {
  std::lock_guard lock(mutex);
  Verdict verdict = begin(Operation::kFileSync, name);
  counters.add_sync(kind);
  if (verdict.fail_sync) file.fail_sync();
  if (verdict.apply && !verdict.ignore) file.sync();
  return verdict.status;
}

Status FaultState::link(const SimulatedFilePtr& file, const std::string& name) {
  std::lock_guard lock(mutex);
  Verdict verdict = begin(Operation::kLink, name);
  if (!verdict.apply) return verdict.status;
  STELA_TRY(check_free(name));
  STELA_TRY(make_folders(name));
  names[name] = file;
  std::erase_if(unnamed, [&](const auto& each) { return each.lock() == file; });
  pending.push_back({NameChange::Kind::kLink, std::string(folder_of(name)), name, "", file});
  return verdict.status;
}

Status FaultState::rename(const std::string& from, const std::string& to) {
  std::lock_guard lock(mutex);
  Verdict verdict = begin(Operation::kRename, from + " " + to);
  if (!verdict.apply) return verdict.status;
  auto found = names.find(from);
  if (found == names.end()) return absent(from);
  STELA_TRY(check_free(to));
  SimulatedFilePtr file = found->second;
  names.erase(found);
  names[to] = file;
  pending.push_back({NameChange::Kind::kRename, std::string(folder_of(from)), from, to, file});
  return verdict.status;
}

Status FaultState::remove(const std::string& name) {
  std::lock_guard lock(mutex);
  Verdict verdict = begin(Operation::kRemove, name);
  if (!verdict.apply) return verdict.status;
  if (names.erase(name) == 0) return absent(name);
  pending.push_back({NameChange::Kind::kUnlink, std::string(folder_of(name)), name, "", nullptr});
  return verdict.status;
}

Result<SimulatedFilePtr> FaultState::open(const std::string& name) {
  std::lock_guard lock(mutex);
  Verdict verdict = begin(Operation::kOpen, name);
  STELA_TRY(verdict.status);
  auto found = names.find(name);
  if (found == names.end()) return absent(name);
  return found->second;
}

Status FaultState::read(const SimulatedFile& file, std::string_view name, uint64_t offset, MutableByteSpan into) {
  ReadRange range{offset, into};
  return read_batch(file, name, {&range, 1});
}

Status FaultState::read_batch(const SimulatedFile& file, std::string_view name, std::span<const ReadRange> ranges) {
  std::lock_guard lock(mutex);
  uint64_t bytes = 0;
  for (const ReadRange& range : ranges) bytes += range.into.size();
  Verdict verdict = begin(Operation::kRead, name, bytes);
  if (!verdict.apply && !verdict.prefix) return verdict.status;
  uint64_t left = verdict.prefix.value_or(bytes);
  for (const ReadRange& range : ranges) {
    MutableByteSpan into = range.into.first(std::min<uint64_t>(left, range.into.size()));
    file.read(range.offset, into);
    left -= into.size();
  }
  if (!verdict.status.ok()) return verdict.status;
  counters.add_read(name == "scratch" ? FileKind::kScratch : kind_of_file(name), bytes);
  return {};
}

Result<std::vector<std::string>> FaultState::list(const std::string& folder) {
  std::lock_guard lock(mutex);
  STELA_TRY(begin(Operation::kList, folder).status);
  if (names.contains(folder)) return Status(Code::kNotDirectory, folder + " is a file, not a folder");
  std::vector<std::string> found;
  std::string prefix = folder.empty() ? "" : folder + "/";
  for (auto at = names.lower_bound(prefix); at != names.end() && at->first.starts_with(prefix); ++at) {
    if (folder_of(at->first) == folder) found.emplace_back(last_component(at->first));
  }
  for (const std::string& each : folders) {
    if (folder_of(each) == folder) found.push_back(std::string(last_component(each)) + "/");
  }
  std::sort(found.begin(), found.end());
  return found;
}

Status FaultState::scratch() {
  std::lock_guard lock(mutex);
  return begin(Operation::kScratch, "scratch").status;
}

Status FaultState::lease(const std::string& text) {
  std::lock_guard lock(mutex);
  STELA_TRY(begin(Operation::kLease, "LOCK").status);
  if (leased) return {Code::kBusy, "the simulated store is in use by " + holder};
  leased = true;
  holder = text;
  return {};
}

void FaultState::give_back_lease() {
  std::lock_guard lock(mutex);
  leased = false;
}

void FaultState::crash_point(const char* name) {
  std::lock_guard lock(mutex);
  begin(Operation::kCrashPoint, name);
}

}  // namespace stela
